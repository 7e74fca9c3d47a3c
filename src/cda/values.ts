/** HL7 v3 data types of a CDA header (II, TS, CE, EN) as the values of document-sharing metadata. */
import { isoToDtm } from '../metadata/dtm.ts'
import type { Hd, Xcn, Xon } from '../metadata/hl7.ts'
import { type Dtm, isOid, type UniqueId } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { displayOf } from '../nomenclature/index.ts'
import { attribute, child, children, type XmlElement } from '../xml/tree.ts'

export const hl7v3 = 'urn:hl7-org:v3'

/** PS_IdNat and Struct_IdNat. */
export const professionals = '1.2.250.1.71.4.2.1'
export const structures = '1.2.250.1.71.4.2.2'
/** NIR, NIA, and the NIR of the test and demonstration platforms (DMP-FACTS §3). */
export const insAuthorities: ReadonlySet<string> = new Set(
  ['8', '9', '10', '11'].map((last) => `1.2.250.1.213.1.4.${last}`),
)

/** The element under a path of local names, the first of each. */
export function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let node = element
  for (const local of path) node = node && child(node, hl7v3, local)
  return node
}

export function all(element: XmlElement | undefined, local: string): readonly XmlElement[] {
  return element ? children(element, hl7v3, local) : []
}

/** An attribute with something in it. */
export function attributeOf(element: XmlElement | undefined, name: string): string | undefined {
  return (element && attribute(element, name)?.trim()) || undefined
}

/** The text of an element, white space as one space. */
export function textOf(element: XmlElement | undefined): string | undefined {
  return element?.text.replace(/\s+/g, ' ').trim() || undefined
}

export interface InstanceIdentifier {
  /** An OID, or a UUID in lower case. */
  readonly root: string
  readonly extension?: string
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** II: undefined for a nullFlavor and for a root that is neither OID nor UUID. */
export function identifierOf(id: XmlElement | undefined): InstanceIdentifier | undefined {
  const root = attributeOf(id, 'root')
  if (root === undefined || !(isOid(root) || UUID.test(root))) return undefined
  const extension = attributeOf(id, 'extension')
  return { root: UUID.test(root) ? root.toLowerCase() : root, ...(extension !== undefined && { extension }) }
}

/** ITI TF-3 table 4.2.3.2-1 (uniqueId): root, or root^extension; a UUID as the OID that it is under 2.25 (X.667). */
export function uniqueIdOf({ root, extension }: InstanceIdentifier): UniqueId {
  const oid = isOid(root) ? root : `2.25.${BigInt(`0x${root.replaceAll('-', '')}`)}`
  return (extension === undefined ? oid : `${oid}^${extension}`) as UniqueId
}

/**
 * TS as a DTM in UTC with the precision it has; fractions of a second are dropped. A time that names no zone is known to
 * the day only: which instant it is, nobody said. Undefined for anything else.
 */
export function timeOf(element: XmlElement | undefined, name = 'value'): Dtm | undefined {
  const pattern = /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d+)?)?)?([+-]\d{4})?)?)?)?$/
  const [, year, month, day, hour, minute, second, zone] = pattern.exec(attributeOf(element, name) ?? '') ?? []
  if (year === undefined) return undefined
  const date = [year, month, day].filter((part) => part !== undefined).join('-')
  try {
    if (hour === undefined || zone === undefined) return isoToDtm(date)
    const offset = `${zone.slice(0, 3)}:${zone.slice(3)}`
    const instant = isoToDtm(`${date}T${hour}:${minute ?? '00'}:${second ?? '00'}${offset}`)
    return instant.slice(0, second ? 14 : minute ? 12 : 10) as Dtm
  } catch {
    return undefined
  }
}

/** CE with a code and its system; named by the nomenclature where it knows the code, else by the document. */
export function codeOf(element: XmlElement | undefined): Code | undefined {
  const code = attributeOf(element, 'code')
  const system = attributeOf(element, 'codeSystem')
  if (code === undefined || system === undefined) return undefined
  const display = displayOf(system, code) ?? attributeOf(element, 'displayName')
  return { code, system, ...(display !== undefined && { display }) }
}

const escapes: Readonly<Record<string, string>> = { '|': 'F', '^': 'S', '&': 'T', '~': 'R', '\\': 'E' }

/** Text as a component of an HL7 v2 value: no delimiter in it moves what follows. */
export function component(text: string | undefined): string | undefined {
  return text?.replace(/[|^&~\\]/g, (character) => `\\${escapes[character]}\\`)
}

export interface Name {
  readonly family?: string
  readonly given?: string
  readonly prefix?: string
  readonly suffix?: string
}

/** EN as HL7 v2 components: the name of birth where there are several (qualifier BR), the whole text where it has no parts. */
export function nameOf(name: XmlElement | undefined): Name {
  const part = (local: string) => {
    const parts = all(name, local)
    return component(textOf(parts.find((each) => attributeOf(each, 'qualifier') === 'BR') ?? parts[0]))
  }
  const family = part('family') ?? (all(name, 'given').length === 0 ? component(textOf(name)) : undefined)
  return present<Name>({ family, given: part('given'), prefix: part('prefix'), suffix: part('suffix') })
}

export function authority(oid: string): Hd {
  return { universalId: oid, universalIdType: 'ISO' }
}

/** A professional by PS_IdNat, a patient by INS, or whoever else has an identifier: the national one is taken first. */
export function personOf(ids: readonly XmlElement[], name: Name): Xcn | undefined {
  const known = ids.flatMap((id) => identifierOf(id) ?? []).filter(({ root }) => isOid(root))
  const id = known.find(({ root }) => root === professionals || insAuthorities.has(root)) ?? known[0]
  if (id?.extension === undefined) return name.family === undefined ? undefined : { ...name, nameType: 'D' }
  const idType = id.root === professionals ? 'IDNPS' : insAuthorities.has(id.root) ? 'NH' : 'PI'
  return { id: component(id.extension), ...name, assigningAuthority: authority(id.root), nameType: 'D', idType } as Xcn
}

/** An organization by Struct_IdNat; XON.1 is required, so one without a name is shown by its identifier. */
export function organizationOf(organization: XmlElement | undefined): Xon | undefined {
  const id = all(organization, 'id')
    .flatMap((each) => identifierOf(each) ?? [])
    .find(({ root }) => root === structures)?.extension
  const name = textOf(at(organization, 'name')) ?? id
  if (name === undefined) return undefined
  return present<Xon>({
    name: component(name) ?? '',
    ...(id !== undefined && { assigningAuthority: authority(structures), idType: 'IDNST', id: component(id) }),
  })
}

/** The same object without its undefined properties. */
export function present<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}
