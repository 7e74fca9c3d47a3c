/**
 * One exchange with the DMP: HTTPS with the structure's certificate, streamed both ways, bounded in time. Nothing is sent
 * a second time, no redirect is followed, no compression is taken (a small answer must not become a large one).
 */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../errors.ts'
import { send } from '../remote/connection.ts'
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
      const response = await send(options.timeouts, credentials.agent, {
        ...outgoing,
        headers: { ...outgoing.headers, 'Accept-Encoding': 'identity' },
      })
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
