/** An element that is kept as its source while everything around it is parsed; the cutter's, for what is signed. */
import { malformed, overLimit } from './error.ts'
import { restoreSource, type XmlName } from './reader.ts'
import { type Place, Seeker } from './seeker.ts'
import type { XmlElement } from './tree.ts'

/**
 * The first element of this name in this place is given by its source alone (XmlElement.source), to the end tag of its name
 * that belongs to it as tags are counted. Whoever reads the source must refuse what is not one well-formed element: a tag
 * may also stand in a comment or in CDATA. The place is exact, so that nothing is kept from the parser that is not read.
 */
export interface OpaqueRule {
  readonly element: XmlName
  /** All that it stands in, the root first. */
  readonly path: readonly XmlName[]
}

export class Opaque {
  readonly #name: XmlName
  readonly #path: readonly XmlName[]
  readonly #limit: number
  readonly #start: Seeker
  /** Qualified name of the start tag that was begun last, if it may be this element. */
  #qualified = ''
  #element: XmlElement | undefined
  /** Tags of its own name inside it, and how many of these are open. */
  #startInside = new Seeker('')
  #end = new Seeker('')
  #depth = 0
  readonly #kept: Buffer[] = []
  #size = 0

  /** @param limit bytes of its content */
  constructor({ element, path }: OpaqueRule, limit: number) {
    this.#name = element
    this.#path = path
    this.#limit = limit
    this.#start = new Seeker(element.local)
  }

  /** Where its start tag may be, while it is awaited. */
  seek(bytes: Buffer, from: number): Place | undefined {
    return this.#element === undefined ? this.#start.seek(bytes, from) : undefined
  }

  /** `<name` was read in this place: whether it may be this element. */
  begins(qualified: string, local: string, path: readonly XmlElement[]): boolean {
    const may = this.#element === undefined && local === this.#name.local && this.#isPlace(path)
    if (this.#element === undefined) this.#qualified = may ? qualified : ''
    return may
  }

  #isPlace(path: readonly XmlElement[]): boolean {
    return (
      path.length === this.#path.length &&
      this.#path.every(({ ns, local }, depth) => path[depth]?.ns === ns && path[depth]?.local === local)
    )
  }

  /** Whether the element that was opened is this one, so that its content is to be given to `take`. */
  opens(element: XmlElement): boolean {
    const { ns, local } = this.#name
    if (this.#element !== undefined || this.#qualified === '' || element.ns !== ns || element.local !== local)
      return false
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
