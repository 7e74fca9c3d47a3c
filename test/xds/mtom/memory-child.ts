/** Reads one large SOAP message over HTTP and prints the highest resident memory over idle. Arguments: kind, bytes. */
import { boundary, envelope, include, mtomType, part, post, rootHeader, startServer } from './support.ts'

const [kind, bytes] = [process.argv[2] ?? 'mtom', Number(process.argv[3])]
const chunk = Buffer.alloc(63 * 1024, 'document')
const base64 = Buffer.from(chunk.toString('base64'))

function* document(encoded: boolean): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) {
    const last = left < chunk.length ? chunk.subarray(0, left) : chunk
    yield encoded ? (last === chunk ? base64 : Buffer.from(last.toString('base64'))) : last
  }
}

async function* message(): AsyncGenerator<Buffer> {
  if (kind === 'simple') {
    const [before, after] = envelope('DOCUMENT').split('DOCUMENT')
    yield Buffer.from(before ?? '')
    yield* document(true)
    yield Buffer.from(after ?? '')
    return
  }
  const { header } = part('1@test', '', `Content-Transfer-Encoding: ${kind === 'mtom' ? 'binary' : 'base64'}`)
  yield Buffer.from(
    `--${boundary}\r\n${rootHeader.join('\r\n')}\r\n\r\n${envelope(include('cid:1@test'))}\r\n--${boundary}\r\n${header.join('\r\n')}\r\n\r\n`,
  )
  yield* document(kind === 'mtom-base64')
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

const server = await startServer()
const type = kind === 'simple' ? 'application/soap+xml' : mtomType
await post(server.port, type, [Buffer.from(envelope())])
const idle = process.memoryUsage.rss()
let highest = idle
const watch = setInterval(() => {
  highest = Math.max(highest, process.memoryUsage.rss())
}, 5)
const read = await post(server.port, type, message())
clearInterval(watch)
highest = Math.max(highest, process.memoryUsage.rss())
await server.close()
process.stdout.write(JSON.stringify({ status: read.status, size: read.documents?.[0]?.size, grown: highest - idle }))
