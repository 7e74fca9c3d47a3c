/** An element that is kept as its source while everything around it is parsed; the cutter's, for what is signed. */
import { malformed, overLimit } from './error.ts'
import { restoreSource, type XmlName } from './reader.ts'
import { type Place, Seeker } from './seeker.ts'
import type { XmlElement } from './tree.ts'

export class Opaque {
  readonly #name: XmlName
  readonly #limit: number
  readonly #start: Seeker
  /** Qualified name of the start tag that was begun last. */
  #qualified = ''
  #element: XmlElement | undefined
  /** Tags of its own name inside it, and how many of these are open. */
  #startInside = new Seeker('')
  #end = new Seeker('')
  #depth = 0
  readonly #kept: Buffer[] = []
  #size = 0

  /** @param limit bytes of its content */
  constructor(name: XmlName, limit: number) {
    this.#name = name
    this.#limit = limit
    this.#start = new Seeker(name.local)
  }

  /** Where its start tag may be, while it is awaited. */
  seek(bytes: Buffer, from: number): Place | undefined {
    return this.#element === undefined ? this.#start.seek(bytes, from) : undefined
  }

  /** `<name` was read: whether it may be this element. */
  begins(qualified: string, local: string): boolean {
    if (this.#element !== undefined || local !== this.#name.local) return false
    this.#qualified = qualified
    return true
  }

  /** Whether the element that was opened is this one, so that its content is to be given to `take`. */
  opens(element: XmlElement): boolean {
    const { ns, local } = this.#name
    if (this.#element !== undefined || element.ns !== ns || element.local !== local) return false
    this.#element = element
    this.#startInside = new Seeker(`<${this.#qualified}`)
    this.#end = new Seeker(`</${this.#qualified}`)
    return true
  }

  /** Keeps what stands before its end tag; gives where that is, or from where on the bytes must wait for more. */
  take(bytes: Buffer, from: number): Place {
    const place = this.#endIn(bytes, from)
    this.#size += place.at - from
    if (this.#size > this.#limit) throw overLimit(`a ${this.#name.local} is longer than ${this.#limit} bytes`)
    if (place.at > from) this.#kept.push(bytes.subarray(from, place.at))
    return place
  }

  /** The end tag that belongs to it: one inside another of the same name is told by whoever reads the source. */
  #endIn(bytes: Buffer, from: number): Place {
    for (let next = from; ; ) {
      const start = this.#startInside.seek(bytes, next)
      const end = this.#end.seek(bytes, next)
      const place = start.at < end.at ? start : end
      if (place.after === undefined || (place === end && this.#depth === 0)) return place
      this.#depth += place === start ? 1 : -1
      next = place.after
    }
  }

  /** Once everything is read. */
  restore(): void {
    if (this.#element !== undefined) restoreSource(this.#element, utf8(Buffer.concat(this.#kept)))
  }
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('the XML is not valid UTF-8: send UTF-8')
  }
}
