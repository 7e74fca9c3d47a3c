/**
 * One exchange with the DMP: HTTPS with the structure's certificate, streamed both ways, bounded in time. Nothing is sent
 * a second time, no redirect is followed, no compression is taken (a small answer must not become a large one).
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../../errors.ts'
import type { Credentials } from './credentials.ts'
import type { FhirDmpOptions } from './options.ts'

export interface OutgoingBody {
  /** Bytes. */
  readonly length: number
  stream(): AsyncIterable<Buffer>
}

export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the base of the DMP: whoever makes it has seen to that. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: OutgoingBody
  /** It changes nothing, so that a lost answer leaves no doubt. */
  readonly safe: boolean
}

export interface Incoming {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** To be read to its end, or given up. @throws GatewayError when it is cut short or longer than `most` bytes */
  read(most: number): AsyncGenerator<Buffer>
  giveUp(): void
}

export interface Transport {
  /**
   * @throws GatewayError dmp-unavailable when it is certain that nothing was done, dmp-outcome-unknown when something may
   * have been
   */
  exchange(outgoing: Outgoing): Promise<Incoming>
}

type Options = Pick<FhirDmpOptions, 'timeouts'>

export function createTransport(options: Options, credentials: Pick<Credentials, 'agent'>): Transport {
  return {
    async exchange(outgoing) {
      const response = await send(options, credentials, outgoing)
      const giveUp = () => void response.destroy()
      if ((response.headers['content-encoding'] ?? 'identity') !== 'identity') {
        giveUp()
        throw unusable(outgoing, 'is compressed, which was not asked for')
      }
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        read: (most) => read(options, outgoing, response, most),
        giveUp,
      }
    },
  }
}

/** What cannot be read leaves in doubt whether a change was made; of a question nothing has come of it. */
export function unusable({ safe }: Pick<Outgoing, 'safe'>, what: string, cause?: unknown): GatewayError {
  const detail = `The answer of the DMP ${what}.`
  return new GatewayError(safe ? 'dmp-answer-invalid' : 'dmp-outcome-unknown', { detail, cause })
}

async function* read(
  { timeouts }: Options,
  outgoing: Outgoing,
  response: IncomingMessage,
  most: number,
): AsyncGenerator<Buffer> {
  const late = setTimeout(() => response.destroy(new Error('exchange too long')), timeouts.exchange)
  try {
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > most) throw unusable(outgoing, `is longer than ${most} bytes`)
      yield chunk
    }
    if (!response.complete) throw unusable(outgoing, 'is cut short')
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : unusable(outgoing, 'is cut short', cause)
  } finally {
    clearTimeout(late)
    response.destroy()
  }
}

async function send(
  { timeouts }: Options,
  { agent }: Pick<Credentials, 'agent'>,
  { method, url, headers, body, safe }: Outgoing,
): Promise<IncomingMessage> {
  const length = body && { 'Content-Length': body.length }
  const request = httpsRequest(url, {
    method,
    agent,
    headers: { ...headers, 'Accept-Encoding': 'identity', ...length },
  })
  let connected = false
  const reached = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
    request.setTimeout(timeouts.idle, () => request.destroy(new Error('idle')))
    watchConnection(request, timeouts.connect, () => {
      connected = true
    })
  })
  const whole = setTimeout(() => request.destroy(new Error('exchange too long')), timeouts.exchange)
  // An answer may come before the request has gone out whole: it is then the answer, and the rest is not sent
  if (body === undefined) request.end()
  else
    pipeline(Readable.from(body.stream(), { objectMode: false }), request).catch((error: Error) =>
      request.destroy(error),
    )
  try {
    return await reached
  } catch (cause) {
    throw new GatewayError(connected && !safe ? 'dmp-outcome-unknown' : 'dmp-unavailable', { cause })
  } finally {
    clearTimeout(whole)
  }
}

/** TCP and TLS have their own, shorter time: nothing was sent before they stand. */
function watchConnection(request: ClientRequest, limit: number, done: () => void): void {
  const late = setTimeout(() => request.destroy(new Error('no connection in time')), limit)
  request.once('close', () => clearTimeout(late))
  const stands = () => {
    clearTimeout(late)
    done()
  }
  request.once('socket', (socket) => {
    if (request.reusedSocket) stands()
    else socket.once('secureConnect', stands)
  })
}
