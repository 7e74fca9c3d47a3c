import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const mib = 1024 * 1024

/** Runs memory-child.ts, which reads one large message in a process of its own; gives its growth over idle, in MiB. */
async function growth(kind: string): Promise<number> {
  const child = spawn(
    process.execPath,
    [new URL('memory-child.ts', import.meta.url).pathname, kind, String(96 * mib)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  const { status, size, grown } = JSON.parse(output) as { status: number; size: number; grown: number }
  assert.equal(status, 200)
  assert.equal(size, 96 * mib)
  return grown / mib
}

describe('memory of a SOAP message of 96 MiB', () => {
  for (const kind of ['mtom', 'mtom-base64', 'simple'])
    it(`stays far below its size: ${kind}`, async () => {
      const grown = await growth(kind)
      assert(grown < 90, `${grown} MiB over idle`)
    })
})
