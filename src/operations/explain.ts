/**
 * What the guard would say to a request that nobody made, and which rule of the filter shows or hides a document. For the
 * administrator; it names facts and rules, never what is in a document.
 */
import { decide } from '../access/decide.ts'
import { explain as explainDecision } from '../access/explain.ts'
import { explainDocument } from '../access/explain-document.ts'
import { type Viewer, visible } from '../access/filter.ts'
import { updates } from '../access/rule.ts'
import type { AccessRequest, DocumentFacts, Operation, RecordFacts } from '../access/types.ts'
import { type PatientKey, patientKey } from '../metadata/identifiers.ts'
import { accessRecord, accessRequest, type OperationParts, refuse } from './access.ts'
import { namedDocument } from './named.ts'
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
  asked: Omit<ExplainQuestion, 'patient' | 'types' | 'document'>,
  patient: PatientKey,
): Omit<ExplainQuestion, 'types' | 'document'> {
  const { kind, patient: own = patient } = asked.caller
  const isHolder = kind === 'patient' || kind === 'representative'
  return { ...asked, patient, ...(isHolder && { caller: { ...asked.caller, patient: own } }) }
}

/** Operations that are decided on the document they act on. */
const acts: ReadonlySet<Operation> = new Set(['TD2.1b', ...updates, 'rectify'])
const unknownDocument = 'no document is known to this caller under this name in this record'

export async function explain(
  parts: OperationParts,
  question: ExplainQuestion,
  context: RequestContext,
): Promise<readonly string[]> {
  const { types, document: name, ...asked } = question
  const decision = decide(
    accessRequest('explain', context, asked.patient && { patient: asked.patient }),
    undefined,
    parts.policy,
  )
  if (decision.verdict === 'deny') throw await refuse(parts, 'explain', context, decision, asked.patient)
  const document = name === undefined ? undefined : await namedDocument(parts.dmp, name)
  const isLocal = context.caller.proof === 'local'
  const patient = asked.patient ?? (isLocal ? document?.patient : undefined)
  const ofRecord = document !== undefined && document.patient === patient ? document : undefined
  await parts.trace.record(
    accessRecord(parts, 'explain', context, {
      patient,
      documents: ofRecord ? [ofRecord] : [],
      outcome: 'permitted',
      rule: decision.rule,
    }),
  )
  const facts = patient === undefined ? unremarkableRecord : await parts.dmp.status(patient, asked.caller)
  const request = aboutRecord(asked, patient ?? unremarkableRecord.patient)
  const { policy, clock } = parts
  const viewer = facts && { ...request, facts, policy, now: clock.now() }
  const told = ofRecord && viewer && (isLocal || isSeen(ofRecord, viewer, request)) ? ofRecord : undefined
  return [
    ...explainDecision(
      { ...request, ...(told && acts.has(request.operation) && { target: told }) },
      facts,
      policy,
      types,
    ),
    ...(told && viewer ? explainDocument(told, viewer) : name === undefined ? [] : [unknownDocument]),
  ]
}

/** Whether the caller of the question would be answered that there is such a document. */
function isSeen(document: DocumentFacts, viewer: Viewer, request: AccessRequest): boolean {
  if (!visible(document, viewer)) return false
  return acts.has(request.operation) || decide(request, viewer.facts, viewer.policy).verdict === 'permit'
}
