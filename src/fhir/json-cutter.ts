/**
 * Moves documents out of a JSON message while it streams: the base64 strings of `attachment.data` and of a resource's
 * `data` (Binary) go to a sink, and a placeholder stays in the text. What is left is small and JSON.parse reads it.
 *
 * The cutter follows the text byte by byte, as RFC 8259 says: strings, escapes, containers, keys. It does not judge the
 * grammar: JSON.parse does, on the text with the placeholders, which is JSON exactly when the original is, because a cut
 * string may hold nothing but base64, whatever escapes it is written with.
 */
import { GatewayError } from '../errors.ts'

/** Where the base64 of one document goes. */
export interface DocumentTarget {
  /** Bytes of base64 text, which may hold white space; must not change afterwards. */
  write(text: Uint8Array): undefined | Promise<unknown>
  /** The string has ended; gives the placeholder to leave in its place: a JSON string without its quotes. */
  end(): Promise<string>
}

export interface CutterOptions {
  /** A document begins. */
  readonly open: () => DocumentTarget
  /** Bytes of text that may be left after cutting. */
  readonly maxBytes: number
  readonly maxDepth: number
  /** Values and containers; JSON.parse makes an object of each. */
  readonly maxNodes: number
}

/** Elements whose `data` is a document: `content.attachment`, `Bundle.entry.resource`, `Parameters.parameter.resource`. */
const holders: ReadonlySet<string> = new Set(['attachment', 'resource'])
/** The outermost object stands under no name: it is a resource, a Binary perhaps. */
const body = 'resource'
const longestKey = 256

const quote = 0x22
const backslash = 0x5c
const escapes: Readonly<Record<string, number>> = { '/': 0x2f, n: 0x0a, r: 0x0d, t: 0x09 }

interface Frame {
  readonly array: boolean
  /** The key under which this container stands; an array gives it on to its items. */
  readonly name: string | undefined
  /** The keys of an object so far. */
  readonly keys: Set<string>
  key: string | undefined
  expectsKey: boolean
}

export class JsonCutter {
  readonly #options: CutterOptions
  readonly #frames: Frame[] = []
  readonly #kept: Uint8Array[] = []
  #keptBytes = 0
  #nodes = 0
  #state: 'outside' | 'key' | 'string' | 'document' = 'outside'
  /** An escape under way inside a string; in a document, its characters so far. */
  #escape = ''
  /** Bytes of the key being read. */
  #key: number[] = []
  #target: DocumentTarget | undefined

  constructor(options: CutterOptions) {
    this.#options = options
  }

  /** Throws GatewayError `malformed` or `over-limit`; the message cannot be read on then. */
  async write(chunk: Buffer): Promise<void> {
    let at = 0
    while (at < chunk.length) {
      if (this.#state !== 'document') {
        const end = this.#walk(chunk, at)
        this.#keep(chunk.subarray(at, end))
        at = end
      } else at = await this.#cut(chunk, at)
    }
  }

  /** The text that is left. */
  end(): Buffer {
    if (this.#state !== 'outside') throw malformed('The JSON text ends inside a string.')
    return Buffer.concat(this.#kept, this.#keptBytes)
  }

  #keep(bytes: Uint8Array): void {
    this.#keptBytes += bytes.byteLength
    if (this.#keptBytes > this.#options.maxBytes)
      throw overLimit(`the text without its documents is larger than ${this.#options.maxBytes} bytes`)
    if (bytes.byteLength > 0) this.#kept.push(bytes)
  }

  /** Walks ordinary text up to the end of the chunk, or up to the first byte inside a document's string. */
  #walk(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#state === 'outside') {
        if (byte !== quote) this.#structure(byte)
        else if (this.#openString()) return at + 1
      } else if (this.#escape !== '') {
        this.#escape = ''
        if (this.#state === 'key') this.#keyByte(byte)
      } else if (byte === quote) this.#closeString()
      else {
        if (byte === backslash) this.#escape = '\\'
        if (this.#state === 'key') this.#keyByte(byte)
      }
    }
    return chunk.length
  }

  #structure(byte: number): void {
    const top = this.#frames.at(-1)
    switch (byte) {
      case 0x7b: // {
      case 0x5b: // [
        this.#count()
        if (this.#frames.length >= this.#options.maxDepth)
          throw overLimit(`it is nested deeper than ${this.#options.maxDepth} levels`)
        this.#frames.push({
          array: byte === 0x5b,
          name: top?.array ? top.name : top?.key,
          keys: new Set(),
          key: undefined,
          expectsKey: byte === 0x7b,
        })
        break
      case 0x7d: // }
      case 0x5d: // ]
        if (top?.array !== (byte === 0x5d)) throw malformed('The brackets of the JSON text do not match.')
        this.#frames.pop()
        break
      case 0x2c: // ,
        this.#count()
        if (top && !top.array) {
          top.expectsKey = true
          top.key = undefined
        }
        break
      case 0x3a: // :
        if (top) top.expectsKey = false
        break
    }
  }

  #count(): void {
    if (++this.#nodes > this.#options.maxNodes) throw overLimit(`it has more than ${this.#options.maxNodes} values`)
  }

  /** True when the string that begins is a document. */
  #openString(): boolean {
    const top = this.#frames.at(-1)
    if (top?.expectsKey) {
      this.#state = 'key'
      this.#key = []
    } else if (top?.key === 'data' && !top.array && holders.has(top.name ?? body)) {
      this.#state = 'document'
      this.#target = this.#options.open()
      return true
    } else this.#state = 'string'
    return false
  }

  #keyByte(byte: number): void {
    if (this.#key.push(byte) > longestKey) throw overLimit(`a key is longer than ${longestKey} bytes`)
  }

  #closeString(): void {
    const top = this.#frames.at(-1)
    if (this.#state === 'key' && top) {
      const key = keyOf(this.#key)
      if (top.keys.has(key)) throw malformed('An object has the same key twice.')
      top.keys.add(key)
      top.key = key
    }
    this.#state = 'outside'
  }

  /** Takes base64 up to the end of the chunk or of the string; gives the position of what comes next, the quote. */
  async #cut(chunk: Buffer, from: number): Promise<number> {
    const target = this.#target as DocumentTarget
    // A quote behind a backslash is no end, but it is no base64 either: unescape() refuses it
    const found = chunk.indexOf(quote, from)
    const end = found < 0 ? chunk.length : found
    const raw = chunk.subarray(from, end)
    // RFC 8259 §7: control characters must be escaped. The others that are not base64 are the decoder's to refuse.
    if (raw.includes(0x0a) || raw.includes(0x0d) || raw.includes(0x09))
      throw malformed('A string holds a control character that is not escaped.')
    const text = this.#escape !== '' || raw.includes(backslash) ? this.#unescape(raw) : raw
    if (text.length > 0) await target.write(text)
    if (found < 0) return chunk.length
    if (this.#escape !== '') throw notBase64()
    this.#keep(Buffer.from(await target.end(), 'latin1'))
    this.#target = undefined
    this.#state = 'outside'
    // The closing quote belongs to the text: the walk goes on behind it.
    this.#keep(chunk.subarray(found, found + 1))
    return found + 1
  }

  /** The characters behind JSON escapes; only those that base64 text can hold. */
  #unescape(raw: Buffer): Buffer {
    const text = Buffer.allocUnsafe(raw.length + 1)
    let length = 0
    for (const byte of raw) {
      if (this.#escape === '') {
        if (byte === backslash) this.#escape = '\\'
        else text[length++] = byte
        continue
      }
      this.#escape += String.fromCharCode(byte)
      const plain = escapes[this.#escape.slice(1)]
      if (plain !== undefined) {
        text[length++] = plain
        this.#escape = ''
      } else if (/^\\u00[0-7][0-9a-f]$/i.test(this.#escape)) {
        text[length++] = Number.parseInt(this.#escape.slice(2), 16)
        this.#escape = ''
      } else if (!/^\\u(0(0([0-7])?)?)?$/.test(this.#escape)) throw notBase64()
    }
    return text.subarray(0, length)
  }
}

/** The characters of a key: its escapes are read as JSON.parse reads them, so that both see the same key. */
function keyOf(bytes: readonly number[]): string {
  const text = Buffer.from(bytes).toString('utf8')
  if (!text.includes('\\')) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    throw malformed('A key of the JSON text is malformed.')
  }
}

function malformed(detail: string): GatewayError {
  return new GatewayError('malformed', { detail: `${detail} Send well-formed JSON (RFC 8259).` })
}

function notBase64(): GatewayError {
  return new GatewayError('malformed', { detail: 'The data of a document holds an escape that is not base64.' })
}

function overLimit(what: string): GatewayError {
  return new GatewayError('over-limit', { detail: `The message is over a limit: ${what}. Send a smaller one.` })
}
