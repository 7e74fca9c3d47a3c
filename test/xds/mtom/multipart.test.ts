import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GatewayError } from '../../../src/errors.ts'
import { createMultipartSplitter } from '../../../src/xds/mtom/multipart.ts'
import { inPieces, pieceSizes } from '../../arbitraries/xml.ts'

interface Read {
  readonly header: Record<string, string>
  body: string
  ended: boolean
}

async function split(
  pieces: readonly Uint8Array[],
  options: { boundary?: string; maxParts?: number; maxHeaderBytes?: number } = {},
): Promise<Read[]> {
  const parts: Read[] = []
  const splitter = createMultipartSplitter({
    boundary: 'b',
    maxParts: 10,
    maxHeaderBytes: 200,
    ...options,
    part: (header) => {
      const part: Read = { header: Object.fromEntries(header), body: '', ended: false }
      parts.push(part)
      return {
        write: (bytes) => {
          assert(bytes.length > 0 && !part.ended)
          part.body += bytes.toString('latin1')
        },
        end: () => {
          part.ended = true
        },
      }
    },
  })
  for (const piece of pieces) await splitter.write(piece)
  await splitter.end()
  return parts
}

const coded =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof GatewayError && error.code === code && (error.issues[0].detail ?? '') !== ''

describe('multipart splitter', () => {
  it('gives every part byte for byte, whatever it holds and however it arrives', async () => {
    // What looks like a delimiter, up to the last character that makes it one
    const content = fc
      .array(
        fc.constantFrom(
          '\r',
          '\n',
          '\r\n',
          '\r\n-',
          '\r\n--',
          '\r\n--bound',
          '--boundary',
          '-',
          'x',
          '\0',
          '\xff',
          '\r\n\r\n',
        ),
        { maxLength: 8 },
      )
      .map((list) => list.join(''))
      .filter((text) => !`\r\n${text}\r\n`.includes('\r\n--boundary'))
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', 'preamble\r\n', '\r\n'),
        fc.constantFrom('', '\r\n', '\r\nepilogue --boundary'),
        fc.constantFrom('', ' ', '\t '),
        pieceSizes,
        async (bodies, before, after, padding, sizes) => {
          const source = `${before}${bodies.map((body, index) => `--boundary${padding}\r\nA: ${index}\r\n\r\n${body}\r\n`).join('')}--boundary--${after}`
          const parts = await split(inPieces(Buffer.from(source, 'latin1'), sizes), { boundary: 'boundary' })
          assert.deepEqual(
            parts,
            bodies.map((body, index) => ({ header: { a: String(index) }, body, ended: true })),
          )
        },
      ),
      { numRuns: 500 },
    )
  })

  it('reads header fields in lower case, folded lines as one', async () => {
    const [part] = await split([Buffer.from('--b\r\nContent-Type: a/b;\r\n\tc="d"\r\nX : y:z \r\n\r\n1\r\n--b--')])
    assert.deepEqual(part?.header, { 'content-type': 'a/b; c="d"', x: 'y:z' })
  })

  it('reads a part without any header', async () => {
    assert.deepEqual(await split([Buffer.from('--b\r\n\r\n1\r\n--b--')]), [{ header: {}, body: '1', ended: true }])
  })

  for (const [title, source] of [
    ['nothing', ''],
    ['another boundary', '--c\r\n\r\n1\r\n--c--'],
    ['lines that end with LF', '--b\n\n1\n--b--\n'],
    ['a delimiter line that ends with LF', '--b\r\nA: 1\r\n\r\n1\r\n--b\nA: 2\r\n\r\n2\r\n--b--'],
    ['header lines that end with LF', '--b\r\nA: 1\nB: 2\r\n\r\n1\r\n--b--'],
    ['header lines that end with CR', '--b\r\nA: 1\rB: 2\r\n\r\n1\r\n--b--'],
    ['no closing delimiter', '--b\r\n\r\n1\r\n'],
    ['a closing delimiter cut short', '--b\r\n\r\n1\r\n--b-'],
    ['an end inside a header', '--b\r\nA: 1\r\n'],
    ['an end after a delimiter', '--b\r\n\r\n1\r\n--b'],
    ['a boundary that another begins with', '--b\r\n\r\n1\r\n--bc\r\n\r\n2\r\n--b--'],
    ['a header line without a colon', '--b\r\nA\r\n\r\n1\r\n--b--'],
    ['a header line without a name', '--b\r\n: 1\r\n\r\n1\r\n--b--'],
    ['a header that begins with a continuation', '--b\r\n A: 1\r\n\r\n1\r\n--b--'],
    ['a null in a header', '--b\r\nA: \0\r\n\r\n1\r\n--b--'],
    ['a field twice', '--b\r\nA: 1\r\na: 1\r\n\r\n1\r\n--b--'],
  ] as const)
    it(`refuses ${title}`, async () => {
      await assert.rejects(split([Buffer.from(source)]), coded('malformed'))
      await assert.rejects(split(inPieces(source, [1])), coded('malformed'))
    })

  it('caps header blocks, whether they end or not', async () => {
    for (const header of [`A: ${'x'.repeat(300)}`, `${'A: 1\r\n'.repeat(60)}A: 1`])
      for (const end of ['', '\r\n\r\n1\r\n--b--'])
        await assert.rejects(split(inPieces(`--b\r\n${header}${end}`, [50])), coded('over-limit'))
  })

  it('caps the number of parts', async () => {
    const source = (count: number): Buffer => Buffer.from(`${'--b\r\n\r\n1\r\n'.repeat(count)}--b--`)
    assert.equal((await split([source(10)])).length, 10)
    await assert.rejects(split([source(11)]), coded('over-limit'))
  })

  it('gives up early when the boundary does not come, and on endless white space after one', async () => {
    const splitter = createMultipartSplitter({
      boundary: 'b',
      maxParts: 1,
      maxHeaderBytes: 100,
      part: () => assert.fail('no part'),
    })
    await assert.rejects(splitter.write(Buffer.alloc(200, 'x')), coded('malformed'))
    await assert.rejects(split([Buffer.from(`--b${' '.repeat(300)}`)]), coded('malformed'))
  })

  for (const boundary of ['', 'x'.repeat(71), 'a\r\nb', 'é', 'ends with space '])
    it(`refuses the boundary ${JSON.stringify(boundary.slice(0, 20))}`, async () => {
      await assert.rejects(split([], { boundary }), coded('malformed'))
    })
})
