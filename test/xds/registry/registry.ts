/**
 * A gateway in conformance mode as a registry and a repository of XDS.b: what a source, an administrator and a consumer
 * send to it, and what it answers, as objects of the model.
 */
import { newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { Association, DocumentEntry, Folder, Submission } from '../../../src/metadata/model.ts'
import { associationUrns, statusUrns } from '../../../src/xds/ebrim/codes.ts'
import { type ReadObjects, readObjects } from '../../../src/xds/ebrim/reader.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { attribute, child, children } from '../../../src/xml/tree.ts'
import { escapeAttribute, escapeText } from '../../../src/xml/writer.ts'
import { documentBytes } from '../../mothers/metadata.ts'
import { openGateway, type TestGateway, type TestPatient } from '../../support/gateway.ts'
import { send } from '../../support/http.ts'
import { aPatient } from '../../support/people.ts'
import {
  anEnvelope,
  outcomeOf,
  postMtom,
  postSimple,
  provideAndRegister,
  type Reply,
  submitObjects,
} from '../support.ts'

const actions = {
  'ITI-18': ['registry', 'urn:ihe:iti:2007:RegistryStoredQuery'],
  'ITI-41': ['repository', 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b'],
  'ITI-42': ['registry', 'urn:ihe:iti:2007:RegisterDocumentSet-b'],
  'ITI-43': ['repository', 'urn:ihe:iti:2007:RetrieveDocumentSet'],
  'ITI-57': ['registry', 'urn:ihe:iti:2010:UpdateDocumentSet'],
  'ITI-62': ['registry', 'urn:ihe:iti:2010:DeleteDocumentSet'],
  'ITI-86': ['repository', 'urn:ihe:iti:2017:RemoveDocuments'],
  'ITI-92': ['registry', 'urn:ihe:iti:2018:RestrictedUpdateDocumentSet'],
} as const
export type XdsName = keyof typeof actions

export const queryIds = {
  FindDocuments: '14d4debf-8f97-4251-9a74-a90016b0af0d',
  FindDocumentsByReferenceId: '12941a89-e02e-4be5-967c-ce4bfc8fe492',
  FindSubmissionSets: 'f26abbcb-ac74-4422-8a30-edb644bbc1a9',
  FindFolders: '958f3006-baad-4929-a4de-ff1114824431',
  GetAll: '10b545ea-725c-446d-9b95-8aeb444eddf3',
  GetDocuments: '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  GetFolders: '5737b14c-8a1a-4539-b659-e03a34a5e1e4',
  GetAssociations: 'a7ae438b-4bc2-4642-93e9-be891f7bb155',
  GetDocumentsAndAssociations: 'bab9529a-4a10-40b3-a01f-f68a615d247a',
  GetSubmissionSets: '51224314-5390-4169-9b91-b1980040715a',
  GetSubmissionSetAndContents: 'e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
  GetFolderAndContents: 'b909a503-523d-4517-8acf-8e5834dfc4c7',
  GetFoldersForDocument: '10cae35a-c7f9-4cf5-b61e-fc3278ffb578',
  GetRelatedDocuments: 'd90e5407-b356-4d91-a89f-873917b4b0e6',
} as const
export type QueryName = keyof typeof queryIds

/** Status and the codes of the errors, in the order of the answer. */
export interface Outcome {
  readonly status: string
  readonly codes: readonly (string | undefined)[]
  /** `code rule location` of each error. */
  readonly errors: readonly string[]
}

export interface Answered extends ReadObjects {
  readonly outcome: Outcome
  /** ids of rim:ObjectRef. */
  readonly refs: readonly string[]
}

export const approved = `'${statusUrns.Approved}'`
export const deprecated = `'${statusUrns.Deprecated}'`

/** Values of a stored query: one in single quotes, several as a list. */
export const one = (value: string) => `'${value}'`
export const list = (...values: readonly string[]) => `(${values.map(one).join(',')})`

export class Registry {
  readonly gateway: TestGateway

  constructor(gateway: TestGateway) {
    this.gateway = gateway
  }

  close(): Promise<void> {
    return this.gateway.close()
  }

  /** A patient known to the registry, as the CX of the objects of this patient. */
  async patient(): Promise<DocumentEntry['patientId']> {
    const patient = aPatient()
    const identifier = `urn:oid:${patient.authority}|${patient.ins}`
    const { status } = await send(`${this.gateway.url}/fhir/Patient?identifier=${encodeURIComponent(identifier)}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({
        resourceType: 'Patient',
        identifier: [{ system: `urn:oid:${patient.authority}`, value: patient.ins }],
      }),
    })
    if (status !== 201) throw new Error(`the patient was not taken: ${status}`)
    return cxOf(patient)
  }

  endpoint(transaction: XdsName): string {
    return `${this.gateway.url}/xds/${actions[transaction][0]}`
  }

  /** An envelope without identity, as conformance mode takes it. */
  envelope(transaction: XdsName, body: string): string {
    return anEnvelope({ action: actions[transaction][1], security: '', body })
  }

  call(transaction: XdsName, body: string): Promise<Reply> {
    return postSimple(this.endpoint(transaction), this.envelope(transaction, body))
  }

  async register(submission: Submission | string): Promise<Outcome> {
    return outcome(await this.call('ITI-42', typeof submission === 'string' ? submission : submitObjects(submission)))
  }

  /** ITI-41 by MTOM; each entry with `documentBytes`. */
  async provide(submission: Submission, bytes: Buffer = documentBytes): Promise<Outcome> {
    const documents = submission.entries.map(({ entryUuid }) => ({ id: entryUuid }))
    const body = provideAndRegister(submitObjects(submission), documents)
    const envelope = this.envelope('ITI-41', body)
    return outcome(
      await postMtom(
        this.endpoint('ITI-41'),
        envelope,
        documents.map(() => bytes),
      ),
    )
  }

  async update(request: string, transaction: 'ITI-57' | 'ITI-92' = 'ITI-57'): Promise<Outcome> {
    return outcome(await this.call(transaction, request))
  }

  /** @param parameters of the stored query without `$`, each with its literals, or several for a repeated Slot */
  async query(
    name: QueryName,
    parameters: Readonly<Record<string, string | number | readonly string[]>>,
    returnType: 'LeafClass' | 'ObjectRef' = 'LeafClass',
  ): Promise<Answered> {
    const slots = Object.entries(parameters).flatMap(([parameter, given]) =>
      (typeof given === 'object' ? given : [String(given)]).map((value) => slot(`$${parameter}`, value)),
    )
    const request = `<q:AdhocQueryRequest xmlns:q="${ns.query}" xmlns:rim="${ns.rim}"><q:ResponseOption returnComposedObjects="true" returnType="${returnType}"/><rim:AdhocQuery id="urn:uuid:${queryIds[name]}">${slots.join('')}</rim:AdhocQuery></q:AdhocQueryRequest>`
    const reply = await this.call('ITI-18', request)
    const objects = child(reply.body, ns.rim, 'RegistryObjectList')
    if (objects === undefined) throw new Error(`no RegistryObjectList in ${reply.text}`)
    const refs = children(objects, ns.rim, 'ObjectRef').map((ref) => attribute(ref, 'id') ?? '')
    const read = readObjects(objects, 'stored')
    if (read.issues.length > 0) throw new Error(`the answer breaks a rule: ${JSON.stringify(read.issues[0])}`)
    return { ...read, outcome: outcome(reply), refs }
  }

  async remove(...ids: readonly string[]): Promise<Outcome> {
    const refs = ids.map((id) => `<rim:ObjectRef id="${escapeAttribute(id)}"/>`).join('')
    const request = `<lcm:RemoveObjectsRequest xmlns:lcm="${ns.lcm}" xmlns:rim="${ns.rim}"><rim:ObjectRefList>${refs}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`
    return outcome(await this.call('ITI-62', request))
  }

  async removeDocuments(...documents: readonly Referred[]): Promise<Outcome> {
    const request = `<rmd:RemoveDocumentsRequest xmlns:rmd="${ns.rmd}" xmlns:xds="${ns.xdsb}">${requests(documents)}</rmd:RemoveDocumentsRequest>`
    return outcome(await this.call('ITI-86', request))
  }

  retrieve(...documents: readonly Referred[]): Promise<Reply> {
    const request = `<xds:RetrieveDocumentSetRequest xmlns:xds="${ns.xdsb}">${requests(documents)}</xds:RetrieveDocumentSetRequest>`
    return postMtom(this.endpoint('ITI-43'), this.envelope('ITI-43', request))
  }
}

export interface Referred {
  readonly repositoryUniqueId: string
  readonly uniqueId: string
}

/** What config/conformance.yaml sets. */
const conformance = {
  'metadata.profile': 'ihe',
  'metadata.checkCda': 'off',
  'identity.anonymous': 'loopback',
}

/** @param overrides configuration by dotted key */
export async function openRegistry(overrides: Readonly<Record<string, unknown>> = {}): Promise<Registry> {
  return new Registry(await openGateway({ ...conformance, ...overrides }))
}

export function outcome(reply: Reply): Outcome {
  const { status, errors } = outcomeOf(reply)
  return {
    status,
    codes: errors.map(({ errorCode }) => errorCode),
    errors: errors.map(({ errorCode, codeContext, location }) =>
      [errorCode, /^([A-Z]+\d*[a-c]?): /.exec(codeContext ?? '')?.[1], location].filter(Boolean).join(' '),
    ),
  }
}

function cxOf({ ins, authority }: TestPatient): DocumentEntry['patientId'] {
  return { id: ins, assigningAuthority: { universalId: authority, universalIdType: 'ISO' } }
}

function requests(documents: readonly Referred[]): string {
  return documents
    .map(
      ({ repositoryUniqueId, uniqueId }) =>
        `<xds:DocumentRequest><xds:RepositoryUniqueId>${repositoryUniqueId}</xds:RepositoryUniqueId><xds:DocumentUniqueId>${uniqueId}</xds:DocumentUniqueId></xds:DocumentRequest>`,
    )
    .join('')
}

function slot(name: string, value: string): string {
  return `<rim:Slot name="${escapeAttribute(name)}"><rim:ValueList><rim:Value>${escapeText(value)}</rim:Value></rim:ValueList></rim:Slot>`
}

// --- Metadata updates -----------------------------------------------------------------------------------------------

/** An association with the slots that say what an update does. */
export type Annotated = Association & { readonly slots?: Readonly<Record<string, string>> }

export function statusChange(
  submissionSet: string,
  target: string,
  from: keyof typeof statusUrns,
  to: keyof typeof statusUrns,
): string {
  return association('UpdateAvailabilityStatus', submissionSet, target, {
    OriginalStatus: statusUrns[from],
    NewStatus: statusUrns[to],
  })
}

/** rim:Association as an administrator sends it. */
export function association(
  type: Association['type'],
  source: string,
  target: string,
  slots: Readonly<Record<string, string>> = {},
  id: string = newEntryUuid(),
): string {
  const written = Object.entries(slots).map(([name, value]) => slot(name, value))
  return `<rim:Association id="${id}" associationType="${associationUrns[type]}" sourceObject="${source}" targetObject="${target}">${written.join('')}</rim:Association>`
}

/** The HasMember that submits a new version. */
export function versionOf(
  submissionSet: string,
  object: DocumentEntry | Folder,
  previousVersion: number | string = 1,
  slots: Readonly<Record<string, string>> = {},
): string {
  const original = object.kind === 'DocumentEntry' ? { SubmissionSetStatus: 'Original' } : {}
  return association('HasMember', submissionSet, object.entryUuid, {
    ...original,
    PreviousVersion: String(previousVersion),
    ...slots,
  })
}

/** lcm:SubmitObjectsRequest of a submission and of associations in XML. */
export function updateRequest(submission: Submission, ...associations: readonly string[]): string {
  return submitObjects(submission).replace(
    '</rim:RegistryObjectList>',
    () => `${associations.join('')}</rim:RegistryObjectList>`,
  )
}

/** A new version of a stored object: what an administrator read, with changes, under a new id. */
export function nextVersion<T extends DocumentEntry | Folder>(object: T, changes: Partial<T> = {}): T {
  return { ...object, ...changes, entryUuid: newEntryUuid() }
}
