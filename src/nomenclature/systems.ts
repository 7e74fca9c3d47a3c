/**
 * Code systems in XDS (codingScheme: in France a bare OID) and in FHIR (a URI). The two functions are a lossless pair:
 * `fromFhirSystem(toFhirSystem(scheme)) === scheme` for every string; what has no URI of its own is wrapped in one.
 */
import { isOid } from '../metadata/identifiers.ts'
import data from './data/systems.json' with { type: 'json' }

const WRAPPER = 'urn:dmp-gateway:coding-scheme:'
const URN_OID = 'urn:oid:'
/** RFC 3986: a scheme, a colon, and no character that a URI cannot hold. */
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/

const canonical = new Map<string, string>()
const schemes = new Map<string, string>()
for (const [scheme, uri, ...variants] of data.systems) {
  if (scheme === undefined || uri === undefined) continue
  canonical.set(scheme, uri)
  for (const form of [uri, ...variants, URN_OID + scheme]) schemes.set(form, scheme)
}

/** Percent-encoded UTF-8; `~` and the lone surrogates that UTF-8 cannot hold as `~` and four hex digits. */
function wrap(scheme: string): string {
  let encoded = ''
  for (const character of scheme)
    encoded +=
      character === '~' || !character.isWellFormed()
        ? `~${character.charCodeAt(0).toString(16).padStart(4, '0')}`
        : encodeURIComponent(character)
  return WRAPPER + encoded
}

/** The scheme inside a wrapper, or undefined where the URI is not exactly what `wrap` makes. */
function unwrap(uri: string): string | undefined {
  try {
    const scheme = uri
      .slice(WRAPPER.length)
      .split(/(~[0-9a-f]{4})/)
      .map((part) =>
        part.startsWith('~') ? String.fromCharCode(Number.parseInt(part.slice(1), 16)) : decodeURIComponent(part),
      )
      .join('')
    return wrap(scheme) === uri ? scheme : undefined
  } catch {
    return undefined
  }
}

/**
 * FHIR `system` of an XDS codingScheme: the published URI of a known code system, `urn:oid:…` of any other OID, a URI
 * that is nobody's alias as it is, and anything else (`LOINC`, `Connect-a-thon classCodes`) wrapped in a URN of ours.
 */
export function toFhirSystem(codingScheme: string): string {
  const known = canonical.get(codingScheme)
  if (known !== undefined) return known
  if (isOid(codingScheme)) return URN_OID + codingScheme
  return ABSOLUTE_URI.test(codingScheme) && fromFhirSystem(codingScheme) === codingScheme
    ? codingScheme
    : wrap(codingScheme)
}

/**
 * XDS codingScheme of a FHIR `system`. Accepts the canonical URI of a known code system, its other published URIs (short
 * `…/NOS/TRE_X` forms, both spellings of TRE_A07), `urn:oid:…` of any OID; a URI of no known code system stays itself.
 */
export function fromFhirSystem(uri: string): string {
  const known = schemes.get(uri)
  if (known !== undefined) return known
  if (uri.startsWith(URN_OID)) {
    const oid = uri.slice(URN_OID.length)
    return isOid(oid) ? oid : uri
  }
  return uri.startsWith(WRAPPER) ? (unwrap(uri) ?? uri) : uri
}

/** An OID as it is, a URI as its OID: the form in which code systems are compared. */
export function schemeOf(system: string): string {
  return canonical.has(system) ? system : fromFhirSystem(system)
}
