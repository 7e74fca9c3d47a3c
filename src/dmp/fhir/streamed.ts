/**
 * JSON with documents in it, made as it is sent: the base64 of each is written where its place was held, and no document
 * is ever whole in memory.
 */
import { randomBytes } from 'node:crypto'
import type { DocumentContent } from '../../operations/ports.ts'
import { encodeBase64 } from '../../spool/index.ts'
import type { OutgoingBody } from './transport.ts'

/** Gives a text that stands for a document in the value, wherever its base64 is to be. */
export type HoldPlace = (content: DocumentContent) => string

export function streamedJson(make: (hold: HoldPlace) => unknown): OutgoingBody {
  // Nobody who writes metadata can know it
  const nonce = randomBytes(16).toString('hex')
  const documents: DocumentContent[] = []
  const text = JSON.stringify(
    make((content) => {
      documents.push(content)
      return `${nonce}:${documents.length - 1}:`
    }),
  )
  const pieces: (Buffer | DocumentContent)[] = []
  let at = 0
  for (const place of text.matchAll(new RegExp(`${nonce}:(\\d+):`, 'g'))) {
    const document = documents[Number(place[1])]
    pieces.push(Buffer.from(text.slice(at, place.index)))
    if (document !== undefined) pieces.push(document)
    at = place.index + place[0].length
  }
  pieces.push(Buffer.from(text.slice(at)))
  const lengthOf = (piece: Buffer | DocumentContent) =>
    Buffer.isBuffer(piece) ? piece.length : Math.ceil(piece.size / 3) * 4
  return {
    length: pieces.reduce((sum, piece) => sum + lengthOf(piece), 0),
    async *stream() {
      for (const piece of pieces)
        if (Buffer.isBuffer(piece)) yield piece
        else yield* encodeBase64(piece.stream())
    },
  }
}
