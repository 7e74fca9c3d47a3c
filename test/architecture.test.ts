import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const src = path.join(root, 'src')

/** What each part may import besides itself; the house rule 1 of docs/architecture.md as a table. */
const inner = ['errors.ts', 'metadata', 'nomenclature', 'access', 'operations']
const allowed: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'byte-cache.ts': [],
  xml: [],
  metadata: ['nomenclature', 'access', 'errors.ts'],
  nomenclature: ['metadata', 'access', 'errors.ts'],
  access: ['metadata', 'nomenclature', 'errors.ts'],
  cda: ['xml', 'metadata', 'nomenclature', 'errors.ts'],
  operations: ['errors.ts', 'metadata', 'nomenclature', 'access'],
  spool: ['errors.ts', 'operations'],
  fhir: [...inner, 'byte-cache.ts', 'spool', 'xml', 'cda'],
  xds: [...inner, 'byte-cache.ts', 'spool', 'xml'],
  identity: [...inner, 'xml'],
  trace: [...inner, 'xml'],
  'dmp/embedded': [...inner],
  // What the connectors to a remote DMP share
  'dmp/remote': [...inner],
  // What XDS.b is written in is the same on the way in and on the way out: only these folders of the door, never the door
  'dmp/xds': [...inner, 'dmp/remote', 'spool', 'xml', 'cda', 'xds/ebrim', 'xds/mtom', 'xds/namespaces.ts'],
  // What FHIR is written in, likewise: the mapping, the shape of FHIR, and the words of Consents; never the door
  'dmp/fhir': [
    ...inner,
    'dmp/remote',
    'spool',
    'fhir/mapping',
    'fhir/structure',
    'fhir/consent-reader.ts',
    'fhir/consent-terms.ts',
    'fhir/consent-writer.ts',
  ],
  server: [...inner, 'spool', 'fhir', 'xds', 'dmp', 'trace', 'identity'],
  cli: [...inner, 'server', 'main.ts', 'identity', 'trace', 'dmp/embedded', 'fhir', 'xds', 'spool', 'xml'],
  'main.ts': [...inner, 'cda', 'server', 'spool', 'fhir', 'xds', 'dmp', 'trace', 'identity'],
}

function partOf(file: string): string {
  const [first = '', second = ''] = path.relative(src, file).split(path.sep)
  return first === 'dmp' ? `dmp/${second}` : first
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(src, name))

/** Static and dynamic imports, exports from, and worker URLs that name a file of ours. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  // What is not code (openapi.yaml, profiles) is data: it may stand beside src.
  const found = [...text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+|new URL\(\s*)'(\.{1,2}\/[^']+)'/g)]
  return found
    .map(([, target = '']) => path.resolve(path.dirname(file), target))
    .filter((target) => /\.[tj]s$/.test(target))
}

/** The whole part, or a folder or file of it that the table names. */
function mayImport(from: string, target: string): boolean {
  const inSrc = path.relative(src, target)
  return (
    allowed[from]?.some((part) => part === partOf(target) || inSrc === part || inSrc.startsWith(`${part}/`)) ?? false
  )
}

describe('the house', () => {
  it('has a place in the table for every part under src', () => {
    const parts = new Set(files.map(partOf))
    assert.deepEqual(
      [...parts].filter((part) => !(part in allowed)),
      [],
    )
  })

  it('imports only inwards', () => {
    const breaches: string[] = []
    for (const file of files) {
      const from = partOf(file)
      for (const target of importsOf(file)) {
        const to = partOf(target)
        if (!target.startsWith(src)) breaches.push(`${path.relative(root, file)} leaves src: ${target}`)
        else if (to !== from && !mayImport(from, target))
          breaches.push(`${path.relative(root, file)} imports ${path.relative(root, target)}`)
      }
    }
    assert.deepEqual(breaches, [])
  })

  it('lets only operations/ call a DMP', () => {
    // The simulator of the demo is a DMP itself: what it calls is its own store
    const others = files.filter((file) => !path.relative(src, file).startsWith(path.join('cli', 'simulator')))
    const callers = others.filter((file) =>
      /\bdmp\s*\.\s*(feed|find|read|content|status|open)\(/.test(readFileSync(file, 'utf8')),
    )
    assert.ok(callers.length > 0)
    assert.deepEqual(
      callers.map(partOf).filter((part) => part !== 'operations'),
      [],
    )
  })

  it('keeps files to what is read in one sitting', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 400)
    assert.deepEqual(
      long.map((file) => path.relative(root, file)),
      [],
    )
  })

  it('knows of no console outside the command line, and of no escape from the type checker', () => {
    const offenders = files.filter((file) => {
      const text = readFileSync(file, 'utf8')
      return (
        (!file.includes(`${path.sep}cli${path.sep}`) && /\bconsole\./.test(text)) ||
        /@ts-(ignore|expect-error|nocheck)|biome-ignore|\bas any\b/.test(text)
      )
    })
    assert.deepEqual(
      offenders.map((file) => path.relative(root, file)),
      [],
    )
  })
})
