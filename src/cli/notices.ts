/**
 * `npm run --silent notices -- list` shows the notifications on their way to people, `resend` lets those go out again that
 * did not get through, while the gateway runs or not. Nobody is named: the number is the one that a webhook got.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { listDeliveries, type Resendable, resendDeliveries } from '../dmp/embedded/operator.ts'
import { loadConfig } from '../server/config.ts'
import { countOf, lineOf, oneOf, tableOf, UsageError } from './command.ts'

const options = {
  config: { type: 'string' },
  data: { type: 'string' },
  channel: { type: 'string' },
  state: { type: 'string' },
  number: { type: 'string' },
  limit: { type: 'string' },
  help: { type: 'boolean' },
} as const
const channels = ['email', 'webhook'] as const
const resendable: readonly Resendable[] = ['failed', 'uncertain', 'no-recipient', 'waiting']
const states = ['waiting', 'sending', 'sent', 'failed', 'uncertain', 'no-recipient'] as const
const usage = `usage: npm run --silent notices -- list [--channel ${channels.join('|')}] [--state ${states.join('|')}] [--limit N]
       npm run --silent notices -- resend --channel ${channels.join('|')} --state ${resendable.join('|')} [--number N]
       each with [--data FOLDER] [--config FILE]
resend: failed and no-recipient were not sent; uncertain may have been, and may then be received twice; waiting: now`

function run(): void {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) {
    console.log(usage)
    return
  }
  const [command] = positionals
  const channel = oneOf('channel', values.channel, channels)
  const { data } = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { data: values.data },
  })
  const directory = path.resolve(data)
  if (positionals.length === 1 && command === 'list' && values.number === undefined) {
    list(directory, channel, oneOf('state', values.state, states), countOf('limit', values.limit) ?? 100)
    return
  }
  const state = oneOf('state', values.state, resendable)
  if (positionals.length !== 1 || command !== 'resend' || channel === undefined || state === undefined)
    throw new UsageError(usage)
  const no = countOf('number', values.number)
  console.log(`to be sent again: ${resendDeliveries(directory, { channel, state, no })}`)
}

function list(directory: string, channel: string | undefined, state: string | undefined, limit: number): void {
  const rows = listDeliveries(directory, { channel, state, limit })
  const header = ['number', 'channel', 'kind', 'recipient', 'state', 'attempts', 'of', 'last change', 'not before']
  const lines = rows.map((row) => [
    String(row.no),
    row.channel,
    row.kind,
    row.recipient,
    row.state,
    String(row.attempts),
    row.told,
    row.at,
    row.state === 'waiting' ? row.nextAt : '',
  ])
  for (const line of tableOf([header, ...lines])) console.log(line)
  if (rows.length === limit) console.log(`only the newest ${limit}: --limit shows more`)
}

try {
  run()
} catch (error) {
  console.error(`notices: ${lineOf(error)}`)
  process.exitCode = 1
}
