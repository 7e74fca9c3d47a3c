/**
 * The filter: which documents of a record a caller may see (ACCESS-RULES 3, DF0–DF5). What depends on the caller and the
 * record is worked out once; judging a document is then a few comparisons.
 */
import type { AvailabilityStatus } from '../metadata/model.ts'
import { functionalRight, habilitation, type RightsColumn, type RightsMode } from '../nomenclature/index.ts'
import type { Authentication, Caller, PurposeOfUse } from './caller.ts'
import { HIDDEN_FROM_PATIENT, HIDDEN_FROM_REPRESENTATIVES, isLotSignature, MASKED } from './confidentiality.ts'
import { columnOf, isAuthor, modeOf } from './role.ts'
import type { DocumentFacts, Operation, Policy, RecordFacts } from './types.ts'

/** Who looks at the documents of one record, in which mode and to do what. */
export interface Viewer {
  readonly caller: Caller
  readonly purpose: PurposeOfUse
  readonly facts: RecordFacts
  readonly policy: Policy
  readonly now: Date
  readonly operation: Operation
  /** TD3.1a asked by uniqueId or identifier: an author then finds own documents as with TD3.1b. */
  readonly byReference?: boolean
}

export type Predicate = (document: DocumentFacts) => boolean

/** Operations that act on a document the caller already names. */
export const byReference: ReadonlySet<Operation> = new Set([
  'TD3.1b',
  'TD2.1b',
  'TD3.3a.mask',
  'TD3.3a.unmask',
  'TD3.3b',
  'TD3.3c',
  'TD3.3d',
])

const everything: Predicate = () => true
const none: Predicate = () => false
const compiled = new WeakMap<Viewer, Predicate>()

/** Whether the viewer may see the document. For many documents, compile the viewer once instead. */
export function visible(document: DocumentFacts, viewer: Viewer): boolean {
  let predicate = compiled.get(viewer)
  if (predicate === undefined) {
    predicate = compileViewer(viewer)
    compiled.set(viewer, predicate)
  }
  return predicate(document)
}

/** The predicate of a viewer. A document of another record than `facts` is about is never visible. */
export function compileViewer(viewer: Viewer): Predicate {
  const { caller, facts, policy } = viewer
  switch (caller.kind) {
    case 'tester':
      return policy.profile === 'ihe' ? everything : none
    case 'structure':
    case 'staff':
      return ownFeeding(viewer)
    case 'patient':
      return ofTheRecord(facts, (document) => !isLotSignature(document) && !hiddenFromPatient(document, viewer.now))
    case 'representative':
      // A secret connection is the minor's own; a representative who presents one sees nothing.
      if (facts.minor !== true || caller.secretConnection) return none
      return ofTheRecord(
        facts,
        (document) =>
          !isLotSignature(document) &&
          !document.confidentiality.includes(HIDDEN_FROM_REPRESENTATIVES) &&
          !hiddenFromPatient(document, viewer.now),
      )
    case 'professional':
      return ofTheRecord(facts, professional(viewer))
    default:
      return none
  }
}

function ofTheRecord({ patient }: RecordFacts, predicate: Predicate): Predicate {
  return (document) => document.patient === patient && predicate(document)
}

/** DF0: staff and structures find the references of what their structure fed, masked or not, and nothing else. */
function ownFeeding({ caller, facts, operation }: Viewer): Predicate {
  if (!byReference.has(operation)) return none
  const signatures = operation === 'TD3.1b'
  return ofTheRecord(facts, (document) => isAuthor(caller, document) && (signatures || !isLotSignature(document)))
}

/** DF1, DF2, DF5 for a professional, and DF0 for what they wrote themselves. */
function professional(viewer: Viewer): Predicate {
  const { caller, purpose, facts, operation } = viewer
  const reference = viewer.byReference === true || byReference.has(operation) || operation === 'history'
  const own: Predicate = reference ? (document) => isAuthor(caller, document) : none
  const column = columnOf(caller, facts.treatingPhysician)
  const bit = habilitation.column(caller.profession, caller.specialities)?.bit ?? 0
  // The certificate of a structure opens nothing to read, whoever stands behind it.
  if (column === undefined || column === 'es_cert' || bit === 0)
    return (document) => !isLotSignature(document) && own(document)
  const rights = readingRights(column, modeOf(column, purpose), caller.authentication)
  const masked = maskedRights(column, purpose, viewer)
  return (document) => {
    if (isLotSignature(document)) return false
    if (own(document)) return true
    if (document.typeCode === undefined || (habilitation.mask(document.typeCode) & bit) === 0) return false
    if (!rights[document.availabilityStatus]) return false
    const { confidentiality } = document
    if (confidentiality.includes(MASKED) && !masked(document)) return false
    return (
      rights.invisible ||
      (!confidentiality.includes(HIDDEN_FROM_PATIENT) && !confidentiality.includes(HIDDEN_FROM_REPRESENTATIVES))
    )
  }
}

type ReadingRights = Readonly<Record<AvailabilityStatus | 'invisible', boolean>>
/** By column, authentication and mode: worked out once for each of the few cells that callers ever stand in. */
const readingRightsOf = new Map<
  RightsColumn,
  Partial<Record<Authentication, Partial<Record<RightsMode, ReadingRights>>>>
>()

/** DF5: which statuses, and documents hidden from the patient, the functional-rights matrix opens. */
function readingRights(column: RightsColumn, mode: RightsMode, authentication: Authentication): ReadingRights {
  const known = readingRightsOf.get(column)?.[authentication]?.[mode]
  if (known !== undefined) return known
  const opens = (row: string): boolean => functionalRight(row, column, mode, authentication) !== undefined
  const rights: ReadingRights = {
    Approved: opens('TD3.2.normal'),
    Deprecated: opens('TD3.2.obsolete'),
    Archived: opens('TD3.2.archived'),
    Deleted: opens('TD3.2.deleted'),
    invisible: opens('TD3.2.invisible_patient_rl'),
  }
  const ofColumn = readingRightsOf.get(column) ?? {}
  readingRightsOf.set(column, ofColumn)
  ofColumn[authentication] = { ...ofColumn[authentication], [mode]: rights }
  return rights
}

/** DF2: the author (note 6), everyone if the patient permits it in emergency (note 7), or the treating physician. */
function maskedRights(column: RightsColumn, purpose: PurposeOfUse, { caller, facts }: Viewer): Predicate {
  const right = functionalRight('TD3.2.masque_ps', column, modeOf(column, purpose), caller.authentication)
  switch (right?.note) {
    case '':
      return everything
    case '6':
      return (document) => isAuthor(caller, document)
    case '7':
      return facts.choices.maskedInEmergencyPermitted ? everything : none
    default:
      return none
  }
}

/** DF3: INVISIBLE_PATIENT lifts by itself one month after deposit (R.1111-53). */
function hiddenFromPatient(document: DocumentFacts, now: Date): boolean {
  return document.confidentiality.includes(HIDDEN_FROM_PATIENT) && !(now.getTime() >= liftsAt(document))
}

/** One calendar month after deposit, at the same time of day; the 31st of a short month is its last day. */
export function liftsAt({ depositedAt }: Pick<DocumentFacts, 'depositedAt'>): number {
  const date = new Date(depositedAt)
  const day = date.getUTCDate()
  date.setUTCMonth(date.getUTCMonth() + 1)
  if (date.getUTCDate() !== day) date.setUTCDate(0)
  return date.getTime()
}
