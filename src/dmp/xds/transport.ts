/** One exchange with a service of the DMP: HTTPS with the structure's certificate, streamed both ways, bounded in time and size. */
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { GatewayError } from '../../errors.ts'
import type { Spool } from '../../spool/index.ts'
import { readMessage } from '../../xds/mtom/reader.ts'
import type { ComposedRequest } from '../../xds/mtom/request.ts'
import { send } from '../remote/connection.ts'
import type { Credentials } from './credentials.ts'
import type { NationalOptions, Service } from './options.ts'

export type Answer = Awaited<ReturnType<typeof readMessage>>

export interface Transport {
  /**
   * The answer, read whole: its envelope as a tree, its documents in the spool. To be disposed of.
   * @throws GatewayError dmp-unavailable when it is certain that the DMP did not take the request, dmp-outcome-unknown when
   * it may have, dmp-answer-invalid
   */
  exchange(service: Service, request: ComposedRequest): Promise<Answer>
  urlOf(service: Service): string
  /** The DMP's host accepts our certificate. @throws GatewayError dmp-unavailable */
  check(): Promise<void>
}

type Options = Pick<NationalOptions, 'baseUrl' | 'services' | 'timeouts' | 'limits'>

export function createTransport(options: Options, credentials: Credentials, spool: Spool): Transport {
  const urlOf = (service: Service) => `${options.baseUrl.replace(/\/$/, '')}/${options.services[service]}`
  return {
    urlOf,
    async exchange(service, request) {
      const response = await send(options.timeouts, credentials.agent, {
        method: 'POST',
        url: urlOf(service),
        headers: { 'Content-Type': request.contentType, Accept: '*/*' },
        body: { length: request.length, stream: () => request.body() },
      })
      const stopped = setTimeout(() => response.destroy(), options.timeouts.exchange)
      try {
        return await readMessage(response, {
          spool,
          limits: {
            maxEnvelopeBytes: options.limits.envelope,
            maxDocumentBytes: options.limits.document,
            maxMessageBytes: options.limits.envelope + options.limits.document * 4,
          },
        })
      } catch (error) {
        response.destroy()
        if (error instanceof GatewayError && error.code === 'store-unavailable') throw error
        const status = response.statusCode ?? 0
        // A proxy that says 502, 503 or 504 in HTML, or an answer cut short: nothing can be told from it
        throw new GatewayError(status >= 500 || !response.complete ? 'dmp-outcome-unknown' : 'dmp-answer-invalid', {
          detail: `The DMP answered HTTP ${status} with a message that cannot be read.`,
          cause: error,
        })
      } finally {
        clearTimeout(stopped)
      }
    },
    check: () => connect(options, credentials),
  }
}

async function connect({ baseUrl, timeouts }: Options, credentials: Credentials): Promise<void> {
  const request = httpsRequest(baseUrl, { method: 'HEAD', agent: credentials.agent })
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject)
      request.setTimeout(timeouts.connect, () => request.destroy(new Error('no answer in time')))
      request.end()
    })
    response.resume()
  } catch (cause) {
    throw new GatewayError('dmp-unavailable', { cause })
  }
}
