/**
 * Exclusive XML Canonicalization 1.0 without comments (http://www.w3.org/2001/10/xml-exc-c14n#), by libxml2, of an element as
 * it stood in a message. No DOCTYPE, so no entities; no network.
 */
import { type C14NOptions, ParseOption, XmlC14NMode, XmlDocument, XmlElement as XmlNodeElement } from 'libxml2-wasm'
import { malformed, XmlError } from './error.ts'
import type { XmlName } from './reader.ts'
import { escapeAttribute } from './writer.ts'

export interface CanonicalizeOptions {
  /** From the root of the fragment down to the element, which must be the only child of its name at each step. */
  readonly path?: readonly XmlName[]
  /** InclusiveNamespaces/@PrefixList; `#default` means the default namespace. */
  readonly prefixes?: readonly string[]
  /** The enveloped-signature transform: leaves out the one ds:Signature child of the element. */
  readonly withoutSignature?: boolean
}

const signature: XmlName = { ns: 'http://www.w3.org/2000/09/xmldsig#', local: 'Signature' }

const parsing = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NO_SYS_CATALOG

/**
 * The canonical bytes of one element.
 * @param fragment Exact source of the root element, from `<` to the matching `>`.
 * @param namespaces Declarations in scope around the fragment: prefix ('' for the default) → URI.
 * @throws XmlError malformed when the fragment is not one well-formed element, or the path or signature is not there once
 */
export function canonicalizeExclusive(
  fragment: string,
  namespaces: Readonly<Record<string, string>>,
  options: CanonicalizeOptions = {},
): Buffer {
  const document = parse(inScope(fragment, namespaces))
  try {
    const { root } = document
    if (root.next !== null || root.prev !== null) throw malformed('something stands beside the element')
    let element = root
    for (const step of options.path ?? []) element = only(element, step)
    if (options.withoutSignature === true) only(element, signature).remove()
    const mode: C14NOptions = {
      mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0,
      ...(options.prefixes === undefined ? {} : { inclusiveNamespacePrefixes: [...options.prefixes] }),
    }
    return Buffer.from(canonicalize(element === root ? document : element, mode))
  } finally {
    document.dispose()
  }
}

/** Canonicalising a whole document spares a call into JavaScript for every node. */
function canonicalize(what: XmlDocument | XmlNodeElement, options: C14NOptions): string {
  try {
    return what.canonicalizeToString(options)
  } catch (error) {
    // Canonical XML 1.0 §1.3: relative namespace URIs are an error
    throw new XmlError('malformed', 'the element cannot be canonicalised: a namespace URI is relative', error)
  }
}

function parse(xml: string): XmlDocument {
  try {
    // As bytes: a string would be copied into the memory of libxml2 character by character
    return XmlDocument.fromBuffer(Buffer.from(xml), { option: parsing, encoding: 'utf-8' })
  } catch (error) {
    throw new XmlError('malformed', 'the element to canonicalise is not well formed', error)
  }
}

function only(parent: XmlNodeElement, { ns, local }: XmlName): XmlNodeElement {
  const found: XmlNodeElement[] = []
  for (let node = parent.firstChild; node !== null; node = node.next)
    if (node instanceof XmlNodeElement && node.name === local && node.namespaceUri === ns) found.push(node)
  const [element] = found
  if (element === undefined || found.length > 1) throw malformed(`there is not exactly one ${local} in its place`)
  return element
}

const tagName = /<[^\s/>!?]+/y
const tagAttribute = /\s+([^\s=/>]+)\s*=\s*(?:"[^"<]*"|'[^'<]*')/y

/**
 * The fragment with the declarations around it written into its own start tag, but for the prefixes it declares itself.
 * Exclusive canonicalisation only writes what is used (or listed), at the outermost element: the result is the same.
 */
function inScope(fragment: string, namespaces: Readonly<Record<string, string>>): string {
  tagName.lastIndex = 0
  const name = tagName.exec(fragment)
  if (name === null) throw malformed('the element to canonicalise does not begin with its start tag')
  const declared = new Set<string>()
  tagAttribute.lastIndex = tagName.lastIndex
  for (let next = tagAttribute.exec(fragment); next !== null; next = tagAttribute.exec(fragment))
    declared.add(next[1] as string)
  let declarations = ''
  for (const [prefix, uri] of Object.entries(namespaces)) {
    const attribute = prefix === '' ? 'xmlns' : `xmlns:${prefix}`
    if (prefix !== 'xml' && !declared.has(attribute)) declarations += ` ${attribute}="${escapeAttribute(uri)}"`
  }
  return `${name[0]}${declarations}${fragment.slice(name[0].length)}`
}
