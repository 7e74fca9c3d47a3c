/**
 * Replays the NIST XDS Toolkit test kit (../shared/conformance/xds-replay) against the gateway in conformance mode, on a
 * free port. Ends with 0 when every test passes, and with `SKIPPED` where the kit is not beside the project.
 *
 *   node test/interop/xds-replay.ts [options of the tool, instead of every collection]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '..', '..')
const tool = path.resolve(root, '..', 'shared', 'conformance', 'run.sh')
const collections = 'reg,reg_mu,reg_mu_beta,reg_rm,reg_rmu,reg_isr,rep,rep_rd,raw'

/** The URL of a gateway that keeps its data only as long as it runs. */
async function start(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout ?? process.stdin })) {
    const [, url] = /^listening on (\S+)$/.exec(line) ?? []
    if (url !== undefined) return url
  }
  throw new Error('the gateway did not start')
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

async function replay(): Promise<number> {
  const command = ['src/cli/serve.ts', '--config', 'config/conformance.yaml', '--port', '0']
  const server = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const stopped = ended(server)
  try {
    const url = await start(server)
    const target = [
      '--registry',
      `${url}/xds/registry`,
      '--repository',
      `${url}/xds/repository`,
      '--fhir',
      `${url}/fhir`,
    ]
    const asked = process.argv.length > 2 ? process.argv.slice(2) : ['--collections', collections]
    return await ended(spawn(tool, ['xds-replay', ...target, ...asked], { stdio: 'inherit' }))
  } finally {
    server.kill('SIGTERM')
    await stopped
  }
}

if (existsSync(tool)) process.exitCode = await replay()
else console.log(`SKIPPED: ${tool} is not there`)
