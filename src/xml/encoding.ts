/** From bytes to characters, as XML 1.0 appendix F lets a reader do: UTF-8, or UTF-16 with a byte order mark; nothing else. */
import { malformed } from './error.ts'

export interface Decoder {
  decode(chunk: Uint8Array): string
  /** What was held back; throws when a character is incomplete. */
  end(): string
  /** Checks the encoding named by the XML declaration against the one the bytes are in. */
  declared(encoding: string): void
}

const send = 'send UTF-8'

/** @throws XmlError (from decode and end) when the bytes are not in the encoding. */
export function createDecoder(): Decoder {
  let head: Uint8Array | undefined = new Uint8Array(0)
  let encoding = 'utf-8'
  let decoder = new TextDecoder('utf-8', { fatal: true })

  const choose = (bytes: Uint8Array): void => {
    const [first, second] = bytes
    if (first === 0xfe && second === 0xff) encoding = 'utf-16be'
    else if (first === 0xff && second === 0xfe) encoding = 'utf-16le'
    else if (first === 0 || second === 0) throw malformed(`the encoding of the XML is not known: ${send}`)
    if (encoding !== 'utf-8') decoder = new TextDecoder(encoding, { fatal: true })
    head = undefined
  }
  const decode = (bytes: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(bytes, { stream })
    } catch {
      throw malformed(`the XML is not valid ${encoding.toUpperCase()}: ${send}`)
    }
  }

  return {
    decode(chunk) {
      if (head === undefined) return decode(chunk, true)
      const bytes = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      if (bytes.length < 2) {
        head = Uint8Array.from(bytes)
        return ''
      }
      choose(bytes)
      return decode(bytes, true)
    },
    end() {
      const rest = head ?? new Uint8Array(0)
      return decode(rest, false)
    },
    declared(name) {
      const lower = name.toLowerCase()
      if (lower === encoding || (lower === 'utf-16' && encoding.startsWith('utf-16'))) return
      throw malformed(
        lower === 'utf-8' || lower.startsWith('utf-16')
          ? `the XML declaration names another encoding than the bytes are in: ${send}`
          : `only UTF-8 (or UTF-16 with a byte order mark) is read: ${send}`,
      )
    },
  }
}
