/**
 * HL7 identifiers ↔ FHIR Identifier (ITI TF-2 appendix E.3): CX, the identifier parts of XCN and XON, and uniqueIds.
 * An OID authority is `urn:oid:…`; a FHIR system that is another URI becomes an authority of type URI. CX.5, XCN.13 and
 * XON.7 are Identifier.type, except the one that goes without saying: NH of an INS, IDNPS of a PS_IdNat, IDNST of a
 * Struct_IdNat, SIREN of a SIREN, which is added again on the way back.
 */
import type { Identifier } from '@medplum/fhirtypes'
import { type Cx, formatCx, type Hd, parseCx } from '../../metadata/hl7.ts'
import { isOid, type UniqueId } from '../../metadata/identifiers.ts'
import { escaped, type Form, plain } from './hl7v2.ts'
import { isInsAuthority, oids, systems } from './terms.ts'

const URN_OID = 'urn:oid:'
/** The form of an OID, an extension after it or not. Published examples are longer than XDS allows: the rules say so. */
const DOTTED = /^[0-2](\.\d+)+(\^.*)?$/

/** The FHIR system of an authority; undefined where it has none that reads back as the same authority. */
export function systemOf(authority: Hd | undefined): string | undefined {
  const { namespaceId, universalId, universalIdType } = authority ?? {}
  if (universalId === undefined || namespaceId !== undefined) return undefined
  if (universalIdType === 'ISO' && isOid(universalId)) return URN_OID + universalId
  return universalIdType === 'URI' ? plain(universalId) : undefined
}

/** The authority of a FHIR system. */
export function authorityOf(system: string | undefined): Hd | undefined {
  if (system === undefined) return undefined
  const oid = system.startsWith(URN_OID) ? system.slice(URN_OID.length) : ''
  if (isOid(oid)) return { universalId: oid, universalIdType: 'ISO' }
  return { universalId: escaped(system), universalIdType: 'URI' }
}

function impliedType(authority: Hd | undefined): string | undefined {
  const oid = authority?.universalIdType === 'ISO' ? authority.universalId : undefined
  if (isInsAuthority(oid)) return 'NH'
  if (oid === oids.professional) return 'IDNPS'
  if (oid === oids.structure) return 'IDNST'
  return oid === oids.siren ? 'SIREN' : undefined
}

export function writeIdentifier({ id, assigningAuthority, typeCode }: Cx): Identifier {
  const text = plain(id)
  const system = assigningAuthority === undefined ? uriSystem(text) : systemOf(assigningAuthority)
  const value = system === systems.uri && isOid(text) ? URN_OID + text : text
  const type = typeCode !== undefined && typeCode !== impliedType(assigningAuthority) ? writeType(typeCode) : undefined
  return { ...(type && { type }), ...(system !== undefined && { system }), ...(value !== '' && { value }) }
}

function writeType(code: string): Identifier['type'] | undefined {
  if (code.startsWith('urn:')) return { coding: [{ system: systems.uri, code }] }
  return /^[A-Z]{1,5}$/.test(code) ? { coding: [{ system: systems.v2Table0203, code }] } : undefined
}

/** Undefined without a value. */
export function readIdentifier({ system, value, type }: Identifier): Cx | undefined {
  if (value === undefined) return undefined
  const authority = system === systems.uri ? undefined : authorityOf(system)
  const oid = system === systems.uri && value.startsWith(URN_OID) ? value.slice(URN_OID.length) : ''
  const said = type?.coding?.find((each) => each.code !== undefined && isTypeSystem(each.system))?.code
  const implied = impliedType(authority)
  // The French core names INS-NIR and INS-NIA what XDS calls NH.
  const typeCode = implied === 'NH' && said?.startsWith('INS-') ? implied : (said ?? implied)
  return {
    id: escaped(isOid(oid) ? oid : value),
    ...(authority && { assigningAuthority: authority }),
    ...(typeCode !== undefined && { typeCode }),
  }
}

/** v2-0203 itself, its French extension (`…/fr-core-cs-v2-0203`), and the URNs of referenceIdList. */
function isTypeSystem(system: string | undefined): boolean {
  return system === systems.uri || (system?.toLowerCase().endsWith('v2-0203') ?? false)
}

function uriSystem(text: string): string | undefined {
  return isOid(text) || /^urn:[a-z0-9][a-z0-9-]{0,31}:\S+$/i.test(text) ? systems.uri : undefined
}

export const cxForm: Form<Cx, Identifier> = {
  write: writeIdentifier,
  read: readIdentifier,
  format: formatCx,
  parse: parseCx,
}

/**
 * uniqueId and sourceId: `urn:oid:…` (an extension `^ext` kept after it) or `urn:uuid:…` under urn:ietf:rfc:3986; any
 * other form without a system.
 */
export const uniqueIdForm: Form<string, Identifier> = {
  write: (id) => {
    if (DOTTED.test(id)) return { use: 'usual', system: systems.uri, value: URN_OID + id }
    return { use: 'usual', ...(/^[a-z][a-z0-9+.-]*:\S+$/i.test(id) && { system: systems.uri }), value: id }
  },
  read: uniqueIdOf,
  format: (id) => id,
  parse: (text) => text,
}

/**
 * The uniqueId a FHIR identifier stands for: `urn:ietf:rfc:3986|urn:oid:X` is X, `urn:oid:X|ext` is `X^ext`. Undefined
 * without a value, or under a system that no uniqueId can come from. For searches by `identifier=` too.
 */
export function uniqueIdOf({ system, value }: Identifier): UniqueId | undefined {
  if (value === undefined) return undefined
  if (system === undefined || system === systems.uri) {
    const rest = value.startsWith(URN_OID) ? value.slice(URN_OID.length) : value
    return rest as UniqueId
  }
  const root = system.startsWith(URN_OID) ? system.slice(URN_OID.length) : ''
  return isOid(root) ? (`${root}^${value}` as UniqueId) : undefined
}
