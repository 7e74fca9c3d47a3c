/**
 * `npm run --silent choices -- list --ins INS`: the choices of a patient in the embedded DMP, settled at the patient's
 * request by whoever owns the data folder, with the gateway stopped. Every change is an operation like any other: decided
 * by the guard, on record, in the access history, in force for the next request. While the gateway runs: POST /fhir/Consent.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { asPerson } from '../fhir/consent-reader.ts'
import { isOid, type PatientKey, patientKey } from '../metadata/identifiers.ts'
import { createOperations } from '../operations/index.ts'
import type { SettingsAnswer } from '../operations/record-operations.ts'
import { type Config, loadConfig } from '../server/config.ts'
import { commandContext, withRecords } from './administrator.ts'
import { type Act, actOf, actsUsage } from './choices-acts.ts'
import { lineOf } from './command.ts'

const options = {
  ins: { type: 'string' },
  'ins-system': { type: 'string' },
  reason: { type: 'string' },
  config: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean' },
} as const
const usage = `usage: npm run --silent choices -- ACT --ins INS|- [--ins-system OID] [--reason TEXT] [--data FOLDER] [--config FILE]
--ins=-    the INS is read from standard input, so that no list of processes and no history of commands has it
--reason   at whose request and how that was made sure of; required for every act but list, and shown in the access history
acts:
${actsUsage.map((line) => `  ${line}`).join('\n')}`

/** Of the qualified INS (NIR), and of the test authority in development. */
const authorities = { production: '1.2.250.1.213.1.4.8', development: '1.2.250.1.213.1.4.10' } as const
const longestReason = 1000

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) {
    console.log(usage)
    return
  }
  const act = actOf(positionals, asPerson)
  if (act === undefined) throw new RangeError('name one act (--help lists them)')
  const config = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { data: values.data },
  })
  const patient = patientOf(values.ins, values['ins-system'], config)
  const reason = act.kind === 'list' ? undefined : reasonOf(values.reason)
  await withRecords(config, async (parts) => {
    const operations = createOperations(parts)
    const context = commandContext('choices', reason)
    if (act.kind === 'list') report(await operations.settings(patient, context))
    else await settle(operations, patient, act, context)
  })
}

async function settle(
  operations: ReturnType<typeof createOperations>,
  patient: PatientKey,
  act: Exclude<Act, { kind: 'list' }>,
  context: ReturnType<typeof commandContext>,
): Promise<void> {
  if (act.kind === 'close') await operations.close(patient, context)
  else if (act.kind === 'reopen') await operations.reopen(patient, context)
  else await operations.choose(patient, act.change, context)
  console.log('recorded')
}

function patientOf(given: string | undefined, system: string | undefined, { mode }: Config): PatientKey {
  const ins = given === '-' ? readFileSync(0, 'utf8').trim() : given
  if (ins === undefined || !/^[0-9AB]{15}$/.test(ins))
    throw new RangeError(
      '--ins: the INS of the patient is expected, 15 characters, or - to read it from standard input',
    )
  const authority = system ?? authorities[mode]
  if (!isOid(authority)) throw new RangeError('--ins-system: an OID is expected')
  return patientKey(authority, ins)
}

function reasonOf(text: string | undefined): string {
  const reason = text?.trim() ?? ''
  if (reason === '' || reason.length > longestReason || /\p{Cc}/u.test(reason))
    throw new RangeError(
      `--reason: at whose request and how that was made sure of, up to ${longestReason} characters, is expected`,
    )
  return reason
}

function report({ facts, choices, persons }: SettingsAnswer): void {
  const rows: (readonly [string, string])[] = [
    ['consultation', choices.consultationOpposed ? 'opposed' : 'not opposed'],
    ['feeding', choices.feedOpposed ? 'opposed' : 'not opposed'],
    ['break-glass', permitted(choices.breakGlassPermitted)],
    ['regulation', permitted(choices.regulationPermitted)],
    ['masked-in-emergency', permitted(choices.maskedInEmergencyPermitted)],
    ['initial-consent', choices.initialConsent ? 'given' : 'not given'],
    ['mask-by-default', choices.maskByDefault ? 'on' : 'off'],
    ['brain death', facts.brainDeath ? 'declared' : 'not declared'],
  ]
  for (const { person, since } of persons?.blocked ?? []) rows.push(['blocked', `${person} since ${since}`])
  for (const { role, person, since } of persons?.designated ?? []) rows.push([role, `${person} since ${since}`])
  for (const given of persons?.authorised ?? [])
    rows.push([
      'authorised',
      `${'person' in given ? given.person : given.structure} since ${given.since}${given.until === undefined ? '' : ` until ${given.until}`}`,
    ])
  for (const [name, value] of rows) console.log(`${name.padEnd(20)}${value}`)
}

function permitted(value: boolean | undefined): string {
  return value ? 'permitted' : 'refused'
}

try {
  await run()
} catch (error) {
  console.error(`choices: ${lineOf(error)}`)
  process.exitCode = 1
}
