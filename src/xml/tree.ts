/** A small XML tree: what the streaming reader builds and the doors read, always by {namespace, local name}. */

export interface XmlAttribute {
  /** Namespace URI, '' for none. */
  readonly ns: string
  readonly local: string
  readonly value: string
}

export interface XmlElement {
  /** Namespace URI, '' for none. */
  readonly ns: string
  readonly local: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlElement[]
  /** Text directly inside this element, concatenated; '' when there is none. */
  readonly text: string
  /** Exact source and in-scope namespaces; only on elements the caller asked to capture. */
  readonly source?: { readonly xml: string; readonly namespaces: Readonly<Record<string, string>> }
}

/** The value of an attribute without namespace, or undefined. */
export function attribute(element: XmlElement, local: string, ns = ''): string | undefined {
  for (const candidate of element.attributes)
    if (candidate.local === local && candidate.ns === ns) return candidate.value
  return undefined
}

/** Children with this name, in document order. */
export function children(element: XmlElement, ns: string, local: string): readonly XmlElement[] {
  return element.children.filter((candidate) => candidate.local === local && candidate.ns === ns)
}

/** The first child with this name, or undefined. */
export function child(element: XmlElement, ns: string, local: string): XmlElement | undefined {
  return element.children.find((candidate) => candidate.local === local && candidate.ns === ns)
}
