/**
 * `npm run --silent audit -- …`, while the gateway runs or not:
 *
 *   verify    proves the access trace of the data folder whole. Keep the head it prints somewhere else, and give it back
 *             with --head: a chain cannot show by itself that its end was cut off.
 *   alerts    refused credentials, by source and reason
 *   exports   where each destination of the trace stands, and what it refused
 *   resend    has records sent to a destination again: what it refused, or a stretch of the trace
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type ChainHead, verifyTrace } from '../dmp/embedded/index.ts'
import { listAlerts, listExports, resendRecords } from '../dmp/embedded/operator.ts'
import { loadConfig } from '../server/config.ts'
import { countOf, lineOf, oneOf, tableOf, UsageError } from './command.ts'

const options = {
  config: { type: 'string' },
  data: { type: 'string' },
  head: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string' },
  destination: { type: 'string' },
  refused: { type: 'boolean' },
  from: { type: 'string' },
  to: { type: 'string' },
  help: { type: 'boolean' },
} as const
const usage = `usage: npm run --silent audit -- verify [--head SEQUENCE:HASH]
       npm run --silent audit -- alerts [--since 2026-11-21T00:00:00Z] [--limit N]
       npm run --silent audit -- exports
       npm run --silent audit -- resend --destination syslog|fhir (--refused | --from SEQUENCE --to SEQUENCE)
       each with [--data FOLDER] [--config FILE]`

type Values = ReturnType<typeof read>['values']

function read() {
  return parseArgs({ options, allowPositionals: true })
}

const commands: Readonly<Record<string, (directory: string, values: Values) => void | Promise<void>>> = {
  verify,
  alerts,
  exports,
  resend,
}

async function run(): Promise<void> {
  const { values, positionals } = read()
  if (values.help) {
    console.log(usage)
    return
  }
  const [name = ''] = positionals
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (positionals.length !== 1 || command === undefined) throw new UsageError(usage)
  const { data } = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { data: values.data },
  })
  await command(path.resolve(data), values)
}

async function verify(directory: string, { head }: Values): Promise<void> {
  const verdict = await verifyTrace(directory, headOf(head))
  if (verdict.whole) {
    console.log(`whole: ${verdict.records} records`)
    console.log(`head: ${verdict.head.sequence}:${verdict.head.hash}`)
    return
  }
  console.log(`NOT WHOLE at record ${verdict.sequence}: ${verdict.problem}`)
  process.exitCode = 1
}

function alerts(directory: string, { since = '1970-01-01', limit: most }: Values): void {
  const start = Date.parse(since)
  if (Number.isNaN(start)) throw new RangeError('--since: an instant is expected (2026-11-21T00:00:00Z)')
  const limit = countOf('limit', most) ?? 100
  const found = listAlerts(directory, new Date(start).toISOString(), limit)
  const lines = found.map(({ from, to, door, reason, client, count }) => [
    from,
    to,
    door,
    reason,
    client ?? '(several)',
    String(count),
  ])
  for (const line of tableOf([['from', 'to', 'door', 'reason', 'source', 'count'], ...lines])) console.log(line)
  if (found.length === limit) console.log(`only the newest ${limit}: --limit shows more`)
}

function exports(directory: string): void {
  const rows = listExports(directory)
  if (rows.length === 0) console.log('the trace was never sent anywhere (trace.syslog, trace.fhir)')
  for (const { destination, position, head, again, refused } of rows) {
    console.log(`${destination}: has ${position} of ${head} records, ${again} to be sent again`)
    for (const each of refused) console.log(`  refused ${each.sequence} at ${each.at}: ${each.reason}`)
  }
}

function resend(directory: string, { destination: where, refused, from: first, to: last }: Values): void {
  const destination = oneOf('destination', where, ['syslog', 'fhir'])
  const [from, to] = [countOf('from', first), countOf('to', last)]
  const stretch = from === undefined || to === undefined ? undefined : { from, to }
  const some = from !== undefined || to !== undefined
  if (destination === undefined || refused === some || (some && stretch === undefined)) throw new UsageError(usage)
  console.log(`to be sent again: ${resendRecords(directory, destination, stretch ?? 'refused')}`)
}

function headOf(text: string | undefined): ChainHead | undefined {
  if (text === undefined) return undefined
  const [, sequence, hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (sequence === undefined)
    throw new RangeError('--head: SEQUENCE:HASH is expected, as an earlier verification printed')
  return { sequence: Number(sequence), hash }
}

try {
  await run()
} catch (error) {
  console.error(`audit: ${lineOf(error)}`)
  process.exitCode = 1
}
