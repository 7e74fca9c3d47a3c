/** `npm run --silent token -- OPTIONS`: prints one signed test identity. Development mode only. */
import { parseArgs } from 'node:util'
import { GatewayError } from '../errors.ts'
import { openLocalIssuer } from '../identity/index.ts'
import { type IdentityOptions, mintJwt, mintVihf } from '../identity/mint.ts'
import { loadConfig } from '../server/config.ts'

const options = {
  kind: { type: 'string' },
  profession: { type: 'string' },
  specialty: { type: 'string', multiple: true },
  id: { type: 'string' },
  name: { type: 'string' },
  structure: { type: 'string' },
  'structure-name': { type: 'string' },
  sector: { type: 'string' },
  authentication: { type: 'string' },
  purpose: { type: 'string' },
  reason: { type: 'string' },
  ins: { type: 'string' },
  'ins-system': { type: 'string' },
  regulation: { type: 'boolean' },
  expires: { type: 'string' },
  vihf: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

const usage = `usage: npm run --silent token -- ${Object.entries(options)
  .map(([name, { type }]) => `[--${name}${type === 'string' ? '=…' : ''}]`)
  .join(' ')}`

const kinds = ['professional', 'staff', 'structure', 'patient', 'representative', 'system'] as const
const authentications = ['direct', 'indirect', 'air'] as const
const purposes = ['normal', 'bris_de_glace', 'centre_15'] as const
/** A hundred years: beyond it a date no longer means anything. */
const maxSeconds = 3_153_600_000

async function token(): Promise<void> {
  const { values } = parseArgs({ options, allowPositionals: false })
  if (values.help) {
    console.log(usage)
    return
  }
  const asked: IdentityOptions = {
    kind: oneOf('kind', values.kind, kinds),
    profession: values.profession,
    specialities: values.specialty,
    id: values.id,
    name: values.name,
    structure: values.structure,
    structureName: values['structure-name'],
    sector: values.sector,
    authentication: oneOf('authentication', values.authentication, authentications),
    purpose: oneOf('purpose', values.purpose, purposes),
    reason: values.reason,
    ins: values.ins,
    insSystem: values['ins-system'],
    regulation: values.regulation,
    expiresSeconds: seconds(values.expires),
  }
  if (process.env.DMP_GATEWAY_MODE === 'production') throw production()
  const config = loadConfig({ file: process.env.DMP_GATEWAY_CONFIG, environment: process.env })
  if (config.mode === 'production') throw production()
  const issuer = await openLocalIssuer(config.data)
  console.log(values.vihf ? mintVihf(issuer, asked) : await mintJwt(issuer, asked))
}

function production(): RangeError {
  return new RangeError('there are no test identities in production mode')
}

function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new RangeError(`--${name}: one of ${allowed.join(', ')} is expected`)
  return found
}

function seconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = /^-?[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (Number.isNaN(number) || Math.abs(number) > maxSeconds)
    throw new RangeError('--expires: a number of seconds is expected')
  return number
}

/** One line: what is wrong, nothing of where in the code. */
function lineOf(error: unknown): string {
  if (error instanceof GatewayError) return error.issues[0].detail ?? error.message
  const message = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
  // parseArgs throws TypeError
  return error instanceof TypeError ? `${message} (--help lists the options)` : message
}

try {
  await token()
} catch (error) {
  console.error(`token: ${lineOf(error)}`)
  process.exitCode = 1
}
