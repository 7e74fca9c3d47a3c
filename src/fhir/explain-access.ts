/** `POST DocumentReference/$explain-access`: the path of a decision through the rules, for the administrator. */
import type { Parameters } from '@medplum/fhirtypes'
import type { Authentication, Caller, CallerKind, PurposeOfUse } from '../access/caller.ts'
import { allOperations } from '../access/decide.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { displayOf, professionSystems } from '../nomenclature/index.ts'
import type { ExplainQuestion } from '../operations/record-operations.ts'
import { sendResource } from './answer.ts'
import { flagOf, type ParameterMap, readParameters, textOf, textsOf, wrong } from './parameters.ts'
import type { Exchange } from './parts.ts'
import { operationPatient } from './patient-operations.ts'

const known = [
  'identifier',
  'operation',
  'kind',
  'authentication',
  'person',
  'structure',
  'profession',
  'specialty',
  'sector',
  'purpose',
  'reason',
  'regulation',
  'basis',
  'informed',
  'episode',
  'type',
  'document',
]

export async function explainAccess(exchange: Exchange): Promise<void> {
  const { parts, context, response, format } = exchange
  const parameters = await readParameters(exchange, known)
  const named = parameters.has('identifier') || exchange.query.some(([name]) => name === 'identifier')
  const document = textOf(parameters, 'document')
  if (document !== undefined && !named) throw wrong('document', 'goes with identifier: send whose record it is in.')
  const question = questionOf(parameters, named ? operationPatient(parameters, exchange) : undefined)
  const lines = await parts.operations.explain({ ...question, ...(document !== undefined && { document }) }, context)
  const answer: Parameters = {
    resourceType: 'Parameters',
    parameter: lines.map((line) => ({ name: 'step', valueString: line })),
  }
  sendResource(response, 200, answer, format)
}

function questionOf(parameters: ParameterMap, patient: PatientKey | undefined): ExplainQuestion {
  const text = (name: string) => textOf(parameters, name)
  const reason = text('reason')
  const [basis, episode, informed] = [
    choice(parameters, 'basis', bases),
    text('episode'),
    flagOf(parameters, 'informed'),
  ]
  return {
    operation: choice(parameters, 'operation', allOperations) ?? 'TD3.2',
    caller: callerOf(parameters, patient),
    purpose: choice(parameters, 'purpose', purposes) ?? 'normal',
    ...(reason !== undefined && { reason }),
    declaration: {
      ...(basis !== undefined && { basis }),
      ...(episode !== undefined && { episode }),
      ...(informed !== undefined && { informed }),
    },
    ...(patient !== undefined && { patient }),
    types: textsOf(parameters, 'type'),
  }
}

const purposes: readonly PurposeOfUse[] = ['normal', 'bris_de_glace', 'centre_15']
const bases = ['care-team', 'explicit'] as const
const authentications: readonly Authentication[] = ['direct', 'indirect', 'air']
const kinds: readonly CallerKind[] = ['professional', 'staff', 'structure', 'patient', 'representative', 'system']

/** Somebody who might call. */
function callerOf(parameters: ParameterMap, patient: PatientKey | undefined): Caller {
  const text = (name: string) => textOf(parameters, name)
  const kind = choice(parameters, 'kind', kinds) ?? 'professional'
  const alone = kind === 'structure' || kind === 'system'
  const [profession, structure, sector] = [text('profession'), text('structure'), text('sector')]
  const holder = kind === 'patient' || kind === 'representative'
  return {
    kind,
    authentication:
      choice(parameters, 'authentication', authentications) ?? (kind === 'structure' ? 'indirect' : 'direct'),
    ...(!alone && { person: { id: text('person') ?? 'somebody' } }),
    ...(structure !== undefined && { structure: { id: structure } }),
    ...(kind === 'professional' && { profession: professionOf(profession ?? '10') }),
    specialities: textsOf(parameters, 'specialty').map((code) => ({ code, system: '1.2.250.1.71.4.2.5' })),
    ...(sector !== undefined && { sector }),
    regulation: flagOf(parameters, 'regulation') ?? false,
    ...(holder && patient !== undefined && { patient }),
    secretConnection: false,
    proof: 'jwt',
  }
}

function professionOf(code: string): Code {
  for (const system of [professionSystems.G15, professionSystems.R94, professionSystems.R22])
    if (displayOf(system, code) !== undefined) return { code, system }
  throw wrong('profession', 'is a code of TRE_G15 (10, 60), TRE_R94 (41) or TRE_R22 (GENR08).')
}

function choice<T extends string>(parameters: ParameterMap, name: string, among: readonly T[]): T | undefined {
  const value = textOf(parameters, name)
  if (value === undefined) return undefined
  const found = among.find((candidate) => candidate === value)
  if (found === undefined) throw wrong(name, `is one of ${among.join(', ')}.`)
  return found
}
