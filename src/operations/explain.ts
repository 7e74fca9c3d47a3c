/** What the guard would say to a request that nobody made. For the administrator; it names facts, never documents. */
import { decide } from '../access/decide.ts'
import { explain as explainDecision } from '../access/explain.ts'
import type { RecordFacts } from '../access/types.ts'
import { type PatientKey, patientKey } from '../metadata/identifiers.ts'
import { accessRecord, accessRequest, type OperationParts, refuse } from './access.ts'
import type { RequestContext } from './ports.ts'
import type { ExplainQuestion } from './record-operations.ts'

/** An open record of an adult who has chosen nothing, as it bears on somebody the DMP has never met. */
export const unremarkableRecord: RecordFacts = {
  patient: patientKey('1.2.250.1.213.1.4.8', '000000000000000'),
  status: 'active',
  minor: false,
  brainDeath: false,
  choices: {
    consultationOpposed: false,
    feedOpposed: false,
    breakGlassPermitted: true,
    regulationPermitted: true,
    maskedInEmergencyPermitted: false,
    maskByDefault: false,
  },
  blocked: false,
  treatingPhysician: false,
  authorisation: 'NON_EXISTE',
  informedOfFeeding: false,
  informedEpisodes: [],
  initialConsent: false,
}

/** The question about one record: a patient or representative without a patient is the one of that record. */
export function aboutRecord(
  asked: Omit<ExplainQuestion, 'patient' | 'types'>,
  patient: PatientKey,
): Omit<ExplainQuestion, 'types'> {
  const { kind, patient: own = patient } = asked.caller
  const isHolder = kind === 'patient' || kind === 'representative'
  return { ...asked, patient, ...(isHolder && { caller: { ...asked.caller, patient: own } }) }
}

export async function explain(
  parts: OperationParts,
  question: ExplainQuestion,
  context: RequestContext,
): Promise<readonly string[]> {
  const { patient, types, ...asked } = question
  const about = patient === undefined ? {} : { patient }
  const decision = decide(accessRequest('explain', context, about), undefined, parts.policy)
  if (decision.verdict === 'deny') throw await refuse(parts, 'explain', context, decision, patient)
  await parts.trace.record(
    accessRecord(parts, 'explain', context, { patient, outcome: 'permitted', rule: decision.rule }),
  )
  const facts = patient === undefined ? unremarkableRecord : await parts.dmp.status(patient, asked.caller)
  return explainDecision(aboutRecord(asked, patient ?? unremarkableRecord.patient), facts, parts.policy, types)
}
