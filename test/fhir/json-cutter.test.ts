import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GatewayError } from '../../src/errors.ts'
import { JsonCutter } from '../../src/fhir/json-cutter.ts'
import { Base64Decoder } from '../../src/spool/base64.ts'

const limits = { maxBytes: 1_000_000, maxDepth: 64, maxNodes: 10_000 }

/** What is left of a message, and the documents that were cut out. */
async function cut(
  text: string | Uint8Array,
  chunkSize = 7,
  options: Partial<typeof limits> = {},
): Promise<{ value: unknown; documents: Buffer[]; text: string }> {
  const documents: Buffer[] = []
  const cutter = new JsonCutter({
    ...limits,
    ...options,
    open: () => {
      const decoder = new Base64Decoder()
      const parts: Buffer[] = []
      return {
        write(text) {
          parts.push(decoder.write(text))
          return undefined
        },
        async end() {
          documents.push(Buffer.concat([...parts, decoder.end()]))
          return `document-${documents.length - 1}`
        },
      }
    },
  })
  const bytes = Buffer.from(text as Uint8Array)
  for (let at = 0; at < bytes.length; at += chunkSize) await cutter.write(bytes.subarray(at, at + chunkSize))
  const left = cutter.end().toString('utf8')
  return { value: JSON.parse(left), documents, text: left }
}

function refuses(text: string, code: string): Promise<void> {
  return assert.rejects(
    () => cut(text),
    (error) => error instanceof GatewayError && error.code === code,
  )
}

/** Puts the documents back where their placeholders are. */
function restore(value: unknown, documents: readonly Buffer[]): unknown {
  if (Array.isArray(value)) return value.map((item) => restore(item, documents))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, restore(child, documents)]))
  const index = typeof value === 'string' ? /^document-(\d+)$/.exec(value)?.[1] : undefined
  return index === undefined ? value : documents[Number(index)]?.toString('base64')
}

/** Base64 may be written with white space anywhere (RFC 4648 §3.3 as FHIR reads it): it comes back without. */
function compact(value: unknown, key?: string): unknown {
  if (key === 'data' && typeof value === 'string') return value.replace(/[ \t\r\n]/g, '')
  if (Array.isArray(value)) return value.map((item) => compact(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, compact(child, name)]))
}

/** JSON text with escapes that a writer may choose: `\/`, `\u0041`, and white space anywhere it is allowed. */
function written(value: unknown, random: (below: number) => number): string {
  const space = (): string => ['', '', ' ', '\n', '\t\r\n'][random(5)] ?? ''
  const string = (text: string): string =>
    `"${[...text]
      .map((character) => {
        const plain = JSON.stringify(character).slice(1, -1)
        if (character === '/' && random(2) === 0) return '\\/'
        if (character.length === 1 && random(6) === 0)
          return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
        return plain
      })
      .join('')}"`
  const write = (each: unknown): string => {
    if (typeof each === 'string') return string(each)
    if (Array.isArray(each)) return `[${space()}${each.map(write).join(`${space()},${space()}`)}${space()}]`
    if (typeof each === 'object' && each !== null)
      return `{${space()}${Object.entries(each)
        .map(([key, child]) => `${string(key)}${space()}:${space()}${write(child)}`)
        .join(`${space()},${space()}`)}${space()}}`
    return JSON.stringify(each)
  }
  return space() + write(value) + space()
}

const base64 = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const keys = fc.constantFrom('attachment', 'resource', 'data', 'contained', 'x', 'é', '__proto__')
const message = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(keys, fc.oneof(tie('value'), base64)), { maxLength: 4 })
    .map((pairs) => Object.fromEntries(pairs)),
})).object

describe('JsonCutter', () => {
  it('leaves exactly what JSON.parse reads, documents moved out, however the text is written and split', async () => {
    await fc.assert(
      fc.asyncProperty(
        message,
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 40 }),
        async (value, stream, size) => {
          const text = written(value, (below) => (stream.next().value ?? 0) % below)
          const expected: unknown = JSON.parse(text)
          let result: Awaited<ReturnType<typeof cut>>
          try {
            result = await cut(text, size)
          } catch (error) {
            // The only reason here: a string in the place of a document that is not base64
            assert.ok(error instanceof GatewayError && error.code === 'malformed')
            assert.match(JSON.stringify(expected), /"data":/)
            return
          }
          assert.deepEqual(compact(restore(result.value, result.documents)), compact(expected))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('agrees with JSON.parse on what is no JSON', async () => {
    const seed = '{"resource":{"data":"QUJD","x":[1,{"attachment":{"data":"\\/\\/8A"}}]},"k":"v\\n"}'
    await fc.assert(
      fc.asyncProperty(
        fc.nat(seed.length - 1),
        fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '\n', 'x', '0', '\u0001'),
        fc.integer({ min: 1, max: 9 }),
        async (at, put, size) => {
          const text = seed.slice(0, at) + put + seed.slice(at + 1)
          const outcome = await cut(text, size).then(
            ({ value, documents }) => ({ value: restore(value, documents) }),
            () => undefined,
          )
          const parsed = ((): { value: unknown } | undefined => {
            try {
              return { value: JSON.parse(text) }
            } catch {
              return undefined
            }
          })()
          if (parsed === undefined) assert.equal(outcome, undefined, text)
          // (The base64 of the seed has no spare bits, so that it is written back as it was.) Where it is JSON, either the same value comes out or the text is refused (base64, a key twice)
          else if (outcome !== undefined) assert.deepEqual(outcome, parsed)
        },
      ),
      { numRuns: 600 },
    )
  })

  it('moves the data of attachments and of resources, the outermost included, and nothing else', async () => {
    const { value, documents } = await cut(
      '{"content":[{"attachment":{"data":"QQ=="}}],"entry":[{"resource":{"data":"QkI="}}],"valueSampledData":{"data":"E"},"data":"Q0M="}',
    )
    assert.deepEqual(documents.map(String), ['A', 'BB', 'CC'])
    assert.deepEqual(value, {
      content: [{ attachment: { data: 'document-0' } }],
      entry: [{ resource: { data: 'document-1' } }],
      valueSampledData: { data: 'E' },
      data: 'document-2',
    })
  })

  it('knows a key by what its escapes mean', async () => {
    const { documents } = await cut('{"\\u0061ttachment":{"d\\u0061ta":"QQ=="}}')
    assert.deepEqual(documents.map(String), ['A'])
  })

  it('reads base64 through JSON escapes, split anywhere', async () => {
    for (const size of [1, 2, 3, 5, 100]) {
      const { documents } = await cut('{"attachment":{"data":"\\/\\u002f8\\n\\r\\n="}}', size)
      assert.deepEqual(documents, [Buffer.from([0xff, 0xff])])
    }
  })

  it('refuses what is not base64 in a document: escapes of other characters, control characters, other letters', async () => {
    for (const data of [
      'QQ\\"==',
      'QQ\\\\==',
      'QQ\\b==',
      'QQ\\u00e9',
      'QQ\\ud83d',
      'é',
      'Q Q*',
      'QQ=\\u003',
      'QQQ',
      'QQ==\\',
    ])
      await refuses(`{"attachment":{"data":"${data}"}}`, 'malformed')
    for (const control of ['\n', '\r', '\t', '\u0001'])
      await refuses(`{"attachment":{"data":"QQ${control}=="}}`, 'malformed')
  })

  it('refuses the same key twice, written differently too', async () => {
    await refuses('{"a":1,"b":{"a":2},"\\u0061":3}', 'malformed')
  })

  it('refuses brackets that do not match and text that ends too early', async () => {
    for (const text of ['[}', '{]', ']', '{"a":[}', '{"attachment":{"data":"QUJD', '{"a'])
      await refuses(text, 'malformed')
  })

  it('has limits on depth, on values, on the text that stays and on the length of a key', async () => {
    await refuses('['.repeat(65), 'over-limit')
    await assert.rejects(() => cut('[1,2,3]', 7, { maxNodes: 2 }), /over-limit/)
    await assert.rejects(() => cut(`["${'x'.repeat(100)}"]`, 7, { maxBytes: 50 }), /over-limit/)
    await refuses(`{"${'k'.repeat(300)}":1}`, 'over-limit')
  })

  it('does not count documents as text', async () => {
    const data = Buffer.alloc(3000).toString('base64')
    const { documents } = await cut(`{"attachment":{"data":"${data}"}}`, 64, { maxBytes: 100 })
    assert.equal(documents[0]?.length, 3000)
  })
})
