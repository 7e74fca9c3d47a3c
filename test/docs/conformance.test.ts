import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { storedQueryNames } from '../../src/xds/stored-query/queries.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const text = readFileSync(path.join(root, 'docs', 'conformance.md'), 'utf8')
const xds = /^## XDS\.b$(.*?)(?=^## |$(?![\s\S]))/ms.exec(text)?.[1] ?? ''

/** The rows of the table under a heading, cell by cell. */
function table(heading: string): readonly (readonly string[])[] {
  const section = xds.split(/^### /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const [, , ...rows] = section.split('\n').filter((line) => line.startsWith('| ') || line.startsWith('|-'))
  return rows.map((row) => row.slice(2, -2).split(' | '))
}

/** Where the tests are that the tables name. */
const suites = [
  'test/metadata/rules/*.test.ts',
  'test/xds/**/*.test.ts',
  'test/security/soap-*.test.ts',
  'test/server/affinity-domain.test.ts',
]

/** Rule ids as the reader of a message and the rules of the metadata report them. */
function rulesInCode(): ReadonlySet<string> {
  const files = ['src/xds', 'src/metadata'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(path.join(root, folder, name), 'utf8')),
  )
  const rule = /'((?:[ACDHMRT]|CS|MU|RD|RM)\d{1,2}[a-c]?|SQ|XSD|LM)'/g
  return new Set(files.flatMap((file) => [...file.matchAll(rule)].map(([, id = '']) => id)))
}

describe('docs/conformance.md, XDS.b', () => {
  it('has a line for every rule of the code, and none for another', () => {
    const told = table('Rules of messages').map(([id]) => id ?? '')
    assert.equal(new Set(told).size, told.length)
    assert.deepEqual([...told].sort(), [...rulesInCode()].sort())
  })

  it('has a line for every transaction and every stored query', () => {
    const files = readdirSync(path.join(root, 'src', 'xds')).flatMap((name) => /^(iti-\d+)\.ts$/.exec(name)?.[1] ?? [])
    assert.deepEqual(
      table('Transactions').map(([name = '']) => name.split(' ')[0]?.toLowerCase()),
      files.sort(),
    )
    assert.deepEqual(
      table('Stored queries').map(([name]) => name),
      storedQueryNames,
    )
  })

  it('names tests that exist, in every line', async function () {
    this.timeout(60_000)
    const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [mocha, '--no-config', '--dry-run', '--reporter', 'json', ...suites],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
    )
    const { tests } = JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { tests: readonly { title: string }[] }
    const titles = new Set(tests.map(({ title }) => title))
    for (const heading of [
      'Transactions',
      'Stored queries',
      'Rules of messages',
      'Envelope, packaging, answers',
      'State of the registry',
    ]) {
      const rows = table(heading)
      assert.ok(rows.length > 5, heading)
      for (const row of rows) {
        const named = [...(row.at(-1) ?? '').matchAll(/"([^"]+)"/g)].map(([, title = '']) => title)
        assert.ok(named.length > 0, `${heading}: ${row[0]} names no test`)
        const missing = named.filter((title) => !titles.has(title))
        assert.deepEqual(missing, [], `${heading}: ${row[0]}`)
      }
    }
  })
})
