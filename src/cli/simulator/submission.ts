/** TD2.1 and TD2.1b: ITI-41 as DMP-SERVICES §3 states it. */
import { parseXml } from '../../xml/reader.ts'
import type { XmlElement } from '../../xml/tree.ts'
import { all, type Check, first, ns, of, slot } from './check.ts'
import { checkBytes, checkEntry, checkSignatureEntry, checkSubmissionSet, type Submitted, typeOf } from './entry.ts'
import { checkLotSignature } from './lot-signature.ts'
import type { Vihf } from './vihf.ts'

const hasMember = 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember'
const signs = 'urn:ihe:iti:2007:AssociationType:signs'
const replaces = 'urn:ihe:iti:2007:AssociationType:RPLC'
const entryUuid = /^urn:uuid:[0-9a-f-]{36}$/
const signatureType = 'E1762 ASTM'

/** A document of the message with the object that describes it. */
interface Document extends Submitted {
  readonly element: XmlElement
  readonly bytes: Buffer | undefined
}

/**
 * @param bytesOf the bytes that a Document element includes
 * @returns `OID|INS` of every object
 */
export function checkProvide(
  body: XmlElement,
  bytesOf: (document: XmlElement) => Buffer | undefined,
  vihf: Vihf,
  check: Check,
): readonly (string | undefined)[] {
  const [submit, ...documents] = body.children
  const objects = first(submit, ns.rim, 'RegistryObjectList')?.children ?? []
  check.that(
    submit?.ns === ns.lcm && submit.local === 'SubmitObjectsRequest' && documents.every(isDocument),
    '§3.1',
    'SubmitObjectsRequest, puis les Document',
  )
  checkOrder(objects, check)
  const sets = objects.filter(({ local }) => local === 'RegistryPackage')
  const setElement = check.one(sets, '§3.1 RegistryPackage', 'RegistryPackage', { code: 'XDSRegistryMetadataError' })
  if (setElement === undefined) return []
  const set = checkSubmissionSet(setElement, check)
  const given = new Map(documents.map((each) => [of(each, 'id'), bytesOf(each)]))
  const entries = objects.filter(({ local }) => local === 'ExtrinsicObject')
  check.that(given.size === documents.length, '§3.1 Document', 'deux Document de même id')
  for (const id of given.keys())
    check.that(
      entries.some((each) => of(each, 'id') === id),
      '§3.1 Document',
      'un ExtrinsicObject par Document, casse comprise',
      { location: id, code: 'XDSMissingDocumentMetadata' },
    )
  const described = entries.map((element): Document => {
    const submitted = checkEntry(element, '§3.2', check)
    checkNew(element, check)
    const bytes = given.get(submitted.id)
    checkBytes(element, bytes, check)
    return { ...submitted, element, bytes }
  })
  const isSignature = ({ element }: Document) => typeOf(element) === signatureType
  const more = { code: 'XDSRegistryMetadataError' }
  const signature = check.one(described.filter(isSignature), '§3.3', 'entrée de la signature du lot', more)
  const contents = described.filter((each) => !isSignature(each))
  check.that(contents.length > 0, '§3.1', 'au moins un document', more)
  if (signature) {
    checkSignatureEntry(signature.element, setElement, check)
    check.that(described.at(-1) === signature, '§3.1', 'la signature après les documents', more)
    const signed = contents.flatMap(({ uniqueId, bytes, element }) =>
      bytes ? [{ uniqueId, bytes, xml: of(element, 'mimeType') !== 'application/dicom' }] : [],
    )
    if (signature.bytes)
      checkLotSignature(signature.bytes, { uniqueId: set.uniqueId, documents: signed }, vihf.certificate, check)
  }
  for (const each of contents) checkCda(each, check)
  checkAssociations(objects, set, described, signature, check)
  // DMP-FACTS §2.2: indirect mode
  check.that(
    [set, ...contents].every(({ structures }) => structures.includes(vihf.structure)),
    '§5.2 authorInstitution',
    'Aucun AuthorInstitution ne correspond à l’utilisateur du VIHF',
    more,
  )
  return [set, ...described].map(({ patient }) => patient)
}

const isDocument = ({ ns: uri, local }: XmlElement) => uri === ns.xdsb && local === 'Document'

/** §3.1: the lot, the documents, the signature, the associations; ids unique. */
function checkOrder(objects: readonly XmlElement[], check: Check): void {
  const order = ['RegistryPackage', 'ExtrinsicObject', 'Association']
  const ranks = objects.map(({ ns: uri, local }) => (uri === ns.rim ? order.indexOf(local) : -1))
  check.that(
    ranks.every((rank, index) => rank >= (ranks[index - 1] ?? 0)),
    '§3.1',
    `ordre attendu : ${order.join(', ')}`,
    { code: 'XDSRegistryMetadataError' },
  )
  const ids = objects.flatMap((object) => [object, ...object.children]).flatMap((each) => of(each, 'id') || [])
  check.that(new Set(ids).size === ids.length, '§3.1 id', 'deux objets de même id', {
    code: 'XDSRegistryMetadataError',
  })
}

/** §3.1: what the registry gives is not in a submission. */
function checkNew(entry: XmlElement, check: Check): void {
  const more = { location: of(entry, 'id'), code: 'XDSRegistryMetadataError' }
  check.that(of(entry, 'lid') === '', '§3.1 lid', 'absent d’une soumission', more)
  check.that(
    ['', 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved'].includes(of(entry, 'status')),
    '§3.1 status',
    'absent',
    more,
  )
  check.that(first(entry, ns.rim, 'VersionInfo') === undefined, '§3.1 VersionInfo', 'absent d’une soumission', more)
}

function checkAssociations(
  objects: readonly XmlElement[],
  set: Submitted,
  described: readonly Document[],
  signature: Document | undefined,
  check: Check,
): void {
  const associations = objects.filter(({ local }) => local === 'Association')
  const more = { code: 'XDSRegistryMetadataError' }
  const ids = new Set(described.map(({ id }) => id))
  const members: string[] = []
  const old = new Set<string>()
  for (const each of associations) {
    const [type, source, target] = ['associationType', 'sourceObject', 'targetObject'].map((name) => of(each, name))
    const at = { ...more, location: of(each, 'id') }
    check.that(slot(each, 'SubmissionSetStatus')?.join() === 'Original', '§3.5 SubmissionSetStatus', 'Original', at)
    if (type === hasMember) {
      check.that(source === set.id && ids.has(target ?? ''), '§3.5 HasMember', 'du lot à une entrée du lot', at)
      members.push(target ?? '')
    } else if (type === signs)
      check.that(source === signature?.id && target === set.id, '§3.5 signs', 'de la signature au lot', at)
    else if (type === replaces) {
      check.that(ids.has(source ?? '') && source !== signature?.id, '§3.5 RPLC', 'd’un document du lot', at)
      check.that(entryUuid.test(target ?? ''), '§3.5 RPLC', 'vers l’entryUUID du document remplacé', at)
      check.that(!old.has(target ?? ''), '§3.5 RPLC', 'un document est remplacé deux fois', at)
      old.add(target ?? '')
    } else check.that(false, '§3.5', 'type d’association inconnu du DMP', at)
  }
  check.that(
    [...members].sort().join() === [...ids].sort().join(),
    '§3.5 HasMember',
    'un par entrée, signature comprise',
    more,
  )
  const signing = associations.filter((each) => of(each, 'associationType') === signs)
  check.that(signing.length === 1, '§3.5 signs', 'exactement une', more)
}

/** §5.2: what a CDA says of itself is what its metadata say. Other XML is not looked into. */
function checkCda({ id, uniqueId, patient, bytes }: Document, check: Check): void {
  if (bytes === undefined) return
  const more = { location: id, code: 'XDSRegistryMetadataError' }
  let root: XmlElement
  try {
    root = parseXml(bytes, {
      processingInstructions: 'ignore',
      limits: { maxText: bytes.length, maxBytes: bytes.length },
    })
  } catch {
    check.that(false, '§5', 'XML bien formé attendu', more)
    return
  }
  if (root.ns !== ns.hl7 || root.local !== 'ClinicalDocument') return
  const own = first(root, ns.hl7, 'id')
  check.that(
    of(own, 'root') === uniqueId && of(own, 'extension') === '',
    '§5.2 id',
    'égal au uniqueId, sans extension',
    more,
  )
  const named = all(root, ns.hl7, 'recordTarget', 'patientRole', 'id').map(
    (each) => `${of(each, 'root')}|${of(each, 'extension')}`,
  )
  check.that(patient !== undefined && named.includes(patient), '§5.2 recordTarget', 'l’INS de patientId', more)
}
