/**
 * multipart/related split as it streams (RFC 2046 §5.1): every part goes to the sink its header is given, chunk by chunk.
 * Strict where leniency could alter a document or be read in two ways: lines end with CRLF, and nothing but white space
 * follows a delimiter. Nothing is buffered but one header block and the last bytes of a chunk.
 */
import { GatewayError } from '../../errors.ts'

/** Header fields of one part, names in lower case, folded lines joined. */
export type PartHeader = ReadonlyMap<string, string>

export interface PartSink {
  /** Awaited before the next write. */
  write(bytes: Buffer): unknown
  end(): unknown
}

export interface MultipartOptions {
  /** As the media type gives it, without the leading `--`. */
  readonly boundary: string
  readonly maxParts: number
  /** Bytes of one header block, and of what may stand before the first part. */
  readonly maxHeaderBytes: number
  /** Called when a header block is complete. */
  readonly part: (header: PartHeader) => PartSink
}

export interface MultipartSplitter {
  /** Must be awaited before the next write. Rejects with GatewayError malformed or over-limit, or what a sink threw. */
  write(chunk: Uint8Array): Promise<void>
  /** Rejects when the closing delimiter has not come. */
  end(): Promise<void>
}

const crlf = Buffer.from('\r\n')
const endOfHeader = Buffer.from('\r\n\r\n')
const dash = 0x2d

export function malformed(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('malformed', cause === undefined ? { detail } : { detail, cause })
}

export function createMultipartSplitter(options: MultipartOptions): MultipartSplitter {
  return new Splitter(options)
}

class Splitter implements MultipartSplitter {
  readonly #options: MultipartOptions
  readonly #delimiter: Buffer
  #state: 'preamble' | 'delimiter' | 'header' | 'content-start' | 'content' | 'epilogue' = 'preamble'
  /** The first delimiter may stand at the very start: as if a line had ended before it. */
  #held: Buffer = crlf
  #preamble = 0
  #parts = 0
  #sink: PartSink | undefined

  constructor(options: MultipartOptions) {
    // RFC 2046 §5.1.1: 1 to 70 characters, none of them a line end
    if (!/^[\x20-\x7e]{0,69}[\x21-\x7e]$/.test(options.boundary))
      throw malformed(
        'The boundary of the multipart message is missing or not valid: send 1 to 70 printable characters.',
      )
    this.#options = options
    this.#delimiter = Buffer.from(`\r\n--${options.boundary}`)
  }

  async write(chunk: Uint8Array): Promise<void> {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let bytes: Buffer = this.#held.length === 0 ? fresh : Buffer.concat([this.#held, fresh])
    for (;;) {
      const state = this.#state
      const used = await this.#step(bytes)
      bytes = bytes.subarray(used)
      if (bytes.length === 0 || (used === 0 && this.#state === state)) break
    }
    this.#held = Buffer.from(bytes)
  }

  async end(): Promise<void> {
    if (this.#state === 'epilogue') return
    if (this.#state === 'preamble') throw this.#noBoundary()
    throw malformed('The multipart message ends before its closing delimiter: it was cut short.')
  }

  /** How many bytes are done with; 0 in the same state when more must come first. */
  #step(bytes: Buffer): number | Promise<number> {
    switch (this.#state) {
      case 'preamble':
        return this.#readPreamble(bytes)
      case 'delimiter':
        return this.#readDelimiter(bytes)
      case 'header':
        return this.#readHeader(bytes)
      case 'content-start':
        return this.#readContentStart(bytes)
      case 'content':
        return this.#readContent(bytes)
      case 'epilogue':
        return bytes.length
    }
  }

  #readPreamble(bytes: Buffer): number {
    const { at, found } = search(bytes, this.#delimiter)
    this.#preamble += at
    if (this.#preamble > this.#options.maxHeaderBytes) throw this.#noBoundary()
    if (!found) return at
    this.#state = 'delimiter'
    return at + this.#delimiter.length
  }

  #readDelimiter(bytes: Buffer): number {
    if (bytes.length < 2) return 0
    if (bytes[0] === dash && bytes[1] === dash) {
      this.#state = 'epilogue'
      return 2
    }
    // RFC 2046 §5.1.1: transport padding
    let at = 0
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at++
    if (bytes.length < at + 2 && at <= this.#options.maxHeaderBytes) return 0
    if (!bytes.subarray(at, at + 2).equals(crlf))
      throw malformed('Something follows a boundary delimiter on its line, or the line does not end with CRLF.')
    if (++this.#parts > this.#options.maxParts)
      throw new GatewayError('over-limit', {
        detail: `The message has more than ${this.#options.maxParts} parts: send fewer documents in one submission.`,
      })
    this.#state = 'header'
    // The CRLF stays: with an empty header block it makes CRLF CRLF
    return at
  }

  #readHeader(bytes: Buffer): number {
    const end = bytes.indexOf(endOfHeader)
    if ((end < 0 ? bytes.length : end) > this.#options.maxHeaderBytes)
      throw new GatewayError('over-limit', {
        detail: `The header of a part is larger than ${this.#options.maxHeaderBytes} bytes: send a smaller one.`,
      })
    if (end < 0) return 0
    this.#sink = this.#options.part(parseHeader(bytes.toString('latin1', 2, Math.max(2, end))))
    this.#state = 'content-start'
    // The CRLF stays: the delimiter after an empty part begins with it
    return end + 2
  }

  #readContentStart(bytes: Buffer): number {
    if (bytes.length < this.#delimiter.length) return 0
    this.#state = 'content'
    return bytes.subarray(0, this.#delimiter.length).equals(this.#delimiter) ? 0 : crlf.length
  }

  async #readContent(bytes: Buffer): Promise<number> {
    const { at, found } = search(bytes, this.#delimiter)
    if (at > 0) await this.#sink?.write(bytes.subarray(0, at))
    if (!found) return at
    const sink = this.#sink
    this.#sink = undefined
    await sink?.end()
    this.#state = 'delimiter'
    return at + this.#delimiter.length
  }

  #noBoundary(): GatewayError {
    return malformed(
      'The message does not begin with the boundary that its media type names, on lines that end with CRLF: send the same boundary in both.',
    )
  }
}

/** Where the delimiter stands, or else from where on it may have begun. */
function search(bytes: Buffer, delimiter: Buffer): { readonly at: number; readonly found: boolean } {
  const at = bytes.indexOf(delimiter)
  if (at >= 0) return { at, found: true }
  const tail = Math.max(0, bytes.length - delimiter.length + 1)
  // A boundary holds no CR: only the last one can begin a delimiter
  const start = bytes.subarray(tail).lastIndexOf(0x0d)
  const begun = start >= 0 && delimiter.subarray(0, bytes.length - tail - start).equals(bytes.subarray(tail + start))
  return { at: begun ? tail + start : bytes.length, found: false }
}

/** RFC 5322 §2.2 fields: token, colon, value; a line that begins with white space continues the one before. */
function parseHeader(block: string): PartHeader {
  const header = new Map<string, string>()
  if (block === '') return header
  let last: string | undefined
  for (const line of block.split('\r\n')) {
    if (/^[ \t]/.test(line) && last !== undefined && !/[\r\n\0]/.test(line)) {
      header.set(last, `${header.get(last)} ${line.trim()}`)
      continue
    }
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128})[ \t]*:([^\r\n\0]*)$/.exec(line)
    if (field === null)
      throw malformed('A header line of a part is not of the form Name: value, or does not end with CRLF.')
    last = (field[1] as string).toLowerCase()
    if (header.has(last)) throw malformed('A part has the same header field twice.')
    header.set(last, (field[2] as string).trim())
  }
  return header
}
