/**
 * The transaction Bundle of ITI-65, taken apart: what each entry is, where references lead, and the rules that concern
 * the Bundle itself (docs/conformance.md, RM and BR; the rules of single resources are in bundle-rules.ts).
 */
import type { Binary, Bundle, DocumentReference, List, Parameters, Resource } from '@medplum/fhirtypes'
import type { ErrorCode, Issue } from '../errors.ts'
import { listKind } from './mapping/index.ts'

/** How much metadata the Bundle's profile asks for. */
export type Level = 'minimal' | 'comprehensive' | 'uncontained'

export interface Entry<R extends Resource = Resource> {
  readonly index: number
  /** FHIRPath of the resource: `Bundle.entry[1].resource`. */
  readonly path: string
  readonly fullUrl: string
  readonly resource: R
  /** `request.url`. */
  readonly url: string
  readonly method: string
  readonly ifMatch?: string
}

export interface ProvidedBundle {
  readonly level: Level
  /** Entries of the request: as many are answered, in the same order. */
  readonly size: number
  readonly sets: readonly Entry<List>[]
  readonly folders: readonly Entry<List>[]
  /** PUT of a registered Folder: it takes in more documents. */
  readonly folderUpdates: readonly Entry<List>[]
  readonly documents: readonly Entry<DocumentReference>[]
  readonly binaries: readonly Entry<Binary>[]
  readonly patches: readonly Entry<Parameters>[]
  /** Patients, and what the UnContained option sends beside the documents: referred to, not stored. */
  readonly others: readonly Entry[]
  /** The entry that a reference inside the Bundle leads to. */
  follow(reference: string): Entry | undefined
}

export interface Reporter {
  readonly issues: Issue[]
  error(rule: string, location: string, detail: string, code?: ErrorCode): void
}

export function createReporter(): Reporter {
  const issues: Issue[] = []
  return {
    issues,
    error: (rule, location, detail, code = 'profile-violation') => issues.push({ code, rule, location, detail }),
  }
}

/** Bundle profiles: MHD 4.2 and PDSm 3.1.1, with or without a version behind `|`. */
const levels: readonly (readonly [RegExp, Level])[] = [
  [/^https?:\/\/profiles\.ihe\.net\/ITI\/MHD\/StructureDefinition\/IHE\.MHD\.Minimal\.ProvideBundle$/, 'minimal'],
  [
    /^https?:\/\/profiles\.ihe\.net\/ITI\/MHD\/StructureDefinition\/IHE\.MHD\.Comprehensive\.ProvideBundle$/,
    'comprehensive',
  ],
  [
    /^https?:\/\/profiles\.ihe\.net\/ITI\/MHD\/StructureDefinition\/IHE\.MHD\.UnContained\.Comprehensive\.ProvideBundle$/,
    'uncontained',
  ],
  [
    /^https:\/\/interop\.esante\.gouv\.fr\/ig\/fhir\/pdsm\/StructureDefinition\/pdsm-comprehensive-provide-document-bundle$/,
    'comprehensive',
  ],
]

export function openBundle(bundle: Bundle, report: Reporter): ProvidedBundle {
  if (bundle.type !== 'transaction')
    report.error('RM4_1_2', 'Bundle.type', 'Send a Bundle of type transaction.', 'malformed')
  const level = levelOf(bundle, report)
  const entries = entriesOf(bundle, report)
  const byReference = referencesOf(entries)
  const lists = entries.filter(isA('List'))
  const provided: ProvidedBundle = {
    level,
    size: bundle.entry?.length ?? 0,
    sets: lists.filter(({ resource }) => listKind(resource) === 'submissionset'),
    folders: lists.filter(({ resource, method }) => method !== 'PUT' && listKind(resource) === 'folder'),
    folderUpdates: lists.filter(({ resource, method }) => method === 'PUT' && listKind(resource) === 'folder'),
    documents: entries.filter(isA('DocumentReference')),
    binaries: entries.filter(isA('Binary')),
    patches: entries.filter(isA('Parameters')),
    others: entries.filter(({ resource }) => referredTo.has(resource.resourceType)),
    follow: (reference) => byReference.get(reference),
  }
  for (const { path, resource } of lists)
    if (listKind(resource) === undefined)
      report.error('RM4_2', `${path}.code`, 'Send the code submissionset or folder of MHDlistTypes.')
  if (provided.sets.length !== 1)
    report.error('RM4_2', 'Bundle.entry', `Send exactly one SubmissionSet List, not ${provided.sets.length}.`)
  if (provided.documents.length === 0) report.error('RM4_3', 'Bundle.entry', 'Send at least one DocumentReference.')
  return provided
}

function levelOf({ meta }: Bundle, report: Reporter): Level {
  const claimed = (meta?.profile ?? []).map((profile) => profile.split('|')[0] ?? '')
  for (const profile of claimed) for (const [pattern, level] of levels) if (pattern.test(profile)) return level
  report.error(
    'RM410_4',
    'Bundle.meta.profile',
    'Name the profile of the Bundle: IHE.MHD.Comprehensive.ProvideBundle, IHE.MHD.UnContained.Comprehensive.ProvideBundle, IHE.MHD.Minimal.ProvideBundle or pdsm-comprehensive-provide-document-bundle.',
  )
  return 'comprehensive'
}

const referredTo: ReadonlySet<string> = new Set([
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Device',
  'RelatedPerson',
])
const posted: ReadonlySet<string> = new Set(['List', 'DocumentReference', 'Binary', ...referredTo])

function entriesOf({ entry: entries = [] }: Bundle, report: Reporter): Entry[] {
  const urls = new Set<string>()
  return entries.flatMap(({ fullUrl, resource, request }, index): Entry[] => {
    const at = `Bundle.entry[${index}]`
    if (resource === undefined) {
      report.error('BR_3', `${at}.resource`, 'Send a resource in each entry.')
      return []
    }
    checkFullUrl(fullUrl, request?.method, at, report)
    if (fullUrl !== undefined && urls.has(fullUrl))
      report.error('BR_2', `${at}.fullUrl`, 'Send each entry with a fullUrl of its own.')
    if (fullUrl !== undefined) urls.add(fullUrl)
    if (request?.url === undefined) report.error('BR_4', `${at}.request`, 'Send request.method and request.url.')
    else checkRequest(resource, request.method, request.url, at, report)
    const { url = '', method = '', ifMatch } = request ?? {}
    const entry = { index, path: `${at}.resource`, fullUrl: fullUrl ?? '', resource, url, method }
    return [ifMatch === undefined ? entry : { ...entry, ifMatch }]
  })
}

function checkFullUrl(fullUrl: string | undefined, method: string | undefined, at: string, report: Reporter): void {
  if (fullUrl === undefined) {
    if (method === 'POST') report.error('BR_1', `${at}.fullUrl`, 'Send a fullUrl: urn:uuid: and a UUID.')
    return
  }
  const uuid = /^urn:uuid:(.*)$/.exec(fullUrl)?.[1]
  const sound =
    uuid === undefined
      ? /^(https?:\/\/|urn:oid:)\S+$/.test(fullUrl)
      : /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)
  if (!sound) report.error('BR_1', `${at}.fullUrl`, 'Send a fullUrl that is urn:uuid: and a UUID, or an absolute URL.')
}

function checkRequest(resource: Resource, method: string | undefined, url: string, at: string, report: Reporter): void {
  const where = `${at}.request`
  const { resourceType } = resource
  if (resourceType === 'Bundle')
    report.error('FHIRDocument', `${at}.resource`, 'Send the document as a Binary.', 'FHIRDocumentNotSupported')
  else if (method === 'POST' && posted.has(resourceType)) {
    if (url !== resourceType) report.error('BR_4', `${where}.url`, `Send request.url ${resourceType}.`)
  } else if (method === 'PUT' && resource.resourceType === 'List') {
    if (listKind(resource) === 'submissionset')
      report.error('RM4_2', where, 'A registered SubmissionSet does not change: send a new one by POST.')
    else if (!/(^|\/)List\/[A-Za-z0-9.-]{1,64}$/.test(url))
      report.error('BR_4', `${where}.url`, 'Send PUT List/ID: the id of the registered Folder.')
  } else if (method !== 'PATCH' || resourceType !== 'Parameters')
    report.error('BR_4', where, `${resourceType} is not taken by ${method} here.`)
}

function isA<T extends Resource['resourceType']>(type: T) {
  return (entry: Entry): entry is Entry<Extract<Resource, { resourceType: T }>> => entry.resource.resourceType === type
}

/**
 * What references inside the Bundle may say (FHIR R4 bundle.html#references): a fullUrl, `Binary/x` where a fullUrl ends
 * so, or the registered resource that an entry updates, named as it is stored.
 */
function referencesOf(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const references = new Map<string, Entry>()
  for (const entry of entries) if (entry.method === 'PUT') references.set(entry.url, entry)
  for (const entry of entries) {
    const relative = /^https?:.*\/([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})$/.exec(entry.fullUrl)?.[1]
    if (relative !== undefined) references.set(relative, entry)
  }
  for (const entry of entries) references.set(entry.fullUrl, entry)
  return references
}
