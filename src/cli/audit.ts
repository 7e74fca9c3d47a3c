/**
 * `npm run --silent audit -- verify`: proves the access trace of the data folder whole, while the gateway runs or not. Keep
 * the head it prints somewhere else, and give it back with --head: a chain cannot show by itself that its end was cut off.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type ChainHead, verifyTrace } from '../dmp/embedded/index.ts'
import { loadConfig } from '../server/config.ts'
import { lineOf } from './command.ts'

const options = {
  config: { type: 'string' },
  data: { type: 'string' },
  head: { type: 'string' },
  help: { type: 'boolean' },
} as const
const usage = 'usage: npm run --silent audit -- verify [--data FOLDER] [--config FILE] [--head SEQUENCE:HASH]'

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) {
    console.log(usage)
    return
  }
  if (positionals.length !== 1 || positionals[0] !== 'verify') throw new RangeError(usage)
  const config = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { data: values.data },
  })
  const verdict = await verifyTrace(path.resolve(config.data), headOf(values.head))
  if (verdict.whole) {
    console.log(`whole: ${verdict.records} records`)
    console.log(`head: ${verdict.head.sequence}:${verdict.head.hash}`)
    return
  }
  console.log(`NOT WHOLE at record ${verdict.sequence}: ${verdict.problem}`)
  process.exitCode = 1
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
