/**
 * Reads the header of a CDA R2 document from its first bytes and stops where the body begins: a document of any size is
 * never read further than its header. A style sheet that presents itself may carry the document inside (CI-SIS,
 * document auto-présentable).
 */
import { createXmlReader, XmlError } from '../xml/reader.ts'
import { attribute, type XmlElement } from '../xml/tree.ts'
import { type CdaHeader, readHeader } from './header.ts'
import { hl7v3 } from './values.ts'

/** Headers are 10 to 30 KiB in French practice; style sheets before the document count as well. */
export const maxHeaderBytes = 1024 * 1024

/** Bytes parsed between two looks at whether the header has ended. */
const step = 4 * 1024

export type CdaReading =
  | {
      readonly kind: 'header'
      readonly header: CdaHeader
      /** The ClinicalDocument stands inside a style sheet. */
      readonly selfPresenting: boolean
    }
  /** No CDA at all, as far as was looked. */
  | { readonly kind: 'other' }
  /** It begins as a CDA and cannot be read on; `why` says what is wrong, without its content. */
  | { readonly kind: 'unreadable'; readonly why: string }

/** A document as a store or the spool holds it. */
export interface DocumentBytes {
  readonly size: number
  /** The whole of it, where it is small. */
  readonly bytes?: Uint8Array
  stream(range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>
}

/** Reads on only until the header is known. Errors of the stream are the caller's. */
export async function readCda(document: DocumentBytes): Promise<CdaReading> {
  const watch = new Watch()
  const reader = createXmlReader(
    { limits: { maxBytes: maxHeaderBytes + step }, processingInstructions: 'ignore' },
    { openStart: (_, parent) => watch.under(parent), open: (element) => watch.open(element) },
  )
  let seen = 0
  try {
    for await (const chunk of beginningOf(document)) {
      for (let start = 0; start < chunk.length && !watch.done; start += step) {
        const piece = chunk.subarray(start, start + step)
        seen += piece.length
        reader.write(piece)
      }
      if (watch.done || seen >= maxHeaderBytes) break
    }
    if (!watch.done && seen < maxHeaderBytes) reader.end()
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    // What comes after the header is not judged here
    if (watch.document === undefined) return { kind: 'other' }
    if (!watch.done) return { kind: 'unreadable', why: error.message }
  }
  if (watch.document === undefined) return { kind: 'other' }
  if (!watch.done && seen >= maxHeaderBytes)
    return { kind: 'unreadable', why: `the header does not end within ${maxHeaderBytes} bytes` }
  const header = readHeader(watch.document, watch.bodyType)
  return { kind: 'header', header, selfPresenting: watch.selfPresenting }
}

async function* beginningOf(document: DocumentBytes): AsyncGenerator<Uint8Array> {
  const { size, bytes } = document
  if (bytes !== undefined) yield bytes
  else if (size > 0) yield* document.stream({ start: 0, end: Math.min(size, maxHeaderBytes) - 1 })
}

/** Follows the elements as they open, to the start of the body. */
class Watch {
  document: XmlElement | undefined
  selfPresenting = false
  bodyType: string | undefined
  done = false
  #parent: XmlElement | undefined
  #component: XmlElement | undefined
  #unstructured: XmlElement | undefined

  under(parent: XmlElement | undefined): void {
    this.#parent = parent
  }

  open(element: XmlElement): void {
    const parent = this.#parent
    if (this.document === undefined) {
      if (element.ns !== hl7v3 || element.local !== 'ClinicalDocument') return
      this.document = element
      this.selfPresenting = parent !== undefined
    } else if (parent === this.document && element.local === 'component') this.#component = element
    else if (this.#component !== undefined && parent === this.#component) {
      if (element.local === 'nonXMLBody') this.#unstructured = element
      else this.done = true
    } else if (this.#unstructured !== undefined && parent === this.#unstructured && element.local === 'text') {
      // CDA R2: ED.mediaType is text/plain unless it says otherwise
      this.bodyType = attribute(element, 'mediaType') ?? 'text/plain'
      this.done = true
    }
  }
}
