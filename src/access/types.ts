/** The words of the guard: what is asked, what is known, what was decided. Pure data, no I/O. */
import type { Issue } from '../errors.ts'
import type { EntryUuid, PatientKey, UniqueId } from '../metadata/identifiers.ts'
import type { AvailabilityStatus, DocumentEntry, SubmissionSet } from '../metadata/model.ts'
import type { Caller, ConsentDeclaration, PurposeOfUse } from './caller.ts'

/** DMP operations, by TD number where the DMP numbers them. */
export type Operation =
  | 'TD0.2' // existence, status
  | 'TD0.3.add'
  | 'TD0.3.remove'
  | 'TD0.4' // the records that the caller is authorised to consult; about no patient
  | 'TD1.3a' // the administrative part: the choices in force
  | 'TD1.6' // who is authorised, who is blocked
  | 'TD2.1' // feed
  | 'TD2.1b' // replace
  | 'TD3.1a' // find
  | 'TD3.1b' // find own reference by uniqueId or identifier
  | 'TD3.2' // retrieve
  | 'TD3.3a.mask'
  | 'TD3.3a.unmask'
  | 'TD3.3b' // make visible to the patient or the representatives
  | 'TD3.3c' // delete (logical)
  | 'TD3.3d' // archive, unarchive
  | 'open' // ITI-104: opens or updates a record in the embedded DMP
  | 'history' // access history of a patient
  | 'choose' // a choice of the patient (RecordChange)
  | 'close' // TD1.4
  | 'reopen' // TD1.2
  | 'brain-death' // declared or cleared
  | 'copy' // everything the patient may see, as one file
  | 'rectify' // the patient asks the author to rectify a document
  | 'explain' // the path of a decision, for the administrator
  | 'destroy' // ten years after closure
  | 'registry' // ITI-42, 57 beyond 3.3, 62, 86, 92: exist only in profile `ihe`

/** How a deployment settles the points the texts leave open; the defaults are the stricter reading. */
export interface Policy {
  /** `ci-sis` is the DMP; `ihe` is conformance mode. */
  readonly profile: 'ci-sis' | 'ihe'
  readonly blockedMayFeed: boolean
  readonly brainDeath: 'deny' | 'allow'
  readonly authorisationSuffices: boolean
  readonly initialConsent: boolean
  readonly cumulativeMasking: boolean
  readonly historyToProfessionals: 'own' | 'all'
  /** Days that an authorisation (TD0.3) holds; undefined: until it is withdrawn. */
  readonly authorisationDays?: number
  /** Struct_IdNat of the medical regulation centres. */
  readonly regulationCentres: readonly string[]
  /** false in production: an INS of the authorities of test and demonstration is refused everywhere. */
  readonly testPatients: boolean
}

/** Default policy: what the texts require, read strictly; `testPatients` follows the mode of the process, not a text. */
export const strictPolicy: Policy = {
  profile: 'ci-sis',
  blockedMayFeed: false,
  brainDeath: 'deny',
  authorisationSuffices: false,
  initialConsent: false,
  cumulativeMasking: false,
  historyToProfessionals: 'own',
  regulationCentres: [],
  testPatients: true,
}

/** The choices that are a yes or a no. */
export type ChoiceName =
  | 'consultationOpposed'
  | 'feedOpposed'
  | 'breakGlassPermitted'
  | 'regulationPermitted'
  | 'maskedInEmergencyPermitted'
  | 'maskByDefault'
  | 'initialConsent'

/** What is settled about a record. Persons are PS_IdNat. */
export type RecordChange =
  | { readonly kind: 'choice'; readonly choice: ChoiceName; readonly value: boolean }
  | { readonly kind: 'block' | 'unblock'; readonly person: string }
  /** The treating or the administrator physician; undefined: none any more. One person a role. */
  | { readonly kind: 'designate'; readonly role: 'treating' | 'administrator'; readonly person: string | undefined }
  | { readonly kind: 'mask-all' }
  | { readonly kind: 'unmask-all' }
  | { readonly kind: 'close' }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'brain-death'; readonly value: boolean }

export type AuthorisationStatus = 'VALIDE' | 'EXPIRE' | 'INTERDIT' | 'NON_EXISTE'

/** What the DMP knows about a patient's record, as it bears on one caller. Absent as a whole: no DMP. */
export interface RecordFacts {
  readonly patient: PatientKey
  readonly status: 'active' | 'closed'
  readonly closedAt?: string
  /** Known only where a birth date is on record. */
  readonly minor?: boolean
  readonly brainDeath: boolean
  /** The patient's choices; the defaults of the DMP are false, true, true, false, false. */
  readonly choices: {
    readonly consultationOpposed: boolean
    readonly feedOpposed: boolean
    readonly breakGlassPermitted: boolean
    readonly regulationPermitted: boolean
    readonly maskedInEmergencyPermitted: boolean
    readonly maskByDefault: boolean
  }
  /** The caller is on the patient's blocked list. */
  readonly blocked: boolean
  /** STATUT_MT: the caller is the treating or administrator physician, as told by the DMP. */
  readonly treatingPhysician: boolean
  /** TD0.3 authorisation of the caller. */
  readonly authorisation: AuthorisationStatus
  /** Information on feeding already given to this patient by this structure. */
  readonly informedOfFeeding: boolean
  /** Episodes for which this structure informed this patient of consultation. */
  readonly informedEpisodes: readonly string[]
  /** One initial consent of the patient to the care team is on record (CO4). */
  readonly initialConsent: boolean
}

/** What the guard must know about a document to judge it: one row of the covering index, never the whole entry. */
export interface DocumentFacts {
  readonly entryUuid: EntryUuid
  readonly logicalId: EntryUuid
  readonly version: number
  readonly uniqueId: UniqueId
  readonly patient: PatientKey
  readonly availabilityStatus: AvailabilityStatus
  /** Changes of status since this version was made; absent: none. FHIR counts them as versions, XDS does not. */
  readonly revision?: number
  /** An earlier metadata version: the current one decides who may see it. */
  readonly superseded?: true
  readonly classCode?: string
  readonly typeCode?: string
  /** confidentialityCode codes: N, MASQUE_PS, … */
  readonly confidentiality: readonly string[]
  /** XCN.1 of every author that is a person. */
  readonly authorPersons: readonly string[]
  /** Who put it there. */
  readonly depositedBy: 'professional' | 'staff' | 'structure' | 'patient' | 'representative' | 'system' | 'tester'
  /** Struct_IdNat of the structure of the feeding caller. */
  readonly feedingStructure?: string
  /** ISO 8601 instant. */
  readonly depositedAt: string
  /** ISO 8601 instant of the last metadata change (FHIR meta.lastUpdated). */
  readonly updatedAt: string
  /** DTM, for ordering by date. */
  readonly creationTime?: string
}

export interface AccessRequest {
  readonly operation: Operation
  readonly caller: Caller
  /** The mode in force: of the token, else of the request. */
  readonly purpose: PurposeOfUse
  readonly reason?: string
  readonly declaration: ConsentDeclaration
  /** Absent when the request names none (ITI-43, ITI-68, reads by id). */
  readonly patient?: PatientKey
  /** TD0.4: the date that the list goes by. */
  readonly by?: 'authorisation' | 'document'
  /** TD2.x: the entries to be fed, with hash and size set. */
  readonly entries?: readonly DocumentEntry[]
  readonly submissionSet?: Pick<SubmissionSet, 'entryUuid' | 'contentTypeCode'>
  /** choose, close, reopen, brain-death: what is to be settled. */
  readonly change?: RecordChange
  /** brain-death: the caller's structure has fed or consulted this record, as the trace says. */
  readonly structureInvolved?: boolean
  /** TD2.1b, TD3.3, rectify: the stored document acted on. */
  readonly target?: DocumentFacts
  /** TD3.3a, TD3.3b: the whole set of confidentiality codes the target is to have. */
  readonly newConfidentiality?: readonly string[]
}

/** What follows from a permission. Each becomes part of the same durable commit as the access record. */
export type Obligation =
  | 'record-authorisation'
  | 'record-information'
  | 'notify-first-consultation'
  | 'notify-emergency-access'
  | 'notify-feed'
  | 'notify-visibility-change'
  | 'notify-brain-death'
  | 'notify-rectification'
  | 'display-mode'

export interface Permit {
  readonly verdict: 'permit'
  /** Rule that permits: a cell of the functional-rights matrix (`FRM TD3.2 medecin.normal`), PA1, PA2 or SY1. */
  readonly rule: string
  readonly obligations: readonly Obligation[]
  /** FE5 and its like: the action is done and the answer says this. */
  readonly warnings: readonly Issue[]
  /** Names of the facts the decision rests on, for `explain`. */
  readonly used: readonly string[]
}

export interface Deny {
  readonly verdict: 'deny'
  /** Rule id of docs/access-rules.md. */
  readonly rule: string
  /** One issue, or several where FE3 and FE4 find several wrong codes; every issue carries the rule id. */
  readonly issues: readonly [Issue, ...Issue[]]
  readonly used: readonly string[]
}

export type Decision = Permit | Deny
