/**
 * The one way XML from the wire is read: saxes (well-formedness, namespaces) under caps, into the small tree of tree.ts.
 * Refused: DOCTYPE, XML 1.1, processing instructions (but xml-stylesheet, which is ignored), repeated attributes, a second
 * root, encodings other than UTF-8 and UTF-16 with a byte order mark, namespace names with space around them.
 */
import {
  type AttributeHandler,
  type CDataHandler,
  type CloseTagHandler,
  type CommentHandler,
  type DoctypeHandler,
  type OpenTagHandler,
  type OpenTagStartHandler,
  type PIHandler,
  type SaxesAttributeNS,
  SaxesParser,
  type SaxesTagNS,
  type TextHandler,
  type XMLDeclHandler,
} from 'saxes'
import { createDecoder, type Decoder } from './encoding.ts'
import { malformed, overLimit, XmlError } from './error.ts'
import type { XmlAttribute, XmlElement } from './tree.ts'

export { XmlError } from './error.ts'

export interface XmlLimits {
  /** Bytes of the whole message (characters when it comes as a string). */
  readonly maxBytes: number
  /** Elements inside each other; saxes looks a namespace up through all of them. */
  readonly maxDepth: number
  /** Attributes of one element, namespace declarations included. */
  readonly maxAttributes: number
  readonly maxElements: number
  /** Characters of one name, one attribute value, one comment, all text of one element, or one captured element. */
  readonly maxText: number
}

export const defaultXmlLimits: XmlLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxDepth: 64,
  maxAttributes: 128,
  maxElements: 500_000,
  maxText: 1024 * 1024,
}

export interface XmlName {
  /** Namespace URI, '' for none. */
  readonly ns: string
  readonly local: string
}

export interface XmlReaderOptions {
  readonly limits?: Partial<XmlLimits>
  /** Elements that keep their exact source, so that a signature over them can be verified. */
  readonly capture?: readonly XmlName[]
  /** SOAP 1.2 part 1 §5 forbids processing instructions; FHIR lets a reader ignore them. Default `refuse`. */
  readonly processingInstructions?: 'refuse' | 'ignore'
}

/** Told of every element as it opens; what the base64 cutter listens to. */
export interface XmlListener {
  /**
   * `<name` was read: its qualified name as written, the element it stands in (undefined at the root), and all it stands in,
   * the root first, as they are now.
   */
  openStart?(name: string, parent: XmlElement | undefined, path: readonly XmlElement[]): void
  /** The whole start tag was read. */
  open?(element: XmlElement, selfClosing: boolean): void
}

export interface XmlReader {
  /** Throws XmlError; after that every call throws the same. */
  write(chunk: Uint8Array): void
  /** The root element. Throws XmlError when the document is incomplete. */
  end(): XmlElement
}

/** Characters given to saxes at once: between two of these the limits are checked. */
const slice = 64 * 1024

interface Building {
  readonly ns: string
  readonly local: string
  readonly attributes: XmlAttribute[]
  readonly children: XmlElement[]
  text: string
  source?: { readonly xml: string; readonly namespaces: Readonly<Record<string, string>> }
}

/**
 * Parses a whole document.
 * @param source UTF-8 (or UTF-16 with a byte order mark) bytes, or an already decoded string.
 * @throws XmlError
 */
export function parseXml(source: string | Uint8Array, options: XmlReaderOptions = {}): XmlElement {
  const tree = new TreeBuilder(options)
  if (typeof source === 'string') {
    // saxes lets an unpaired surrogate through
    if (!source.isWellFormed()) throw malformed('the text holds half of a surrogate pair')
    tree.count(source.length)
    tree.write(source)
    return tree.end()
  }
  const reader = readerOver(tree)
  reader.write(source)
  return reader.end()
}

/** A reader to which a document is given piece by piece. */
export function createXmlReader(options: XmlReaderOptions = {}, listener: XmlListener = {}): XmlReader {
  return readerOver(new TreeBuilder(options, listener))
}

/** Puts back what stood between the tags of a captured element and was kept from the reader. */
export function restoreSource(element: XmlElement, content: string): void {
  const building = element as Building
  if (building.source === undefined) return
  const { xml, namespaces } = building.source
  // No `<` stands in a start tag but its first
  const end = xml.lastIndexOf('</')
  building.source = { xml: xml.slice(0, end) + content + xml.slice(end), namespaces }
}

function readerOver(tree: TreeBuilder): XmlReader {
  const decoder: Decoder = createDecoder()
  tree.declaredEncoding = (name) => decoder.declared(name)
  let failed: XmlError | undefined
  const guarded = <Result>(step: () => Result): Result => {
    if (failed !== undefined) throw failed
    try {
      return step()
    } catch (error) {
      failed = error instanceof XmlError ? error : new XmlError('malformed', 'the XML cannot be read', error)
      throw failed
    }
  }
  return {
    write(chunk) {
      guarded(() => {
        tree.count(chunk.byteLength)
        tree.write(decoder.decode(chunk))
      })
    },
    end() {
      return guarded(() => {
        tree.write(decoder.end())
        return tree.end()
      })
    },
  }
}

type Namespaces = { readonly xmlns: true; readonly position: true }

/** The fields in which saxes 6 keeps its handlers. */
interface Handlers {
  xmldeclHandler: XMLDeclHandler
  doctypeHandler: DoctypeHandler
  piHandler: PIHandler
  commentHandler: CommentHandler
  openTagStartHandler: OpenTagStartHandler<Namespaces>
  attributeHandler: AttributeHandler<Namespaces>
  openTagHandler: OpenTagHandler<Namespaces>
  closeTagHandler: CloseTagHandler<Namespaces>
  textHandler: TextHandler
  cdataHandler: CDataHandler
}

/**
 * What `parser.on` does, by field name: `on` stores under computed keys, which from the seventh on turns the parser into
 * a dictionary object and costs eight times as much for each character read (measured on Node 24).
 */
function listen(parser: SaxesParser<Namespaces>, handlers: Handlers): void {
  const fields = parser as unknown as Handlers
  fields.xmldeclHandler = handlers.xmldeclHandler
  fields.doctypeHandler = handlers.doctypeHandler
  fields.piHandler = handlers.piHandler
  fields.commentHandler = handlers.commentHandler
  fields.openTagStartHandler = handlers.openTagStartHandler
  fields.attributeHandler = handlers.attributeHandler
  fields.openTagHandler = handlers.openTagHandler
  fields.closeTagHandler = handlers.closeTagHandler
  fields.textHandler = handlers.textHandler
  fields.cdataHandler = handlers.cdataHandler
}

class TreeBuilder {
  declaredEncoding: ((name: string) => void) | undefined
  readonly #limits: XmlLimits
  readonly #capture: ReadonlySet<string>
  readonly #parser = new SaxesParser<Namespaces>({ xmlns: true, position: true })
  readonly #listener: XmlListener
  readonly #stack: Building[] = []
  /** Namespace declarations of the open elements, for captures. */
  readonly #declarations: Readonly<Record<string, string>>[] = []
  #root: Building | undefined
  #bytes = 0
  #elements = 0
  #attributes = 0
  /** Characters given to saxes so far, and where the last token ended: their difference is what saxes holds back. */
  #written = 0
  #mark = 0
  /** Source kept for captures: from the last token, or from the start of the outermost open capture. */
  #window = ''
  #windowStart = 0
  /** Where the start tag being read begins; Infinity outside one. */
  #tagStart = Number.POSITIVE_INFINITY
  readonly #captures: { readonly element: Building; readonly start: number }[] = []

  constructor(options: XmlReaderOptions, listener: XmlListener = {}) {
    this.#limits = { ...defaultXmlLimits, ...options.limits }
    this.#capture = new Set((options.capture ?? []).map((name) => `${name.ns}\n${name.local}`))
    this.#listener = listener
    const parser = this.#parser
    listen(parser, {
      xmldeclHandler: (declaration) => {
        this.#mark = parser.position
        if (declaration.version !== '1.0') throw malformed('only XML 1.0 is read')
        if (declaration.encoding !== undefined) this.declaredEncoding?.(declaration.encoding)
      },
      doctypeHandler: () => {
        throw malformed('a DOCTYPE is not accepted')
      },
      piHandler: ({ target }) => {
        this.#mark = parser.position
        if (options.processingInstructions !== 'ignore' && target !== 'xml-stylesheet')
          throw malformed('a processing instruction is not accepted')
      },
      commentHandler: () => {
        this.#mark = parser.position
      },
      openTagStartHandler: (tag) => this.#openStart(tag.name),
      attributeHandler: (attribute) => this.#attribute(attribute),
      openTagHandler: (tag) => this.#open(tag),
      closeTagHandler: () => this.#close(),
      textHandler: (text) => this.#text(text),
      cdataHandler: (text) => this.#text(text),
    })
  }

  count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.maxBytes) throw overLimit(`the XML is larger than ${this.#limits.maxBytes} bytes`)
  }

  write(text: string): void {
    for (let start = 0; start < text.length; start += slice) {
      const piece = text.length <= slice ? text : text.slice(start, start + slice)
      if (this.#capture.size > 0) this.#window += piece
      this.#written += piece.length
      this.#guarded(() => this.#parser.write(piece))
      if (this.#written - this.#mark > this.#limits.maxText + slice) throw this.#tooLong()
      if (this.#capture.size > 0) this.#trimWindow()
    }
  }

  end(): XmlElement {
    this.#guarded(() => this.#parser.close())
    if (this.#root === undefined) throw malformed('there is no XML element')
    return this.#root
  }

  #guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (error instanceof XmlError || !(error instanceof Error)) throw error
      throw new XmlError('malformed', `XML not well formed at ${error.message.slice(0, 200).replace(/\.$/, '')}`, error)
    }
  }

  #tooLong(): XmlError {
    return overLimit(`a name, value or text is longer than ${this.#limits.maxText} characters`)
  }

  #openStart(name: string): void {
    const at = this.#parser.position
    // `<` cannot stand between the start of a tag and the character after its name
    if (this.#capture.size > 0)
      this.#tagStart = this.#window.lastIndexOf('<', at - this.#windowStart - 1) + this.#windowStart
    this.#mark = at
    this.#attributes = 0
    if (this.#stack.length >= this.#limits.maxDepth)
      throw overLimit(`elements are nested deeper than ${this.#limits.maxDepth}`)
    if (++this.#elements > this.#limits.maxElements)
      throw overLimit(`there are more than ${this.#limits.maxElements} elements`)
    this.#listener.openStart?.(name, this.#stack.at(-1), this.#stack)
  }

  #attribute(attribute: { readonly name: string; readonly value: string }): void {
    this.#mark = this.#parser.position
    if (++this.#attributes > this.#limits.maxAttributes)
      throw overLimit(`an element has more than ${this.#limits.maxAttributes} attributes`)
    const { name, value } = attribute
    if (value.length > this.#limits.maxText) throw this.#tooLong()
    // saxes trims namespace names, libxml2 does not: two readings of one signed text
    if ((name === 'xmlns' || name.startsWith('xmlns:')) && value !== value.trim())
      throw malformed('a namespace name has space around it')
  }

  #open(tag: SaxesTagNS): void {
    this.#mark = this.#parser.position
    const attributes: XmlAttribute[] = []
    for (const name in tag.attributes) {
      const { prefix, local, uri, value } = tag.attributes[name] as SaxesAttributeNS
      if (prefix !== 'xmlns' && name !== 'xmlns') attributes.push({ ns: uri, local, value })
    }
    const element: Building = { ns: tag.uri, local: tag.local, attributes, children: [], text: '' }
    const parent = this.#stack.at(-1)
    if (parent === undefined) this.#root = element
    else parent.children.push(element)
    if (this.#capture.has(`${element.ns}\n${element.local}`)) this.#captures.push({ element, start: this.#tagStart })
    this.#tagStart = Number.POSITIVE_INFINITY
    this.#stack.push(element)
    this.#declarations.push(tag.ns)
    this.#listener.open?.(element, tag.isSelfClosing)
  }

  #close(): void {
    this.#mark = this.#parser.position
    const element = this.#stack.pop()
    this.#declarations.pop()
    const capture = this.#captures.at(-1)
    if (capture === undefined || capture.element !== element) return
    this.#captures.pop()
    const end = this.#mark - this.#windowStart
    if (this.#mark - capture.start > this.#limits.maxText) throw this.#tooLong()
    const namespaces = new Map<string, string>()
    for (const declared of this.#declarations)
      for (const prefix in declared) namespaces.set(prefix, declared[prefix] as string)
    if (namespaces.get('') === '') namespaces.delete('')
    element.source = {
      xml: this.#window.slice(capture.start - this.#windowStart, end),
      namespaces: Object.fromEntries(namespaces),
    }
  }

  #text(text: string): void {
    this.#mark = this.#parser.position
    const element = this.#stack.at(-1)
    if (element === undefined) return
    element.text += text
    if (element.text.length > this.#limits.maxText) throw this.#tooLong()
  }

  #trimWindow(): void {
    // A text ends with the `<` that follows it: one character more than what comes after the mark
    const keep = Math.min(this.#captures[0]?.start ?? Number.POSITIVE_INFINITY, this.#tagStart, this.#mark - 1)
    if (this.#written - keep > this.#limits.maxText + slice) throw this.#tooLong()
    const from = Math.max(0, keep - this.#windowStart)
    this.#window = this.#window.slice(from)
    this.#windowStart += from
  }
}
