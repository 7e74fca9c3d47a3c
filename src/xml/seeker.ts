/** Looks for a name in bytes that come in pieces: for the places where it may be a whole XML name. */

export interface Place {
  /** Where the name begins; or from where on the bytes must wait for those that follow: their end when nothing does. */
  readonly at: number
  /** Behind the name, where white space, `>` or `/` stands; undefined when there is no such place in these bytes. */
  readonly after?: number
}

export class Seeker {
  readonly #name: Buffer
  #bytes: Buffer | undefined
  #place: Place = { at: 0 }

  constructor(name: string) {
    this.#name = Buffer.from(name)
  }

  /** The first place at or behind `from`. Nothing is searched twice, however often it is asked about the same bytes. */
  seek(bytes: Buffer, from: number): Place {
    if (this.#bytes !== bytes || this.#place.at < from) {
      this.#bytes = bytes
      this.#place = this.#search(bytes, from)
    }
    return this.#place
  }

  #search(bytes: Buffer, from: number): Place {
    const { length } = this.#name
    for (let at = bytes.indexOf(this.#name, from); at >= 0; at = bytes.indexOf(this.#name, at + 1)) {
      const after = at + length
      const next = bytes[after]
      // After a last CR comes a LF or not: one line end or two things (XML 1.0 §2.11)
      if (next === undefined || (next === cr && after + 1 === bytes.length)) return { at }
      if (isSpace(next) || next === gt || next === slash) return { at, after }
    }
    for (let size = Math.min(length - 1, bytes.length - from); size > 0; size--)
      if (this.#name.compare(bytes, bytes.length - size, bytes.length, 0, size) === 0)
        return { at: bytes.length - size }
    return { at: bytes.length }
  }
}

const cr = 0x0d
const gt = 0x3e
const slash = 0x2f

/** White space of XML. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === cr || byte === 0x09
}
