/**
 * Between a gateway and its far end, with the certificates of both: shows what is asked, and lets a test answer otherwise
 * than the far end does.
 *
 *   const between = await openProxy(farEnd)
 *   between.answer = ({ path }, answer) => path === '/fhir/metadata' ? { ...answer, status: 500 } : answer
 */
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { decodeJwt, type JWTPayload } from 'jose'
import type { PdsmDmp } from '../../src/cli/simulator/pdsm.ts'

export interface Asked {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Of the bearer token; empty without one. */
  readonly claims: JWTPayload
}

export interface Answered {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
  /** The connection breaks after so many bytes of the body. */
  readonly cutAfter?: number
  /** Nothing is ever answered. */
  readonly silent?: true
}

export interface Between {
  /** `https://localhost:PORT/fhir` */
  readonly baseUrl: string
  /** In order of arrival. */
  readonly asked: Asked[]
  /** What becomes of an answer of the far end. */
  answer: (asked: Asked, answered: Answered) => Answered | Promise<Answered>
  /** Requests wait for this before they go on. */
  pace: (asked: Asked) => Promise<void>
  close(): Promise<void>
}

export async function openProxy({ baseUrl, keys }: Pick<PdsmDmp, 'baseUrl' | 'keys'>): Promise<Between> {
  const target = new URL(baseUrl)
  const [key, cert, ca] = [keys.authentication.key, keys.authentication.certificate, keys.authority].map((file) =>
    readFileSync(file),
  )
  const proxy: Omit<Between, 'baseUrl' | 'close'> = {
    asked: [],
    answer: (_, answered) => answered,
    pace: async () => {},
  }
  const forward = (asked: Asked, host: string) =>
    new Promise<Answered>((resolve, reject) => {
      const { method, path } = asked
      // Its links are to lead back here
      const sent = httpsRequest({
        host: target.hostname,
        port: target.port,
        path,
        method,
        key,
        cert,
        ca,
        headers: { ...asked.headers, host },
      })
      sent.once('error', reject).once('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject)
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        )
      })
      sent.end(asked.body)
    })
  const sockets = new Set<Socket>()
  const server = createServer(
    { key: keys.serverKey, cert: keys.serverCertificate, ca: keys.clientCertificate, requestCert: true },
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const { method = '', url: path = '', headers } = request
      const token = headers.authorization?.replace(/^Bearer /, '')
      const asked = { method, path, headers, body: Buffer.concat(chunks), claims: token ? decodeJwt(token) : {} }
      proxy.asked.push(asked)
      await proxy.pace(asked)
      const {
        status,
        headers: told,
        body,
        cutAfter,
        silent,
      } = await proxy.answer(asked, await forward(asked, headers.host ?? ''))
      if (silent) return
      const { 'transfer-encoding': _, ...rest } = told
      response.writeHead(status, { ...rest, 'content-length': body.length })
      if (cutAfter === undefined) response.end(body)
      else response.write(body.subarray(0, cutAfter), () => response.destroy())
    },
  )
  server.on('secureConnection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(proxy, {
    baseUrl: `https://localhost:${(server.address() as AddressInfo).port}/fhir`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

/** The answer with another body, in JSON. */
export function withJson(answered: Answered, body: unknown): Answered {
  return { ...answered, body: Buffer.from(JSON.stringify(body)) }
}
