/**
 * HL7 identifiers ↔ FHIR Identifier (ITI TF-2 appendix E.3): CX, the identifier parts of XCN and XON, and uniqueIds.
 * An OID authority is `urn:oid:…`; a FHIR system that is another URI becomes an authority of type URI, and where XDS
 * takes none but OIDs (persons, structures, source patients) the OID made of the URI (`withOid`). CX.5, XCN.13 and
 * XON.7 are Identifier.type, except the one that goes without saying: NH of an INS, IDNPS of a PS_IdNat, IDNST of a
 * Struct_IdNat, SIREN of a SIREN, which is added again on the way back.
 */
import { createHash } from 'node:crypto'
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

/** Name space for URLs (RFC 9562 appendix A). */
const urlSpace = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')

/** The OID of a URI: 2.25 and its UUID version 5 (RFC 9562 5.5, ITU-T X.667), the same each time and for everybody. */
export function oidOfUri(uri: string): string {
  const uuid = createHash('sha1').update(urlSpace).update(uri).digest().subarray(0, 16)
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x50
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  return `2.25.${BigInt(`0x${uuid.toString('hex')}`)}`
}

/** The same identifier under an OID: XDS takes no authority that is a URI (C10: CX.4 is `&OID&ISO`). */
export function withOid<T extends { readonly assigningAuthority?: Hd }>(id: T): T {
  const { universalId, universalIdType, namespaceId } = id.assigningAuthority ?? {}
  if (universalId === undefined || universalIdType !== 'URI' || namespaceId !== undefined) return id
  return { ...id, assigningAuthority: { universalId: oidOfUri(plain(universalId)), universalIdType: 'ISO' } }
}

/** Registers whose numbers are part of a national identifier: PS_IdNat is 8 and the RPPS, Struct_IdNat 1 and the FINESS. */
const registers = [
  { system: 'https://rpps.esante.gouv.fr', number: /^\d{11}$/, prefix: '8', oid: oids.professional },
  { system: 'https://finess.esante.gouv.fr', number: /^[0-9A-Z]{9}$/, prefix: '1', oid: oids.structure },
] as const

/** The national form of a RPPS or FINESS number; any other identifier as it is. */
export function nationalForm(identifier: Identifier): Identifier {
  const { system, value = '' } = identifier
  const register = registers.find((each) => each.system === system && each.number.test(value))
  return register ? { system: URN_OID + register.oid, value: register.prefix + value } : identifier
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
