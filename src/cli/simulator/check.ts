/** What a message breaks of the description of the wire (DMP-SERVICES, DMP-FACTS), and how its trees are read. */
import { attribute, type XmlElement } from '../../xml/tree.ts'

export interface Breach {
  /** Paragraph of DMP-SERVICES, or of DMP-FACTS where it says so. */
  readonly rule: string
  readonly text: string
  /** RegistryError/@errorCode, where the message is about the registry. */
  readonly code?: string
  /** Id of the object. */
  readonly location?: string
}

/** What was held against a message so far: all of it, not only the first. */
export class Check {
  readonly breaches: Breach[] = []

  /** @param rule `§3.4 Manifest` */
  that(condition: boolean, rule: string, text: string, more: Pick<Breach, 'code' | 'location'> = {}): void {
    if (!condition) this.breaches.push({ rule, text, ...more })
  }

  /** The only one of these; a breach where there is none or several. */
  one<T>(all: readonly T[], rule: string, what: string, more: Pick<Breach, 'code' | 'location'> = {}): T | undefined {
    this.that(all.length === 1, rule, `${what} : exactement un attendu, ${all.length} trouvé(s)`, more)
    return all[0]
  }
}

export const ns = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  xades: 'http://uri.etsi.org/01903/v1.1.1#',
  hl7: 'urn:hl7-org:v3',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  xop: 'http://www.w3.org/2004/08/xop/include',
  xdsb: 'urn:ihe:iti:xds-b:2007',
  lcm: 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
  query: 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0',
  rim: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  habilitations: 'urn:si-dmp-habilitations',
  patients: 'urn:si-dmp-patients',
} as const

export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
export const oid = /^[0-2](\.(0|[1-9]\d*))+$/
/** yyyyMMddHHmmss */
export const second = /^\d{14}$/
/** `INS^^^&OID&ISO^NH`; what follows (CX.7) is tolerated on reading (§3.2). */
export const insCx = /^(\d{15})\^\^\^&([0-9.]+)&ISO\^NH(\^.*)?$/

/** Child elements by a path of local names in one namespace, all branches. */
export function all(element: XmlElement | undefined, namespace: string, ...path: readonly string[]): XmlElement[] {
  let found = element === undefined ? [] : [element]
  for (const local of path)
    found = found.flatMap(({ children }) => children.filter((each) => each.local === local && each.ns === namespace))
  return found
}

/** The first by such a path. */
export function first(element: XmlElement | undefined, namespace: string, ...path: readonly string[]) {
  return all(element, namespace, ...path)[0]
}

/** An attribute without namespace; '' where there is none. */
export function of(element: XmlElement | undefined, name: string): string {
  return (element && attribute(element, name)) ?? ''
}

export function textOf(element: XmlElement | undefined): string {
  return element?.text.trim() ?? ''
}

/** Values of the slots of this name; undefined where there is no such slot. */
export function slot(object: XmlElement | undefined, name: string): readonly string[] | undefined {
  const slots = all(object, ns.rim, 'Slot').filter((each) => of(each, 'name') === name)
  return slots.length === 0 ? undefined : slots.flatMap((each) => all(each, ns.rim, 'ValueList', 'Value')).map(textOf)
}

/** Name or Description. */
export function label(object: XmlElement | undefined, local: 'Name' | 'Description'): string | undefined {
  const string = first(object, ns.rim, local, 'LocalizedString')
  return string && of(string, 'value')
}

export function classifications(object: XmlElement | undefined, scheme: string): readonly XmlElement[] {
  return all(object, ns.rim, 'Classification').filter((each) => of(each, 'classificationScheme') === scheme)
}

export function identifiers(object: XmlElement | undefined, scheme: string): readonly XmlElement[] {
  return all(object, ns.rim, 'ExternalIdentifier').filter((each) => of(each, 'identificationScheme') === scheme)
}

/** A parameter of a header by its name, without quotes: `type="application/xop+xml"`. */
export function parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(header)
  return found ? (found[1] ?? found[2]) : undefined
}

/** The type of a header, without its parameters, in lower case. */
export function mediaType(header: string): string {
  return (header.split(';')[0] ?? '').trim().toLowerCase()
}
