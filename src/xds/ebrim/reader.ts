/**
 * A RegistryObjectList as a Submission: every violation at the level of ebRIM at once (rules C, D, A, T of
 * docs/conformance.md), symbolic ids resolved to new UUIDs. What the attributes mean to each other is for the rules of
 * the metadata, which see the same Submission from every door.
 */
import type { ErrorCode, Issue } from '../../errors.ts'
import { type EntryUuid, isEntryUuid, newEntryUuid } from '../../metadata/identifiers.ts'
import type { Association, DocumentEntry, Folder, Submission, SubmissionSet } from '../../metadata/model.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'
import { defined } from '../defined.ts'
import { ns } from '../namespaces.ts'
import {
  type AnnotationSlot,
  annotatedAssociationProfile,
  annotationSlots,
  associationProfile,
  associationTypeOf,
  documentEntryProfile,
  folderProfile,
  nodes,
  type ObjectProfile,
  stabilityOf,
  statusOf,
  submissionSetProfile,
} from './codes.ts'
import { type ObjectIdentity, toAssociation, toDocumentEntry, toFolder, toSubmissionSet } from './mapping.ts'
import { checkId, ObjectReader } from './object.ts'

/** What the associations of a metadata update say of their operation, as sent. */
export type Annotations = Readonly<Partial<Record<AnnotationSlot, string>>>

/** Registry objects as they were read; a SubmissionSet is not promised. */
export interface ReadObjects {
  readonly submissionSets: readonly SubmissionSet[]
  readonly entries: readonly DocumentEntry[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
  readonly issues: readonly Issue[]
  /** The id of each object as sent (`Document01`), and its entryUUID. */
  readonly ids: ReadonlyMap<string, EntryUuid>
  /** By entryUUID of the association; only in state `update`. */
  readonly annotations: ReadonlyMap<EntryUuid, Annotations>
  /** No object was so wrong that it had to be left out. */
  readonly whole: boolean
}

export interface ReadSubmission extends ReadObjects {
  /** Absent when there is not exactly one SubmissionSet or an object was left out. With issues it may lack attributes. */
  readonly submission?: Submission
}

/**
 * `new`: objects of a first submission (ITI-41, ITI-42): Approved, version 1, logicalID = entryUUID.
 * `update`: those of ITI-57 and ITI-92: lid names the logical object, the version is not told here.
 * `stored`: objects as a registry answers them: status, lid and VersionInfo are read.
 */
export type ReadState = 'new' | 'update' | 'stored'

/** lcm:SubmitObjectsRequest of ITI-41, ITI-42, ITI-57 and ITI-92. */
export function readSubmission(
  request: XmlElement | undefined,
  state: Exclude<ReadState, 'stored'> = 'new',
): ReadSubmission {
  const list = request && child(request, ns.rim, 'RegistryObjectList')
  if (request?.ns !== ns.lcm || request.local !== 'SubmitObjectsRequest' || list === undefined) {
    const detail = 'Send lcm:SubmitObjectsRequest with a rim:RegistryObjectList inside.'
    const issue: Issue = { code: 'XDSRegistryMetadataError', rule: 'R8', location: request?.local ?? 'Body', detail }
    return {
      submissionSets: [],
      entries: [],
      folders: [],
      associations: [],
      issues: [issue],
      ids: new Map(),
      annotations: new Map(),
      whole: false,
    }
  }
  const objects = readObjects(list, state)
  const [submissionSet, ...others] = objects.submissionSets
  if (submissionSet !== undefined && others.length === 0) {
    const { entries, folders, associations, whole } = objects
    return whole ? { ...objects, submission: { submissionSet, entries, folders, associations } } : objects
  }
  const detail = `There are ${objects.submissionSets.length} SubmissionSets: send exactly one.`
  const issue: Issue = { code: 'XDSRegistryMetadataError', rule: 'T1', location: 'RegistryObjectList', detail }
  return { ...objects, issues: [...objects.issues, issue] }
}

/** rim:RegistryObjectList of any message. */
export function readObjects(list: XmlElement, state: ReadState): ReadObjects {
  return new ListReader(list, state).read()
}

/** Objects that have metadata versions (3.57.4.1.3). */
const versioned: ReadonlySet<ObjectProfile> = new Set([documentEntryProfile, folderProfile])

class ListReader {
  readonly #state: ReadState
  readonly #list: XmlElement
  readonly #issues: Issue[] = []
  readonly #ids = new Map<string, EntryUuid>()
  readonly #annotations = new Map<EntryUuid, Annotations>()
  readonly #seen = new Set<string>()
  /** classificationNodes given beside the objects, by the id of the object. */
  readonly #nodes = new Map<string, Set<string>>()

  constructor(list: XmlElement, state: ReadState) {
    this.#list = list
    this.#state = state
  }

  read(): ReadObjects {
    const of = (local: string) => children(this.#list, ns.rim, local)
    const [documents, packages, links] = [of('ExtrinsicObject'), of('RegistryPackage'), of('Association')]
    this.#checkChildren()
    for (const element of [...documents, ...packages, ...links]) this.#identify(element)
    for (const classification of of('Classification')) this.#classifyBeside(classification)
    const entries = documents.map((element) => this.#documentEntry(element))
    const submissionSets: SubmissionSet[] = []
    const folders: Folder[] = []
    for (const element of packages) {
      const object = this.#package(element)
      if (object?.kind === 'SubmissionSet') submissionSets.push(object)
      else if (object) folders.push(object)
    }
    const associations = links.flatMap((element) => this.#association(element) ?? [])
    const whole = associations.length === links.length && submissionSets.length + folders.length === packages.length
    const [issues, ids, annotations] = [this.#issues, this.#ids, this.#annotations]
    return { submissionSets, entries, folders, associations, issues, ids, annotations, whole }
  }

  #report(rule: string, location: string, detail: string, code: ErrorCode = 'XDSRegistryMetadataError'): void {
    this.#issues.push({ code, rule, location, detail })
  }

  #checkChildren(): void {
    // ObjectRef names a classification scheme the registry already has (ebRIM 3.0 2.5.1): nothing to keep
    const allowed = new Set(['ExtrinsicObject', 'RegistryPackage', 'Association', 'Classification', 'ObjectRef'])
    for (const element of this.#list.children)
      if (element.ns !== ns.rim || !allowed.has(element.local))
        this.#report('R8', 'RegistryObjectList', `<${element.local}> is no object of XDS.`)
  }

  /** An id is the entryUUID itself, or a symbol that stands for a new one (ITI TF-3 4.2.1.4). */
  #identify(element: XmlElement): void {
    const id = attribute(element, 'id') ?? ''
    checkId(element, this.#seen, (rule, detail) => this.#report(rule, id || element.local, detail))
    if (!this.#ids.has(id)) this.#ids.set(id, isEntryUuid(id) ? id : newEntryUuid())
  }

  #classifyBeside(element: XmlElement): void {
    const owner = attribute(element, 'classifiedObject') ?? ''
    checkId(element, this.#seen, (rule, detail) => this.#report(rule, owner, detail))
    const node = attribute(element, 'classificationNode')
    if (node === undefined || !this.#ids.has(owner)) {
      const detail = 'A Classification beside the objects gives a classificationNode to one of them: move it inside.'
      this.#report('C6', owner, detail)
      return
    }
    const known = this.#nodes.get(owner)
    if (known) known.add(node)
    else this.#nodes.set(owner, new Set([node]))
  }

  #open(element: XmlElement, profile: ObjectProfile): ObjectReader {
    const id = attribute(element, 'id') ?? ''
    const outside = this.#nodes.get(id)
    for (const node of outside ?? [])
      if (!profile.nodes.has(node)) this.#report('C6', id, `classificationNode ${node} is not one of ${profile.kind}.`)
    return new ObjectReader(element, profile, { issues: this.#issues, ids: this.#seen, ...defined({ outside }) })
  }

  #identity(element: XmlElement, profile: ObjectProfile): ObjectIdentity {
    const id = attribute(element, 'id') ?? ''
    const entryUuid = this.#ids.get(id) ?? newEntryUuid()
    const lid = attribute(element, 'lid')
    const home = defined({ homeCommunityId: attribute(element, 'home') })
    const first = { entryUuid, logicalId: entryUuid, version: 1, availabilityStatus: 'Approved', ...home } as const
    if (this.#state === 'stored') return { ...first, ...this.#storedState(element, id, lid ?? '') }
    if (profile !== documentEntryProfile) this.#checkStatus(element, id, profile)
    if (lid === undefined || lid === id) return first
    if (this.#state === 'update' && !versioned.has(profile)) {
      const detail = `A ${profile.kind} has one version: leave lid out, or send the id there.`
      this.#report('MU1', `${id}/lid`, detail)
    } else if (this.#state === 'update') {
      if (isEntryUuid(lid)) return { ...first, logicalId: lid }
      const detail = 'lid is no lower-case urn:uuid: send the logicalID of the object that is registered.'
      this.#report('MU2', `${id}/lid`, detail, 'XDSMetadataUpdateError')
    } else this.#report('T12', `${id}/lid`, 'lid of a new object is absent or its id: a new version goes by ITI-57.')
    return first
  }

  /** The registry sets statuses; one that is sent may say nothing else (rows 11 and 47). Of a new version it is ignored. */
  #checkStatus(element: XmlElement, id: string, profile: ObjectProfile): void {
    const status = attribute(element, 'status')
    if (status === undefined || statusOf.get(status) === 'Approved') return
    if (this.#state === 'update' && versioned.has(profile)) return
    const rule = profile === submissionSetProfile ? 'M11' : 'M47'
    this.#report(rule, `${id}/status`, `A new ${profile.kind} is Approved: send no status.`)
  }

  #storedState(element: XmlElement, id: string, lid: string) {
    const info = child(element, ns.rim, 'VersionInfo')
    const version = (info && attribute(info, 'versionName')) ?? ''
    const availabilityStatus = statusOf.get(attribute(element, 'status') ?? '')
    if (!isEntryUuid(lid)) this.#report('C2', `${id}/lid`, 'lid is no lower-case urn:uuid.')
    if (!/^[1-9][0-9]{0,8}$/.test(version)) this.#report('C2', `${id}/VersionInfo`, 'versionName is no number from 1.')
    if (availabilityStatus === undefined) this.#report('C2', `${id}/status`, 'status is not a known one.')
    return { version: Number(version), ...(isEntryUuid(lid) && { logicalId: lid }), ...defined({ availabilityStatus }) }
  }

  #documentEntry(element: XmlElement): DocumentEntry {
    const object = this.#open(element, documentEntryProfile)
    const objectType = attribute(element, 'objectType') ?? ''
    const stability = stabilityOf.get(objectType)
    if (stability === undefined)
      object.report('D1', 'objectType', `objectType ${objectType} is neither a stable nor an on-demand DocumentEntry.`)
    const mimeType = attribute(element, 'mimeType')?.trim() ?? ''
    if (mimeType === '') object.report('D2', 'mimeType', 'mimeType is missing: send it.')
    return toDocumentEntry(object, this.#identity(element, documentEntryProfile), {
      stability: stability ?? 'stable',
      mimeType,
    })
  }

  #package(element: XmlElement): SubmissionSet | Folder | undefined {
    const given = new Set(this.#nodes.get(attribute(element, 'id') ?? ''))
    for (const inside of children(element, ns.rim, 'Classification')) {
      const node = attribute(inside, 'classificationNode')
      if (node !== undefined) given.add(node)
    }
    const isFolder = given.has(nodes.folder)
    if (given.has(nodes.submissionSet) === isFolder) {
      const detail = 'A RegistryPackage has the classificationNode of a SubmissionSet or that of a Folder, one of them.'
      this.#report('T2', attribute(element, 'id') ?? 'RegistryPackage', detail)
      return undefined
    }
    return isFolder
      ? toFolder(this.#open(element, folderProfile), this.#identity(element, folderProfile))
      : toSubmissionSet(this.#open(element, submissionSetProfile), this.#identity(element, submissionSetProfile))
  }

  #association(element: XmlElement): Association | undefined {
    const object = this.#open(element, this.#state === 'new' ? associationProfile : annotatedAssociationProfile)
    const urn = attribute(element, 'associationType') ?? ''
    // Written with 2007 in some editions of the Technical Framework
    const type = associationTypeOf.get(urn.replace(/2007(?=:AssociationType:IsSnapshotOf$)/, '2010'))
    if (type === undefined) object.report('A2', 'associationType', `associationType ${urn} is not one of XDS.`)
    const source = this.#end(object, element, 'sourceObject')
    const target = this.#end(object, element, 'targetObject')
    if (type === undefined || source === undefined || target === undefined) return undefined
    const association = toAssociation(object, this.#identity(element, associationProfile), { type, source, target })
    if (this.#state === 'update')
      this.#annotations.set(
        association.entryUuid,
        Object.fromEntries(
          annotationSlots.flatMap((slot) => {
            const value = object.value(slot)
            return value === undefined ? [] : [[slot, value]]
          }),
        ),
      )
    return association
  }

  #end(object: ObjectReader, element: XmlElement, name: 'sourceObject' | 'targetObject'): EntryUuid | undefined {
    const sent = attribute(element, name) ?? ''
    const resolved = this.#ids.get(sent)
    if (sent !== '' && resolved !== undefined) return resolved
    if (isEntryUuid(sent)) return sent
    if (sent === '') object.report('A1', name, `${name} is missing.`)
    else if (/^urn:uuid:/i.test(sent)) object.report('C1', name, `${name} is no urn:uuid: with a lower-case UUID.`)
    else object.report('T5', name, `${name} ${sent.slice(0, 80)} is not in the message: a symbolic id must be.`)
    return undefined
  }
}
