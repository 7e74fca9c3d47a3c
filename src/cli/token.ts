/** `npm run --silent token -- OPTIONS`: prints one signed test identity. Development mode only. */
import { parseArgs } from 'node:util'
import { openLocalIssuer } from '../identity/index.ts'
import { type IdentityOptions, mintJwt, mintVihf } from '../identity/mint.ts'
import { loadConfig } from '../server/config.ts'
import { lineOf, oneOf } from './command.ts'

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

const kinds = ['professional', 'staff', 'structure', 'patient', 'representative', 'system'] as const
const authentications = ['direct', 'indirect', 'air'] as const
const purposes = ['normal', 'bris_de_glace', 'centre_15'] as const

const usage = `usage: npm run --silent token -- [OPTIONS]
  --vihf                 an assertion for wsse:Security of the SOAP door; without it a JWT for Authorization: Bearer
  --kind=KIND            ${kinds.join(', ')}; default professional
  --profession=CODE      TRE_G15 (10, 60), TRE_R94 (41) or TRE_R22 (GENR08); default 10, a physician
  --specialty=CODE       TRE_R01 (SM26), TRE_G05 (A), TRE_R21 (FON-29); may be repeated
  --id=PS_IdNat --name="NAME Given"
  --structure=Struct_IdNat --structure-name=NAME --sector=CODE
                         default 1010099999, CH EXEMPLE, SA01
  --authentication=HOW   ${authentications.join(', ')}; default direct, of a structure indirect
  --purpose=MODE         ${purposes.join(', ')}
  --reason=TEXT          with bris_de_glace
  --ins=INS --ins-system=OID
                         the patient that the identity is bound to; a patient and a representative have one;
                         default OID 1.2.250.1.213.1.4.10 (test)
  --regulation           of a medical regulation centre
  --expires=SECONDS      default 3600; --expires=-3600 is one that has expired
The issuer is that of ./data, or of the folder DMP_GATEWAY_DATA.`

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

function seconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = /^-?[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (Number.isNaN(number) || Math.abs(number) > maxSeconds)
    throw new RangeError('--expires: a number of seconds is expected')
  return number
}

try {
  await token()
} catch (error) {
  console.error(`token: ${lineOf(error)}`)
  process.exitCode = 1
}
