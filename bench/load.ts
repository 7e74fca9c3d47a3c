/**
 * A load of prepared HTTP requests over raw sockets: a client that costs next to nothing, so that what is measured is the
 * server. Each caller sends its next request when the answer to the one before is there to its last byte.
 */
import { connect, type Socket } from 'node:net'

export interface Prepared {
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** The bytes of a request on the wire. */
export function onTheWire({ path, method, headers, body = Buffer.alloc(0) }: Prepared, port: number): Buffer {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, 'Content-Length': String(body.length) })
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

export interface LoadResult {
  readonly perSecond: number
  readonly seconds: number
}

/** Sends every request, `callers` at a time. Throws at the first answer that is not 2xx, or that `accept` refuses. */
export async function load(
  port: number,
  requests: readonly Buffer[],
  callers: number,
  accept: (answer: Buffer) => boolean = () => true,
): Promise<LoadResult> {
  let next = 0
  const start = process.hrtime.bigint()
  await Promise.all(
    Array.from({ length: Math.min(callers, requests.length) }, async () => {
      const caller = await Caller.connect(port)
      for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
        const answer = await caller.ask(request)
        if (!/^HTTP\/1\.1 2\d\d /.test(answer.toString('latin1', 0, 13)) || !accept(answer))
          throw new Error(`unexpected answer: ${answer.toString('utf8', 0, 2000)}`)
      }
      caller.end()
    }),
  )
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  return { perSecond: requests.length / seconds, seconds }
}

/** One request, its whole answer. */
export async function ask(port: number, request: Buffer): Promise<Buffer> {
  const caller = await Caller.connect(port)
  const answer = await caller.ask(request)
  caller.end()
  return answer
}

/** The body of an answer as it came on the wire, without chunk framing. */
export function bodyOf(answer: Buffer): Buffer {
  const end = answer.indexOf('\r\n\r\n') + 4
  if (!/transfer-encoding: *chunked/i.test(answer.toString('latin1', 0, end))) return answer.subarray(end)
  const chunks: Buffer[] = []
  for (let at = end; ; ) {
    const line = answer.indexOf('\r\n', at)
    const size = Number.parseInt(answer.toString('latin1', at, line), 16)
    if (!(size > 0)) return Buffer.concat(chunks)
    chunks.push(answer.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}

export function headerOf(answer: Buffer, name: string): string {
  const head = answer.toString('latin1', 0, answer.indexOf('\r\n\r\n'))
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim() ?? ''
}

const lastChunk = Buffer.from('\r\n0\r\n\r\n')

class Caller {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #size = 0
  /** Bytes of the whole answer, or the sign that chunks end. */
  #expected: number | 'chunked' | undefined
  #done: ((answer: Buffer) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk as Buffer))
    socket.on('error', (error) => this.#failed?.(error))
    socket.on('close', () => this.#failed?.(new Error('the connection was closed before the answer')))
  }

  static async connect(port: number): Promise<Caller> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Caller(socket)
  }

  ask(request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#done = resolve
      this.#failed = reject
      this.#socket.write(request)
    })
  }

  end(): void {
    this.#failed = undefined
    this.#socket.end()
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    this.#expected ??= this.#readHead()
    if (this.#expected === 'chunked' ? !this.#endsInLastChunk() : this.#size < (this.#expected ?? Infinity)) return
    const answer = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#size = 0
    this.#expected = undefined
    this.#done?.(answer)
  }

  #readHead(): number | 'chunked' | undefined {
    const start = Buffer.concat(this.#chunks)
    const end = start.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const length = headerOf(start, 'content-length')
    return length === '' ? 'chunked' : end + 4 + Number(length)
  }

  #endsInLastChunk(): boolean {
    const tail = this.#chunks.at(-1) ?? lastChunk
    if (tail.length >= lastChunk.length) return tail.subarray(-lastChunk.length).equals(lastChunk)
    return Buffer.concat(this.#chunks.slice(-8)).subarray(-lastChunk.length).equals(lastChunk)
  }
}
