/** Base64 (RFC 4648 §4) decoded as it streams: strict, with XML white space allowed anywhere. */
import { GatewayError } from '../errors.ts'

const equals = 0x3d
const spaces = [0x20, 0x0a, 0x0d, 0x09]
/** What Node's own decoder would take for `+` and `/`, and what would stop it. */
const urlSafe = [0x2d, 0x5f]

/** 0 for white space, 1 for every other byte: what copying it moves on by. */
const advance = Uint8Array.from({ length: 256 }, (_, byte) => (spaces.includes(byte) ? 0 : 1))

function refused(detail: string): GatewayError {
  return new GatewayError('malformed', {
    detail: `${detail}: send the bytes of the document in base64 (RFC 4648 section 4), padded with =.`,
  })
}

/**
 * `write` gives the bytes that are complete so far; `end` checks the end and gives the last ones.
 * Both throw GatewayError `malformed` on any character but A–Z a–z 0–9 + / white space, and = at the end.
 */
export class Base64Decoder {
  /** Up to three characters that do not make a group of four yet. */
  #carry = ''
  #padding = 0

  write(chunk: Uint8Array): Buffer {
    let bytes = withoutSpace(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    if (bytes.length === 0) return bytes
    const pad = this.#padding > 0 ? 0 : bytes.indexOf(equals)
    if (pad >= 0) {
      this.#padding += bytes.length - pad
      if (this.#padding > 2 || bytes.subarray(pad).some((byte) => byte !== equals))
        throw refused('Characters follow the end of the base64 text')
      bytes = bytes.subarray(0, pad)
    }
    for (const byte of urlSafe) if (bytes.includes(byte)) throw notBase64()
    const text = this.#carry + bytes.toString('latin1')
    const whole = text.length - (text.length % 4)
    this.#carry = text.slice(whole)
    return decode(whole === text.length ? text : text.slice(0, whole), (whole / 4) * 3)
  }

  end(): Buffer {
    const { length } = this.#carry
    if (length === 0 && this.#padding === 0) return Buffer.alloc(0)
    if (length + this.#padding !== 4 || length < 2) throw refused('The base64 text is incomplete')
    return decode(this.#carry, length - 1)
  }
}

function notBase64(): GatewayError {
  return refused('The base64 text holds a character that is not base64')
}

/** Node's decoder skips what it does not know: then the result is shorter than the length of the text says. */
function decode(text: string, expected: number): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== expected) throw notBase64()
  return bytes
}

function withoutSpace(chunk: Buffer): Buffer {
  if (!spaces.some((space) => chunk.includes(space))) return chunk
  const kept = Buffer.allocUnsafe(chunk.length)
  let length = 0
  for (let at = 0; at < chunk.length; at++) {
    const byte = chunk[at] as number
    kept[length] = byte
    length += advance[byte] as number
  }
  return kept.subarray(0, length)
}

/** A sink for base64 text that gives the decoded bytes to another sink. */
export function throughBase64<Result>(target: { write(chunk: Uint8Array): unknown; end(): Promise<Result> }): {
  write(base64: Uint8Array): unknown
  end(): Promise<Result>
} {
  const decoder = new Base64Decoder()
  return {
    write(base64) {
      const bytes = decoder.write(base64)
      return bytes.length > 0 ? target.write(bytes) : true
    },
    async end() {
      const rest = decoder.end()
      if (rest.length > 0) await target.write(rest)
      return await target.end()
    },
  }
}

/** Base64 of a stream, in pieces whose concatenation is the base64 of the whole; no line ends. */
export async function* encodeBase64(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let carry: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const bytes = carry.length === 0 ? fresh : Buffer.concat([carry, fresh])
    const whole = bytes.length - (bytes.length % 3)
    carry = Buffer.from(bytes.subarray(whole))
    if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1')
  }
  if (carry.length > 0) yield Buffer.from(carry.toString('base64'), 'latin1')
}
