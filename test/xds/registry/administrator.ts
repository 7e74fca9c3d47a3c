/** A patient of a registry, with what a source registers and a Document Administrator updates. */
import assert from 'node:assert/strict'
import type { EntryUuid } from '../../../src/metadata/identifiers.ts'
import type { Association, DocumentEntry, Folder, Submission } from '../../../src/metadata/model.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aSubmission,
  aSubmissionSet,
} from '../../mothers/metadata.ts'
import { list, type Outcome, type Registry, updateRequest, versionOf } from './registry.ts'

export interface UpdateOptions {
  readonly previous?: number | string
  /** Slots of the HasMember beside PreviousVersion. */
  readonly slots?: Readonly<Record<string, string>>
  /** Further associations of the request, in XML. */
  readonly more?: (submissionSet: EntryUuid) => readonly string[]
}

export class Administrator {
  readonly registry: Registry
  readonly patientId: DocumentEntry['patientId']
  readonly #transaction: 'ITI-57' | 'ITI-92'

  constructor(registry: Registry, patientId: DocumentEntry['patientId'], transaction: 'ITI-57' | 'ITI-92' = 'ITI-57') {
    this.registry = registry
    this.patientId = patientId
    this.#transaction = transaction
  }

  /** A submission of this patient, without documents unless they are given. */
  submission(changes: Partial<Submission> = {}, more?: Parameters<typeof aSubmission>[1]): Submission {
    const { patientId } = this
    return aSubmission({ submissionSet: aSubmissionSet({ patientId }), entries: [], ...changes }, more)
  }

  async registered(changes: Partial<DocumentEntry> = {}): Promise<DocumentEntry> {
    const document = aDocumentEntry({ patientId: this.patientId, ...changes })
    await this.#register(this.submission({ entries: [document] }))
    return document
  }

  async registeredFolder(documents: readonly DocumentEntry[] = []): Promise<Folder> {
    const folder = aFolder({ patientId: this.patientId })
    const submissionSet = aSubmissionSet({ patientId: this.patientId })
    const filings = documents.map(({ entryUuid }) => aMembership(folder.entryUuid, entryUuid))
    const members = [folder, ...filings].map(({ entryUuid }) => aMembership(submissionSet.entryUuid, entryUuid))
    await this.#register({ submissionSet, entries: [], folders: [folder], associations: [...filings, ...members] })
    return folder
  }

  /** Registers a document that follows another. */
  async related(type: Association['type'], target: DocumentEntry): Promise<DocumentEntry> {
    const entry = aDocumentEntry({ patientId: this.patientId })
    const link = anAssociation({ type, source: entry.entryUuid, target: target.entryUuid })
    await this.#register(this.submission({ entries: [entry] }, () => [link]))
    return entry
  }

  async #register(submission: Submission): Promise<void> {
    assert.deepEqual((await this.registry.register(submission)).errors, [])
  }

  /** Sends a new version with its HasMember. */
  update(version: DocumentEntry | Folder, options: UpdateOptions = {}): Promise<Outcome> {
    const { previous = 1, slots = {}, more = () => [] } = options
    const objects = version.kind === 'Folder' ? { folders: [version] } : { entries: [version] }
    const submissionSet = aSubmissionSet({ patientId: version.patientId })
    const submission = this.submission({ ...objects, submissionSet, associations: [] })
    const id = submissionSet.entryUuid
    return this.send(updateRequest(submission, versionOf(id, version, previous, slots), ...more(id)))
  }

  /** Sends associations alone. */
  ask(more: (submissionSet: EntryUuid) => readonly string[]): Promise<Outcome> {
    const submission = this.submission({ associations: [] })
    return this.send(updateRequest(submission, ...more(submission.submissionSet.entryUuid)))
  }

  send(request: string): Promise<Outcome> {
    return this.registry.update(request, this.#transaction)
  }

  /** Versions of a document, oldest first. */
  async versions({ uniqueId }: DocumentEntry, level: 1 | 2 = 2): Promise<readonly DocumentEntry[]> {
    const asked = { XDSDocumentEntryUniqueId: list(uniqueId), MetadataLevel: level }
    const { entries } = await this.registry.query('GetDocuments', asked)
    return entries.toSorted((a, b) => a.version - b.version)
  }

  /** `1 Deprecated`, `2 Approved`, … */
  async statuses(document: DocumentEntry): Promise<readonly string[]> {
    return (await this.versions(document)).map(({ version, availabilityStatus }) => `${version} ${availabilityStatus}`)
  }

  async associations(of: string): Promise<readonly Association[]> {
    return (await this.registry.query('GetAssociations', { uuid: list(of), MetadataLevel: 2 })).associations
  }
}
