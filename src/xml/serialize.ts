/** A tree as XML text again: what was read is written, so that what judges the text judges what was read. */
import type { XmlElement } from './tree.ts'
import { escapeAttribute, escapeText } from './writer.ts'

const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance'

export interface Serialized {
  readonly xml: string
  /** The element whose start tag ends on a line, counted from 1 as parsers do. */
  elementAt(line: number): XmlElement | undefined
}

/**
 * The element and all below it. Prefixes are our own; text comes before the children of an element that has both;
 * attributes of XML Schema instances, whose values would need the prefixes of the source, are left out. Each start tag
 * ends on a line of its own, so that a complaint about a line finds its element.
 */
export function serialize(root: XmlElement): Serialized {
  const prefixes = new Map<string, string>([['http://www.w3.org/XML/1998/namespace', 'xml']])
  const elements: XmlElement[] = []
  const name = (ns: string, local: string): string => {
    if (ns === '') return local
    const prefix = prefixes.get(ns) ?? `n${prefixes.size}`
    prefixes.set(ns, prefix)
    return `${prefix}:${local}`
  }
  const write = (element: XmlElement): string => {
    elements.push(element)
    const tag = name(element.ns, element.local)
    let text = `<${tag}`
    for (const { ns, local, value } of element.attributes)
      if (ns !== schemaInstance) text += ` ${name(ns, local)}="${escapeAttribute(value)}"`
    if (element.text === '' && element.children.length === 0) return `${text}\n/>`
    // A line end inside a text would move every line after it
    text += `\n>${escapeText(element.text).replaceAll('\n', '&#10;')}`
    for (const each of element.children) text += write(each)
    return `${text}</${tag}>`
  }
  const written = write(root)
  const end = name(root.ns, root.local).length + 1
  const declared = [...prefixes].map(([ns, prefix]) =>
    prefix === 'xml' ? '' : ` xmlns:${prefix}="${escapeAttribute(ns)}"`,
  )
  return {
    xml: written.slice(0, end) + declared.join('') + written.slice(end),
    elementAt: (line) => elements[line - 2],
  }
}
