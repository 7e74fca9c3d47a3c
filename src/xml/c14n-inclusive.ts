/**
 * Canonical XML 1.0 with comments (http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments), by libxml2: what the
 * signature of a submission to the DMP digests. No network; entities of a DOCTYPE are not read from anywhere.
 */
import { type C14NOptions, ParseOption, XmlC14NMode, XmlDocument, XmlElement as XmlNodeElement } from 'libxml2-wasm'
import { malformed, XmlError } from './error.ts'
import type { XmlName } from './reader.ts'

export const inclusiveC14nWithComments = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments'

const parsing = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NO_SYS_CATALOG
const mode: C14NOptions = { mode: XmlC14NMode.XML_C14N_1_0, withComments: true }

/**
 * The canonical bytes of a whole document, in memory.
 * @throws XmlError malformed
 */
export function canonicalizeDocument(xml: Uint8Array): Buffer {
  return within(xml, (document) => document.canonicalizeToString(mode))
}

/**
 * The canonical bytes of one element of a document, with the namespaces that are in scope around it.
 * @param path from the root, which is not in it, down to the element; the first of each name
 * @throws XmlError malformed
 */
export function canonicalizeElement(xml: Uint8Array, path: readonly XmlName[]): Buffer {
  return within(xml, (document) => {
    let element = document.root
    for (const { ns, local } of path) {
      let node = element.firstChild
      while (node !== null && !(node instanceof XmlNodeElement && node.name === local && node.namespaceUri === ns))
        node = node.next
      if (node === null) throw malformed(`there is no ${local}`)
      element = node as XmlNodeElement
    }
    return element.canonicalizeToString(mode)
  })
}

function within(xml: Uint8Array, canonicalize: (document: XmlDocument) => string): Buffer {
  let document: XmlDocument
  try {
    document = XmlDocument.fromBuffer(xml, { option: parsing })
  } catch (error) {
    throw new XmlError('malformed', 'it is not well formed', error)
  }
  try {
    return Buffer.from(canonicalize(document))
  } finally {
    document.dispose()
  }
}
