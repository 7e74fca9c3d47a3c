/**
 * ITI-57 and ITI-92 as changes of what is registered (IHE XDS Metadata Update, 3.57.4.1.3; IHE RMU, 3.92.4.1.3): what the
 * associations of the SubmissionSet ask for is worked out of the message alone. Whether the registry is in the state the
 * request expects is for the operation to say.
 */
import type { ErrorCode, Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Association, AvailabilityStatus, DocumentEntry, Folder, Submission } from '../metadata/model.ts'
import type { MetadataUpdate } from '../operations/ports.ts'
import { type AnnotationSlot, annotationSlots, statusOf } from './ebrim/codes.ts'
import type { Annotations, ReadSubmission } from './ebrim/reader.ts'

/** The two transactions ask for the same and name what is wrong by different codes. */
export interface UpdateCodes {
  readonly transaction: 'ITI-57' | 'ITI-92'
  /** A DocumentEntry or Folder that is no new version. */
  readonly initialVersion: ErrorCode
  /** No HasMember, or none that says which version it follows. */
  readonly annotation: ErrorCode
  readonly propagation: ErrorCode
  /** Codes of the rules of the metadata that say something else of an update. */
  readonly rules: Readonly<Record<string, ErrorCode>>
}

export const updateCodes: UpdateCodes = {
  transaction: 'ITI-57',
  initialVersion: 'XDSMetadataUpdateError',
  annotation: 'XDSMetadataUpdateError',
  propagation: 'XDSMetadataUpdateError',
  rules: {
    T1: 'XDSMetadataUpdateError',
    T3: 'XDSMetadataUpdateError',
    M15: 'XDSMetadataUpdateError',
    D1: 'XDSMetadataUpdateError',
  },
}

export const restrictedUpdateCodes: UpdateCodes = {
  transaction: 'ITI-92',
  initialVersion: 'XDSInvalidRequestException',
  annotation: 'XDSMetadataAnnotationError',
  propagation: 'XDSMetadataAnnotationError',
  rules: {
    T1: 'XDSMetadataUpdateError',
    T3: 'XDSMetadataAnnotationError',
    M15: 'XDSMetadataUpdateError',
    D1: 'XDSObjectTypeError',
  },
}

/** Slots of each kind of annotation; the others do not belong on it. */
const ofVersions: readonly AnnotationSlot[] = ['PreviousVersion', 'AssociationPropagation']
const ofStatuses: readonly AnnotationSlot[] = ['OriginalStatus', 'NewStatus']

/** What could be understood of the request, and everything that could not. */
export interface ReadUpdate {
  readonly update: MetadataUpdate | undefined
  readonly issues: readonly Issue[]
}

export function readUpdate(submission: Submission, reading: ReadSubmission, codes: UpdateCodes): ReadUpdate {
  return new UpdateReader(submission, reading, codes).read()
}

class UpdateReader {
  readonly #submission: Submission
  readonly #annotations: ReadonlyMap<EntryUuid, Annotations>
  readonly #codes: UpdateCodes
  readonly #issues: Issue[] = []

  constructor(submission: Submission, { annotations }: ReadSubmission, codes: UpdateCodes) {
    this.#submission = submission
    this.#annotations = annotations
    this.#codes = codes
  }

  read(): ReadUpdate {
    const { submissionSet, entries, folders, associations } = this.#submission
    const versions = [...entries, ...folders].flatMap((object) => this.#version(object) ?? [])
    const statuses = associations.flatMap((association) =>
      association.type === 'UpdateAvailabilityStatus' ? (this.#status(association) ?? []) : [],
    )
    for (const association of associations) this.#checkAssociation(association)
    this.#checkManual(versions)
    const patient = submissionSet.patientId && patientKeyOf(submissionSet.patientId)
    // What asks for an operation is not part of what is registered
    const registered = associations.filter(
      ({ type }) => type !== 'UpdateAvailabilityStatus' && type !== 'SubmitAssociation',
    )
    const update = patient && { patient, submissionSet, versions, statuses, associations: registered }
    return {
      update: update && (this.#codes.transaction === 'ITI-92' ? { ...update, restricted: true } : update),
      issues: this.#issues,
    }
  }

  #report(rule: string, code: ErrorCode, location: string, detail: string): void {
    this.#issues.push({ code, rule, location, detail })
  }

  /** Update DocumentEntry Metadata, Update Folder Metadata (3.57.4.1.3.3.1, .3). */
  #version(object: DocumentEntry | Folder): MetadataUpdate['versions'][number] | undefined {
    const { transaction, initialVersion, annotation, propagation: propagationCode } = this.#codes
    const { entryUuid, logicalId, kind } = object
    if (logicalId === entryUuid)
      this.#report(
        'MU2',
        initialVersion,
        `${entryUuid}/lid`,
        `The ${kind} is no new version: send the logicalID of the registered object as lid, and another id.`,
      )
    if (kind === 'Folder' && transaction === 'ITI-92')
      this.#report('MU3', 'XDSObjectTypeError', entryUuid, 'Folders are not updated by ITI-92: send DocumentEntries.')
    // That there is none at all is a rule of every submission (T3)
    const member = this.#submission.associations.find(
      ({ type, source, target }) =>
        type === 'HasMember' && source === this.#submission.submissionSet.entryUuid && target === entryUuid,
    )
    if (member === undefined) return undefined
    const { PreviousVersion: previous, AssociationPropagation: propagation } = this.#annotationsOf(member)
    if (previous === undefined || !/^[1-9][0-9]{0,8}$/.test(previous)) {
      const detail = 'Slot PreviousVersion is missing or no number from 1: send the version the request was made from.'
      this.#report('MU5', annotation, `${member.entryUuid}/PreviousVersion`, detail)
      return undefined
    }
    const place = `${member.entryUuid}/AssociationPropagation`
    if (propagation !== undefined && propagation !== 'yes' && propagation !== 'no')
      this.#report('MU6', 'XDSMetadataUpdateError', place, 'AssociationPropagation is yes or no: send one of these.')
    else if (propagation === 'no' && transaction === 'ITI-92')
      this.#report(
        'MU6',
        propagationCode,
        place,
        'ITI-92 keeps associations: send AssociationPropagation yes, or none.',
      )
    const previousVersion = Number(previous)
    return {
      object: { ...object, version: previousVersion + 1, availabilityStatus: 'Approved' },
      previousVersion,
      propagate: propagation !== 'no',
    }
  }

  /** Update AvailabilityStatus (3.57.4.1.3.2): what cannot be decoded has a code of its own (ITI TF-3 table 4.2.4.1-2). */
  #status(association: Association): MetadataUpdate['statuses'][number] | undefined {
    const { entryUuid, target } = association
    if (this.#codes.transaction === 'ITI-92') return undefined
    const sent = this.#annotationsOf(association)
    const read = (slot: AnnotationSlot): AvailabilityStatus | undefined => {
      const status = statusOf.get(sent[slot] ?? '')
      const detail = `Slot ${slot} is missing or no status that is known here: send it as a full URN.`
      if (status === undefined) this.#report('MU7', 'XDSMetadataUpdateOperationError', `${entryUuid}/${slot}`, detail)
      return status
    }
    const [from, to] = [read('OriginalStatus'), read('NewStatus')]
    if (from === undefined || to === undefined) return undefined
    if (from === to) {
      const detail = 'NewStatus is OriginalStatus: send the status that the object is to have.'
      this.#report('MU7', 'XDSMetadataUpdateOperationError', `${entryUuid}/NewStatus`, detail)
    }
    return { target, from, to }
  }

  #checkAssociation(association: Association): void {
    const { type, source, target } = association
    const { submissionSet, entries, folders } = this.#submission
    this.#checkPermitted(association)
    if (type === 'UpdateAvailabilityStatus') this.#checkSlots(association, ofStatuses)
    else if (type === 'HasMember' && source === submissionSet.entryUuid) {
      const isNew = [...entries, ...folders].some(({ entryUuid }) => entryUuid === target)
      this.#checkSlots(association, isNew ? ofVersions : [])
    } else {
      this.#checkSlots(association, [])
      if (type !== 'SubmitAssociation') this.#checkSubmitted(association)
    }
  }

  #checkPermitted({ entryUuid, type }: Association): void {
    if (this.#codes.transaction === 'ITI-57') return
    const report = (code: ErrorCode, what: string) =>
      this.#report('MU9', code, entryUuid, `ITI-92 ${what}: send ${type} by ITI-57.`)
    if (type === 'UpdateAvailabilityStatus') report('UnmodifiableMetadataError', 'changes no status')
    if (type === 'SubmitAssociation') report('XDSMetadataUpdateError', 'adds no association')
  }

  /** An association is not new by being there: a SubmitAssociation says so (3.57.4.1.3.3.6). */
  #checkSubmitted({ entryUuid, type }: Association): void {
    const { submissionSet, associations } = this.#submission
    const submitted = associations.filter(
      (each) =>
        each.type === 'SubmitAssociation' && each.source === submissionSet.entryUuid && each.target === entryUuid,
    )
    if (submitted.length === 1) return
    const detail = `${type} is not submitted: send one SubmitAssociation from the SubmissionSet to it.`
    this.#report('MU8', 'XDSMetadataUpdateError', entryUuid, detail)
  }

  #checkSlots(association: Association, allowed: readonly AnnotationSlot[]): void {
    const sent = this.#annotationsOf(association)
    for (const slot of annotationSlots) {
      if (sent[slot] === undefined || allowed.includes(slot)) continue
      const detail = `${slot} says nothing of this association: leave the Slot out.`
      this.#report('MU7', 'XDSMetadataUpdateOperationError', `${association.entryUuid}/${slot}`, detail)
    }
  }

  /** A version either takes the associations of the one before, or is given its own (3.57.4.1.3.1.3.4). */
  #checkManual(versions: MetadataUpdate['versions']): void {
    const propagating = new Set(
      versions.flatMap(({ object, propagate }) => (propagate ? [object.entryUuid, object.logicalId] : [])),
    )
    for (const { entryUuid, type, source, target } of this.#submission.associations) {
      if (type === 'UpdateAvailabilityStatus' || type === 'SubmitAssociation') continue
      if (source === this.#submission.submissionSet.entryUuid || !(propagating.has(source) || propagating.has(target)))
        continue
      const detail = 'The object takes over its associations too: send AssociationPropagation no, or no association.'
      this.#report('MU10', 'XDSMetadataUpdateOperationError', entryUuid, detail)
    }
  }

  #annotationsOf({ entryUuid }: Association): Annotations {
    return this.#annotations.get(entryUuid) ?? {}
  }
}
