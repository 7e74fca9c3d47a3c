/**
 * Keeps out of the XML tree what is not read from it: inline documents, and one element that is taken as it was written.
 * The base64 of an element's text, or of an attribute, goes to a sink as it streams, and the tree gets a placeholder; saxes
 * would deliver the same base64 as one string, however long it is. The opaque element keeps its source and has no content
 * in the tree: whoever verifies it parses it, once.
 *
 * The cutter never guesses where it is: it only looks for the bytes of the element's name, and asks the parser itself
 * whether a tag has begun there. So cutter and parser cannot disagree; base64 written with entities, comments, CDATA or
 * child elements is refused instead of being read in two ways.
 */
import { randomBytes } from 'node:crypto'
import { malformed, overLimit } from './error.ts'
import { Opaque, type OpaqueRule } from './opaque.ts'
import { createXmlReader, defaultXmlLimits, type XmlName, type XmlReader, type XmlReaderOptions } from './reader.ts'
import { isSpace, Seeker } from './seeker.ts'
import type { XmlElement } from './tree.ts'

/** Which base64 to cut. */
export interface CutRule {
  readonly element: XmlName
  /** Only inside one of these. */
  readonly parents?: readonly XmlName[]
  /** The attribute without namespace that holds the base64; the text of the element when absent. */
  readonly attribute?: string
}

/** Inline content of ITI-41 and ITI-43 (ITI TF-2 3.41.4.1.2, 3.43.4.2.2). A child element (xop:Include) is left alone. */
export const xdsDocument: CutRule = { element: { ns: 'urn:ihe:iti:xds-b:2007', local: 'Document' } }

/** `Binary.data` and `attachment.data` of FHIR XML. */
export const fhirData: CutRule = {
  element: { ns: 'http://hl7.org/fhir', local: 'data' },
  parents: [
    { ns: 'http://hl7.org/fhir', local: 'Binary' },
    { ns: 'http://hl7.org/fhir', local: 'attachment' },
  ],
  attribute: 'value',
}

/** Takes one base64 text, still encoded. It must refuse every byte that is neither base64 nor XML white space. */
export interface CutSink<Cut> {
  write(base64: Uint8Array): unknown
  end(): Cut | Promise<Cut>
}

export interface CutterOptions<Cut> {
  readonly rule: CutRule
  /** Called for each text cut; whoever makes the sinks also gives them up when reading fails. */
  readonly open: () => CutSink<Cut>
  /** Only with a rule for text. */
  readonly opaque?: OpaqueRule
  /** Texts cut from one message; default 512. */
  readonly maxCuts?: number
  readonly reader?: XmlReaderOptions
}

export interface Cutter<Cut> {
  /** Must be awaited before the next write. Rejects with XmlError, or with what a sink threw. */
  write(chunk: Uint8Array): Promise<void>
  end(): Promise<XmlElement>
  /** What stands behind a placeholder: give the text of the element or the value of the attribute; else undefined. */
  cut(text: string): Cut | undefined
}

const lt = 0x3c
const gt = 0x3e
const slash = 0x2f
const ampersand = 0x26
const equals = 0x3d
const cr = 0x0d
const lf = 0x0a
const lineFeed = Buffer.from('\n')

type State =
  /** Anywhere outside what is cut. */
  | 'markup'
  /** In a start tag with the right name: text rule, waiting for its end. */
  | 'tag'
  /** The same, attribute rule: reading attribute by attribute. */
  | 'attribute-name'
  | 'attribute-value'
  /** After the start tag: white space before the first character decides. */
  | 'before-text'
  | 'text'
  /** `<` after base64 was read: only an end tag may follow. */
  | 'after-text'
  | 'value'
  /** Inside the opaque element. */
  | 'opaque'

export function createCutter<Cut>(options: CutterOptions<Cut>): Cutter<Cut> {
  return new ByteCutter(options)
}

class ByteCutter<Cut> implements Cutter<Cut> {
  readonly #options: CutterOptions<Cut>
  readonly #rule: CutRule
  readonly #name: Seeker
  readonly #reader: XmlReader
  readonly #opaque: Opaque | undefined
  readonly #cuts = new Map<string, Cut>()
  /** Unknown to the sender, so that no text of a message can pass for a placeholder. */
  readonly #prefix = `dmp-spool:${randomBytes(16).toString('hex')}:`
  #state: State = 'markup'
  #held: Buffer = Buffer.alloc(0)
  #first = true
  #failed: unknown
  #sink: CutSink<Cut> | undefined
  /** The parser has begun a start tag of a name that is looked for, and has not ended it. */
  #inTag = false
  /** The element whose start tag the parser ended last. */
  #opened: { readonly element: XmlElement; readonly selfClosing: boolean } | undefined
  #attribute = ''
  #quote = 0
  #cutInTag = false

  constructor(options: CutterOptions<Cut>) {
    this.#options = options
    this.#rule = options.rule
    this.#name = new Seeker(options.rule.element.local)
    const { reader: { capture = [], ...reader } = {}, opaque } = options
    if (opaque !== undefined) this.#opaque = new Opaque(opaque, reader.limits?.maxText ?? defaultXmlLimits.maxText)
    const captured = { ...reader, capture: opaque === undefined ? capture : [...capture, opaque.element] }
    this.#reader = createXmlReader(captured, {
      openStart: (name, parent, path) => {
        const local = name.slice(name.indexOf(':') + 1)
        this.#inTag =
          (local === this.#rule.element.local && this.#inside(parent)) ||
          this.#opaque?.begins(name, local, path) === true
      },
      open: (element, selfClosing) => {
        this.#opened = { element, selfClosing }
        this.#inTag = false
      },
    })
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#guarded(() => this.#take(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
  }

  async end(): Promise<XmlElement> {
    return await this.#guarded(async () => {
      this.#reader.write(this.#held)
      if (this.#sink !== undefined) throw malformed('the XML ends inside a base64 text')
      const root = this.#reader.end()
      this.#opaque?.restore()
      return root
    })
  }

  cut(text: string): Cut | undefined {
    return this.#cuts.get(text.trim())
  }

  async #guarded<Result>(step: () => Promise<Result>): Promise<Result> {
    if (this.#failed !== undefined) throw this.#failed
    try {
      return await step()
    } catch (error) {
      this.#failed = error
      throw error
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    if (this.#first && bytes.length > 0) {
      // 0xFE and 0xFF never begin UTF-8: UTF-16, whose bytes would hide a tag from this search
      if ((bytes[0] as number) >= 0xfe || bytes[0] === 0 || bytes[1] === 0)
        throw malformed('only UTF-8 is read here: send UTF-8')
      this.#first = bytes.length < 2
    }
    let at = 0
    while (at < bytes.length) at = await this.#step(bytes, at)
  }

  #step(bytes: Buffer, at: number): number | Promise<number> {
    switch (this.#state) {
      case 'markup':
        return this.#markup(bytes, at)
      case 'tag':
        return this.#tag(bytes, at)
      case 'attribute-name':
        return this.#attributeName(bytes, at)
      case 'attribute-value':
        return this.#attributeValue(bytes, at)
      case 'before-text':
        return this.#beforeText(bytes, at)
      case 'text':
        return this.#text(bytes, at)
      case 'after-text':
        return this.#afterText(bytes, at)
      case 'value':
        return this.#value(bytes, at)
      case 'opaque':
        return this.#kept(bytes, at)
    }
  }

  /** Goes to the next place where a tag of a name that is looked for may begin, and asks the parser whether one does. */
  #markup(bytes: Buffer, from: number): number {
    const ours = this.#name.seek(bytes, from)
    const opaque = this.#opaque?.seek(bytes, from) ?? ours
    const { at, after } = opaque.at < ours.at ? opaque : ours
    return after === undefined ? this.#hold(bytes, from, at) : this.#candidate(bytes, from, after)
  }

  /** Keeps the end of a chunk until the next one tells what it is. */
  #hold(bytes: Buffer, from: number, at: number): number {
    this.#reader.write(bytes.subarray(from, at))
    this.#held = Buffer.from(bytes.subarray(at))
    return bytes.length
  }

  #candidate(bytes: Buffer, from: number, after: number): number {
    let next = after + 1
    this.#reader.write(bytes.subarray(from, after))
    this.#inTag = false
    this.#opened = undefined
    this.#cutInTag = false
    if (bytes[after] === cr) {
      // saxes keeps a last CR back; the LF it stands for (XML 1.0 §2.11) lets it say where it is
      this.#reader.write(lineFeed)
      if (bytes[next] === lf) next += 1
    } else this.#reader.write(bytes.subarray(after, next))
    if (this.#rule.attribute === undefined) {
      if (this.#inTag) this.#state = 'tag'
      else this.#tagEnded()
    } else if (this.#inTag) {
      this.#state = 'attribute-name'
      this.#attribute = ''
    }
    return next
  }

  #tag(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(gt, from)
    const next = end < 0 ? bytes.length : end + 1
    this.#reader.write(bytes.subarray(from, next))
    // A `>` may also stand in an attribute value
    if (!this.#inTag) this.#tagEnded()
    return next
  }

  #tagEnded(): void {
    const opened = this.#opened
    this.#opened = undefined
    if (opened !== undefined && !opened.selfClosing && this.#opaque?.opens(opened.element)) {
      this.#state = 'opaque'
      return
    }
    const { ns, local } = this.#rule.element
    const ours = opened !== undefined && opened.element.ns === ns && opened.element.local === local
    if (this.#cutInTag && !ours) throw malformed(`a base64 value stands in an element that is not ${local} of ${ns}`)
    this.#state = ours && !opened.selfClosing && this.#rule.attribute === undefined ? 'before-text' : 'markup'
  }

  #attributeName(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte === equals) {
        this.#state = 'attribute-value'
        return this.#pass(bytes, from, at + 1)
      }
      if (byte === gt) {
        const next = this.#pass(bytes, from, at + 1)
        this.#tagEnded()
        return next
      }
      // The limit of the reader on names comes later than this one, with the same result
      if (!isSpace(byte) && this.#attribute.length <= 64) this.#attribute += String.fromCharCode(byte)
    }
    return this.#pass(bytes, from, bytes.length)
  }

  /** At `=`: white space, then a quote; then the value, which is cut or passed over. */
  #attributeValue(bytes: Buffer, from: number): number {
    if (this.#quote === 0) {
      let at = from
      while (at < bytes.length && isSpace(bytes[at] as number)) at++
      if (at === bytes.length) return this.#pass(bytes, from, at)
      const quote = bytes[at] as number
      if (quote !== 0x22 && quote !== 0x27) throw malformed('an attribute value is not between quotes')
      this.#quote = quote
      return this.#pass(bytes, from, at + 1)
    }
    if (this.#attribute === this.#rule.attribute && bytes[from] !== this.#quote) {
      this.#begin()
      this.#cutInTag = true
      this.#state = 'value'
      return from
    }
    const end = bytes.indexOf(this.#quote, from)
    if (end < 0) return this.#pass(bytes, from, bytes.length)
    return this.#endOfValue(bytes, from, end)
  }

  #endOfValue(bytes: Buffer, from: number, end: number): number {
    this.#state = 'attribute-name'
    this.#attribute = ''
    this.#quote = 0
    return this.#pass(bytes, from, end + 1)
  }

  async #value(bytes: Buffer, from: number): Promise<number> {
    const end = bytes.indexOf(this.#quote, from)
    await this.#give(bytes.subarray(from, end < 0 ? bytes.length : end))
    if (end < 0) return bytes.length
    await this.#finish()
    return this.#endOfValue(bytes, end, end)
  }

  #beforeText(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && isSpace(bytes[at] as number)) at++
    this.#pass(bytes, from, at)
    if (at === bytes.length) return at
    if (bytes[at] === lt) this.#state = 'markup'
    else {
      this.#begin()
      this.#state = 'text'
    }
    return at
  }

  async #text(bytes: Buffer, from: number): Promise<number> {
    const end = bytes.indexOf(lt, from)
    await this.#give(bytes.subarray(from, end < 0 ? bytes.length : end))
    if (end < 0) return bytes.length
    this.#state = 'after-text'
    return end + 1
  }

  async #afterText(bytes: Buffer, from: number): Promise<number> {
    if (bytes[from] !== slash)
      throw malformed('base64 holds a comment, a CDATA section or an element: send base64 alone')
    await this.#finish()
    this.#reader.write(Buffer.from('<'))
    this.#state = 'markup'
    return from
  }

  #kept(bytes: Buffer, from: number): number {
    const { at, after } = this.#opaque?.take(bytes, from) ?? { at: from }
    if (after !== undefined) this.#state = 'markup'
    else this.#held = Buffer.from(bytes.subarray(at))
    return after === undefined ? bytes.length : at
  }

  #begin(): void {
    const { maxCuts = 512, open } = this.#options
    if (this.#cuts.size >= maxCuts) throw overLimit(`the message holds more than ${maxCuts} inline documents`)
    this.#sink = open()
  }

  async #give(base64: Buffer): Promise<void> {
    if (base64.includes(ampersand) || base64.includes(lt))
      throw malformed('base64 holds an entity or a tag: send base64 alone')
    if (base64.length > 0) await this.#sink?.write(base64)
  }

  async #finish(): Promise<void> {
    const sink = this.#sink as CutSink<Cut>
    this.#sink = undefined
    const placeholder = `${this.#prefix}${this.#cuts.size}`
    this.#cuts.set(placeholder, await sink.end())
    this.#reader.write(Buffer.from(placeholder))
  }

  #pass(bytes: Buffer, from: number, to: number): number {
    if (to > from) this.#reader.write(bytes.subarray(from, to))
    return to
  }

  #inside(parent: XmlElement | undefined): boolean {
    const { parents } = this.#rule
    if (parents === undefined) return true
    return parent !== undefined && parents.some((name) => name.ns === parent.ns && name.local === parent.local)
  }
}
