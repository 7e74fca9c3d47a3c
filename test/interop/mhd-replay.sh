#!/usr/bin/env bash
# Replays the MHD and PDSm conformance tests (../shared/conformance/mhd-replay) against a gateway in conformance mode that
# this script starts and stops. Options go to the tool: test/interop/mhd-replay.sh --suites pdsm --verbose
# Every test passes; what differs from a draft, and why, is in docs/conformance.md.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
tool="$root/../shared/conformance/run.sh"
if [ ! -x "$tool" ]; then
  echo "SKIPPED: $tool is not there"
  exit 0
fi
PATH="$root/node_modules/.bin:$PATH"
log=$(mktemp)
node "$root/src/cli/serve.ts" --config "$root/config/conformance.yaml" --port 0 >"$log" 2>&1 &
server=$!
cleanup() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -f "$log"
}
trap cleanup EXIT
url=
for _ in $(seq 150); do
  url=$(sed -n 's/^listening on //p' "$log")
  [ -n "$url" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$url" ]; then
  echo "the gateway did not start:" >&2
  cat "$log" >&2
  exit 1
fi
# A run that skips everything is no success: the tool knows 413 tests besides its own overlay
"$tool" mhd-replay --fhir "$url/fhir" --min-pass "${MHD_REPLAY_MIN_PASS:-1}" "$@"
