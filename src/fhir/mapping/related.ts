/**
 * referenceIdList ↔ context.related and context.encounter (MHD 3:4.5.1.1). CX.5 is Identifier.type with system
 * urn:ietf:rfc:3986; encounters go to context.encounter when all of them stand before the others, so that the order of
 * the list is kept. A FHIR identifier without a type gets one, as CXi requires: studyInstanceUID for a DICOM UID,
 * uniqueId for a URI, the type of v2-0203 (ACSN, PLAC, FILL, VN), else a URN of ours that is taken off on the way back.
 */
import type { DocumentReferenceContext, Identifier, Reference } from '@medplum/fhirtypes'
import type { Cx } from '../../metadata/hl7.ts'
import { isOid } from '../../metadata/identifiers.ts'
import { type Form, readExact, writeExact } from './hl7v2.ts'
import { cxForm } from './identifier.ts'
import { defined, type Reading, some } from './reading.ts'
import { referenceTypes, systems } from './terms.ts'

const URN_OID = 'urn:oid:'
const v2Types: Readonly<Record<string, string>> = {
  ACSN: referenceTypes.accession,
  PLAC: referenceTypes.order,
  FILL: referenceTypes.order,
  VN: referenceTypes.encounter,
}

const relatedForm: Form<Cx, Identifier> = {
  ...cxForm,
  write: (cx) => {
    const { id, assigningAuthority, typeCode } = cx
    if (typeCode === referenceTypes.none) return cxForm.write({ ...cx, typeCode: '' })
    const identifier = cxForm.write(cx)
    const isDicom = typeCode === referenceTypes.study && assigningAuthority === undefined && isOid(id)
    return isDicom ? { ...identifier, system: systems.dicomUid, value: URN_OID + id } : identifier
  },
  read: (identifier) => {
    const { system, value } = identifier
    if (system === systems.dicomUid && value !== undefined)
      return { id: value.replace(URN_OID, ''), typeCode: referenceTypes.study }
    const cx = cxForm.read(identifier)
    const said = cx?.typeCode ?? ''
    return cx && { ...cx, typeCode: said.startsWith('urn:') ? said : (v2Types[said] ?? untyped(system)) }
  },
}

function untyped(system: string | undefined): string {
  return system === systems.uri ? referenceTypes.uniqueId : referenceTypes.none
}

/** In context.encounter the type goes without saying. */
const encounterForm: Form<Cx, Identifier> = {
  ...cxForm,
  write: (cx) => cxForm.write({ ...cx, typeCode: '' }),
  read: (identifier) => {
    const cx = cxForm.read(identifier)
    return cx && { ...cx, typeCode: referenceTypes.encounter }
  },
}

/** One reference id as context.related shows it: what a search by `related` compares with. */
export function writeReferenceId(cx: Cx): Identifier {
  return writeExact(relatedForm, cx)
}

type Written = Pick<DocumentReferenceContext, 'encounter' | 'related'>

export function writeReferenceIds(ids: readonly Cx[]): Written {
  const first = ids.findIndex(({ typeCode }) => typeCode !== referenceTypes.encounter)
  const count = first < 0 ? ids.length : first
  const scattered = ids.slice(count).some(({ typeCode }) => typeCode === referenceTypes.encounter)
  const split = scattered ? 0 : count
  return defined<Written>({
    encounter: some(
      ids.slice(0, split).map((cx) => ({ type: 'Encounter' as const, identifier: writeExact(encounterForm, cx) })),
    ),
    related: some(ids.slice(split).map((cx) => ({ identifier: writeReferenceId(cx) }))),
  })
}

/** The identifiers of what is referred to; a reference without one cannot be kept and is reported. */
export function readReferenceIds(context: DocumentReferenceContext, location: string, reading: Reading): readonly Cx[] {
  const read = (references: readonly Reference[] | undefined, name: string, form: Form<Cx, Identifier>) =>
    (references ?? []).flatMap((reference, index) => {
      const at = `${location}.${name}[${index}]`
      const identifier = reference.identifier ?? identifierBehind(reference, at, reading)
      const cx = identifier && readExact(form, identifier, `${at}.identifier`, reading.problems)
      if (cx === undefined)
        reading.problems.lost(at, 'Only identifiers are kept: send the identifier of what is referred to.')
      return cx ?? []
    })
  return [...read(context.encounter, 'encounter', encounterForm), ...read(context.related, 'related', relatedForm)]
}

/** The first business identifier of a contained or resolvable resource (ITI-105 2:3.105.4.1.3.1). */
function identifierBehind(reference: Reference, location: string, reading: Reading): Identifier | undefined {
  const resource = reading.follow(reference, location)?.resource
  if (resource === undefined || !('identifier' in resource)) return undefined
  const { identifier } = resource
  return Array.isArray(identifier) ? identifier.find(({ value }) => value !== undefined) : identifier
}
