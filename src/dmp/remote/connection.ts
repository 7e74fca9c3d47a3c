/**
 * One request to a DMP on its way: HTTPS with the structure's certificate, bounded in time, streamed. Nothing is sent a
 * second time, and an error says whether the DMP may have taken it.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../../errors.ts'

/** Milliseconds. */
export interface Timeouts {
  /** TCP and TLS: nothing was sent before they stand. */
  readonly connect: number
  /** Without a byte in either direction. */
  readonly idle: number
  /** From the first byte of the request to the last of the answer. */
  readonly exchange: number
}

export interface Sending {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly body?: { readonly length: number; stream(): AsyncIterable<Uint8Array> }
  /** It changes nothing, so that a lost answer leaves no doubt. */
  readonly safe?: boolean
}

/**
 * The answer, as soon as its headers are there.
 * @throws GatewayError dmp-unavailable when it is certain that nothing was done, dmp-outcome-unknown when something may
 * have been
 */
export async function send(
  timeouts: Timeouts,
  agent: Agent,
  { method, url, headers, body, safe = false }: Sending,
): Promise<IncomingMessage> {
  const length = body && { 'Content-Length': body.length }
  const request = httpsRequest(url, { method, agent, headers: { ...headers, ...length } })
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
