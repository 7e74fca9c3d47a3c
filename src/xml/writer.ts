/**
 * The one way XML is written: escaped, and given away piece by piece while the rest is still being made.
 * Prefixes are written as the caller gives them; the caller declares them on the element it opens first.
 */
import { malformed } from './error.ts'

/** Attributes in the order they are written; an undefined value leaves the attribute out. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** Anything to escape in text, or not allowed in XML 1.0 (production [2] Char). */
const textSpecial = /[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd]/
const attributeSpecial = /[^\x20!#-%'-;=?-\ud7ff\ue000-\ufffd]/
const textEscapes = /[&<>\r]/g
const attributeEscapes = /[&<>"\t\n\r]/g
const forbidden = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

function escaped(value: string, escapes: RegExp): string {
  if (forbidden.test(value)) throw malformed('the text holds a character that XML 1.0 does not allow')
  return value.replace(escapes, (character) => references[character] as string)
}

/** @throws XmlError malformed when a character cannot stand in XML 1.0 (control characters, half a surrogate pair). */
export function escapeText(value: string): string {
  return textSpecial.test(value) ? escaped(value, textEscapes) : value
}

/**
 * For a value between double quotes; tabs and line ends survive the normalisation a reader does.
 * @throws XmlError malformed, as escapeText.
 */
export function escapeAttribute(value: string): string {
  return attributeSpecial.test(value) ? escaped(value, attributeEscapes) : value
}

/** Characters gathered before they are encoded: one short string at a time costs a call each, one huge string more. */
const batch = 8 * 1024

export class XmlWriter {
  #text = ''
  #ready: Buffer[] = []
  #open = false
  readonly #names: string[] = []

  /** `<?xml version="1.0" encoding="UTF-8"?>` */
  declaration(): this {
    this.#text += '<?xml version="1.0" encoding="UTF-8"?>'
    return this
  }

  start(name: string, attributes?: Attributes): this {
    this.#closeStart()
    this.#text += `<${name}`
    if (attributes !== undefined)
      for (const key in attributes) {
        const value = attributes[key]
        if (value !== undefined) this.#text += ` ${key}="${escapeAttribute(value)}"`
      }
    this.#names.push(name)
    this.#open = true
    return this
  }

  text(value: string): this {
    if (value === '') return this
    this.#closeStart()
    this.#text += escapeText(value)
    if (this.#text.length >= batch) this.#encode()
    return this
  }

  end(): this {
    const name = this.#names.pop()
    if (name === undefined) throw new RangeError('no element is open')
    this.#text += this.#open ? '/>' : `</${name}>`
    this.#open = false
    if (this.#text.length >= batch) this.#encode()
    return this
  }

  /** A whole element: empty when there is no text. */
  element(name: string, attributes?: Attributes, text?: string): this {
    this.start(name, attributes)
    if (text !== undefined) this.text(text)
    return this.end()
  }

  /** Well-formed XML (or base64) made elsewhere, written as it is. */
  raw(xml: Buffer | string): this {
    this.#closeStart()
    if (typeof xml === 'string') {
      this.#text += xml
      if (this.#text.length >= batch) this.#encode()
    } else {
      this.#encode()
      this.#ready.push(xml)
    }
    return this
  }

  /** What was written since the last time, in UTF-8; an element may still be open. */
  take(): Buffer {
    this.#closeStart()
    this.#encode()
    const ready = this.#ready
    this.#ready = []
    return ready.length === 1 && ready[0] !== undefined ? ready[0] : Buffer.concat(ready)
  }

  #closeStart(): void {
    if (!this.#open) return
    this.#text += '>'
    this.#open = false
  }

  #encode(): void {
    if (this.#text === '') return
    this.#ready.push(Buffer.from(this.#text, 'utf8'))
    this.#text = ''
  }
}
