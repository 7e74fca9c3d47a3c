import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GatewayError } from '../../src/errors.ts'
import { Base64Decoder, encodeBase64, throughBase64 } from '../../src/spool/index.ts'
import { brokenBase64, inPieces, pieceSizes } from '../arbitraries/xml.ts'

function decoded(pieces: readonly Uint8Array[]): Buffer {
  const decoder = new Base64Decoder()
  const bytes = pieces.map((piece) => decoder.write(piece))
  return Buffer.concat([...bytes, decoder.end()])
}

async function* streamed(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

const refused = (error: unknown): boolean => error instanceof GatewayError && error.code === 'malformed'

describe('streaming base64', () => {
  it('decodes what any writer makes, broken anywhere, in any pieces', () => {
    fc.assert(
      fc.property(brokenBase64, pieceSizes, (text, sizes) => {
        assert.deepEqual(decoded(inPieces(text, sizes)), Buffer.from(text, 'base64'))
      }),
    )
  })

  it('refuses any other character anywhere, in any pieces', () => {
    const wrong = fc.constantFrom('-', '_', '.', '<', '&', '\0', '\u00a0', 'é', '\f', '*', '%')
    fc.assert(
      fc.property(brokenBase64, wrong, fc.nat(), pieceSizes, (text, character, at, sizes) => {
        const place = at % (text.length + 1)
        assert.throws(() => decoded(inPieces(text.slice(0, place) + character + text.slice(place), sizes)), refused)
      }),
    )
  })

  for (const [title, text] of [
    ['a missing pad', 'QQ='],
    ['no pad', 'QUI'],
    ['one character', 'Q'],
    ['one character and its pads', 'Q==='],
    ['pads alone', '===='],
    ['a pad too many', 'QUJD='],
    ['pads in the middle', 'QQ==QQ=='],
    ['a character after the pads', 'QQ==A'],
    ['a character between the pads', 'QQ=A='],
  ] as const)
    it(`refuses ${title}, in one piece and in many`, () => {
      assert.throws(() => decoded([Buffer.from(text)]), refused)
      assert.throws(() => decoded(inPieces(text, [1])), refused)
    })

  it('decodes nothing to nothing', () => {
    assert.equal(decoded([]).length, 0)
    assert.equal(decoded([Buffer.from(' \r\n\t')]).length, 0)
  })

  it('encodes a stream as one text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), pieceSizes, async (bytes, sizes) => {
        const pieces: Buffer[] = []
        for await (const piece of encodeBase64(streamed(inPieces(bytes, sizes)))) pieces.push(piece)
        assert.equal(Buffer.concat(pieces).toString(), Buffer.from(bytes).toString('base64'))
      }),
    )
  })

  it('passes on bytes, and the end only of a complete text', async () => {
    const bytes: Uint8Array[] = []
    const target = { write: (chunk: Uint8Array) => bytes.push(chunk), end: async () => Buffer.concat(bytes).toString() }
    const sink = throughBase64(target)
    for (const piece of ['QU', '\nJD', 'RA=', '=']) await sink.write(Buffer.from(piece))
    assert.equal(await sink.end(), 'ABCD')
    const cut = throughBase64(target)
    await cut.write(Buffer.from('QUJDR'))
    await assert.rejects(cut.end(), refused)
  })
})
