/**
 * `npm run --silent explain -- --profession 60 --type 11502-2`: what the guard says to a request that nobody made, and why.
 * It reads no record: what a record would say is given by options. With --document (uniqueId or entryUUID) it reads the record
 * that holds the document, with the gateway stopped, and says which rule hides the document from this caller or shows it.
 */
import { parseArgs } from 'node:util'
import type { Caller } from '../access/caller.ts'
import { allOperations } from '../access/decide.ts'
import { explain } from '../access/explain.ts'
import type { RecordFacts } from '../access/types.ts'
import { type IdentityOptions, testCaller } from '../identity/test-identity.ts'
import { splitPatientKey } from '../metadata/identifiers.ts'
import { aboutRecord, explain as explainAbout, unremarkableRecord } from '../operations/explain.ts'
import type { ExplainQuestion } from '../operations/record-operations.ts'
import { type Config, loadConfig } from '../server/config.ts'
import { policyOf } from '../server/policy.ts'
import { commandContext, withRecords } from './administrator.ts'
import { lineOf, oneOf } from './command.ts'

const options = {
  operation: { type: 'string' },
  type: { type: 'string', multiple: true },
  kind: { type: 'string' },
  profession: { type: 'string' },
  specialty: { type: 'string', multiple: true },
  id: { type: 'string' },
  structure: { type: 'string' },
  sector: { type: 'string' },
  authentication: { type: 'string' },
  purpose: { type: 'string' },
  reason: { type: 'string' },
  regulation: { type: 'boolean' },
  basis: { type: 'string' },
  informed: { type: 'boolean' },
  episode: { type: 'string' },
  unknown: { type: 'boolean' },
  closed: { type: 'boolean' },
  blocked: { type: 'boolean' },
  'treating-physician': { type: 'boolean' },
  authorised: { type: 'boolean' },
  minor: { type: 'boolean' },
  'brain-death': { type: 'boolean' },
  'consultation-opposed': { type: 'boolean' },
  'feed-opposed': { type: 'boolean' },
  'no-break-glass': { type: 'boolean' },
  'no-regulation': { type: 'boolean' },
  document: { type: 'string' },
  data: { type: 'string' },
  config: { type: 'string' },
  help: { type: 'boolean' },
} as const

const kinds = ['professional', 'staff', 'structure', 'patient', 'representative', 'system'] as const
const authentications = ['direct', 'indirect', 'air'] as const
const purposes = ['normal', 'bris_de_glace', 'centre_15'] as const
const bases = ['care-team', 'explicit'] as const

/** What stands for the value of an option in the usage. */
const values: Readonly<Record<string, string>> = {
  operation: 'TD3.2',
  type: 'LOINC',
  kind: kinds.join('|'),
  authentication: authentications.join('|'),
  purpose: purposes.join('|'),
  basis: bases.join('|'),
  document: 'UNIQUE_ID',
  data: 'FOLDER',
  config: 'FILE',
}

const usage = `usage: npm run --silent explain -- [OPTIONS]\n${Object.entries(options)
  .map(([name, { type }]) => `  --${name}${type === 'string' ? `=${values[name] ?? '…'}` : ''}`)
  .join('\n')}`

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

async function run(): Promise<void> {
  const { values } = parseArgs({ options, allowPositionals: false })
  if (values.help) {
    console.log(usage)
    return
  }
  const config = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { data: values.data },
  })
  const caller = callerOf(values)
  const basis = oneOf('basis', values.basis, bases)
  const asked = {
    operation: oneOf('operation', values.operation, allOperations) ?? 'TD3.2',
    caller,
    purpose: caller.purposeOfUse ?? 'normal',
    ...(caller.reason !== undefined && { reason: caller.reason }),
    declaration: {
      ...(basis !== undefined && { basis }),
      ...(values.informed && { informed: true }),
      ...(values.episode !== undefined && { episode: values.episode }),
    },
  }
  const types = values.type ?? []
  const { document } = values
  const lines =
    document === undefined
      ? explain(
          aboutRecord(asked, unremarkableRecord.patient),
          values.unknown ? undefined : recordOf(values),
          policyOf(config),
          types,
        )
      : await aboutDocument({ ...asked, types, document }, values, config)
  for (const line of lines) console.log(line)
}

/** Options that say what a record would say. */
const ofNoRecord = [
  'unknown',
  'closed',
  'blocked',
  'treating-physician',
  'authorised',
  'minor',
  'brain-death',
  'consultation-opposed',
  'feed-opposed',
  'no-break-glass',
  'no-regulation',
] as const

async function aboutDocument(question: ExplainQuestion, values: Values, config: Config): Promise<readonly string[]> {
  const given = ofNoRecord.find((name) => values[name])
  if (given !== undefined) throw new RangeError(`--${given}: leave it out with --document, whose record is read`)
  // The patient of a document is found with it
  const { patient: _, ...caller } = question.caller
  return withRecords(config, (parts) => explainAbout(parts, { ...question, caller }, commandContext('explain')))
}

function callerOf(values: Values): Caller {
  const kind = oneOf('kind', values.kind, kinds)
  const { authority, id } = splitPatientKey(unremarkableRecord.patient)
  const asked: IdentityOptions = {
    kind,
    profession: values.profession,
    specialities: values.specialty,
    id: values.id,
    structure: values.structure,
    sector: values.sector,
    authentication: oneOf('authentication', values.authentication, authentications),
    purpose: oneOf('purpose', values.purpose, purposes),
    reason: values.reason,
    regulation: values.regulation,
    ...((kind === 'patient' || kind === 'representative') && { ins: id, insSystem: authority }),
  }
  return testCaller(asked)
}

/** The record that the options describe. */
function recordOf(values: Values): RecordFacts {
  const { choices } = unremarkableRecord
  return {
    ...unremarkableRecord,
    status: values.closed ? 'closed' : 'active',
    minor: values.minor === true,
    brainDeath: values['brain-death'] === true,
    blocked: values.blocked === true,
    treatingPhysician: values['treating-physician'] === true,
    authorisation: values.blocked ? 'INTERDIT' : values.authorised ? 'VALIDE' : 'NON_EXISTE',
    choices: {
      ...choices,
      consultationOpposed: values['consultation-opposed'] === true,
      feedOpposed: values['feed-opposed'] === true,
      breakGlassPermitted: values['no-break-glass'] !== true,
      regulationPermitted: values['no-regulation'] !== true,
    },
  }
}

try {
  await run()
} catch (error) {
  console.error(`explain: ${lineOf(error)}`)
  process.exitCode = 1
}
