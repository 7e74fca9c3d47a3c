/**
 * What is settled about a whole record: `POST Patient/$mask-all?identifier=AUTHORITY|INS` and its like. The patient may also
 * be named by a parameter `identifier` (valueIdentifier), which keeps the INS out of the URL.
 */
import type { OperationOutcome } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { RequestContext } from '../operations/ports.ts'
import type { PatientChoice } from '../operations/record-operations.ts'
import { sendResource } from './answer.ts'
import { asPerson } from './consent-reader.ts'
import { flagOf, type ParameterMap, readParameters, textOf, wrong } from './parameters.ts'
import type { Exchange, Handler } from './parts.ts'
import { patientOfResource, patientOfToken } from './search-patient.ts'
import { invalid } from './search-values.ts'

/** An operation: its own parameters, what it does, and what it says when it is done. */
interface Row {
  /** Its own, the one it is about first. */
  readonly parameters: readonly string[]
  readonly run: (patient: PatientKey, parameters: ParameterMap, exchange: Exchange) => Promise<string>
}

const chosen =
  (change: PatientChoice, said: string): Row['run'] =>
  async (patient, _, { parts, context }) => {
    await parts.operations.choose(patient, change, context)
    return said
  }

export const patientOperations = {
  'mask-all': {
    parameters: [],
    run: chosen({ kind: 'mask-all' }, 'Tous les documents sont masqués aux professionnels.'),
  },
  'unmask-all': {
    parameters: [],
    run: chosen({ kind: 'unmask-all' }, 'Tous les documents sont visibles des professionnels.'),
  },
  'mask-by-default': {
    parameters: ['value'],
    async run(patient, parameters, { parts, context }) {
      const value = required(flagOf(parameters, 'value'), 'value', 'valueBoolean')
      await parts.operations.choose(patient, { kind: 'choice', choice: 'maskByDefault', value }, context)
      return value ? 'Les nouveaux documents seront masqués.' : 'Les nouveaux documents seront visibles.'
    },
  },
  close: {
    parameters: [],
    async run(patient, _, { parts, context }) {
      await parts.operations.close(patient, context)
      return 'Le DMP est fermé. Ses données sont conservées dix ans, puis détruites.'
    },
  },
  reopen: {
    parameters: [],
    async run(patient, _, { parts, context }) {
      await parts.operations.reopen(patient, context)
      return 'Le DMP est de nouveau ouvert.'
    },
  },
  'designate-administrator': {
    parameters: ['person', 'none', 'role'],
    async run(patient, parameters, { parts, context }) {
      const none = flagOf(parameters, 'none') === true
      const named = textOf(parameters, 'person')
      if (none === (named !== undefined))
        throw wrong('person', 'is the PS_IdNat of the physician: send it, or none with valueBoolean true.')
      const person = asPerson(named)
      if (named !== undefined && person === undefined) throw wrong('person', 'is a PS_IdNat: send 8 and the RPPS.')
      const role = textOf(parameters, 'role') ?? 'administrator'
      if (role !== 'administrator' && role !== 'treating') throw wrong('role', 'is administrator, or treating.')
      await parts.operations.choose(patient, { kind: 'designate', role, person }, context)
      const physician = role === 'treating' ? 'médecin traitant' : 'médecin administrateur'
      return none ? `Aucun ${physician} n’est désigné.` : `Le ${physician} est désigné.`
    },
  },
  'brain-death': {
    parameters: ['value', 'reason'],
    async run(patient, parameters, { parts, context }) {
      const value = required(flagOf(parameters, 'value'), 'value', 'valueBoolean')
      const reason = textOf(parameters, 'reason')
      const because: RequestContext = reason === undefined ? context : { ...context, reason }
      await parts.operations.brainDeath(patient, value, because)
      return value ? 'L’état de mort encéphalique est enregistré.' : 'La mention de mort encéphalique est levée.'
    },
  },
} as const satisfies Record<string, Row>

export type PatientOperation = keyof typeof patientOperations

/** The handler of one operation. */
export function patientOperation(name: PatientOperation): Handler {
  const { parameters: own, run }: Row = patientOperations[name]
  return async (exchange) => {
    const parameters = await readParameters(exchange, [...own, 'identifier'], own[0])
    const patient = operationPatient(parameters, exchange)
    const said = await run(patient, parameters, exchange)
    const outcome: OperationOutcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'information', code: 'informational', details: { text: said } }],
    }
    sendResource(exchange.response, 200, outcome, exchange.format)
  }
}

/** The patient of an operation: of the query, or of the parameter `identifier`. */
export function operationPatient(parameters: ParameterMap, exchange: Exchange): PatientKey {
  const tokens = exchange.query.filter(([name]) => name === 'identifier').map(([, value]) => value)
  for (const [name] of exchange.query)
    if (name !== 'identifier' && name !== '_format' && name !== '_pretty')
      throw new GatewayError('unknown-parameter', {
        detail: 'Send identifier in the URL and everything else in Parameters.',
      })
  const named = parameters.get('identifier') ?? []
  const [token] = tokens
  if (tokens.length + named.length !== 1)
    throw invalid(
      'identifier',
      'names the patient, once: send ?identifier=urn:oid:AUTHORITY|INS, or the parameter identifier.',
    )
  if (token !== undefined) return patientOfToken('identifier', token, exchange)
  const identifier = named[0]?.valueIdentifier
  return patientOfResource(identifier && { identifier }, 'Parameters.parameter', exchange)
}

function required<T>(value: T | undefined, name: string, form: string): T {
  if (value === undefined) throw wrong(name, `is required: send it as ${form}.`)
  return value
}
