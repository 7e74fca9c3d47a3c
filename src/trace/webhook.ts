/**
 * Notifications to another system of the house, which tells people in its own way: one JSON document by POST for each,
 * signed. `DMP-Signature: t=…,v1=…`: v1 is HMAC-SHA256, in hex, of the time t (seconds since 1970), a dot and the body; a
 * receiver refuses what is older than it likes. `DMP-Notification-Id` is the same when one comes again.
 */
import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { splitPatientKey } from '../metadata/identifiers.ts'
import type { Attempt, Channel, Notice } from './notifier.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret: string | Buffer
  readonly ca?: Buffer | undefined
  /** Milliseconds; default 15000. */
  readonly timeout?: number
}

/** Any body but these may be sent again later. */
const final: ReadonlySet<number> = new Set([400, 404, 405, 410, 413, 415, 422])

export function webhookChannel({ url, secret, ca, timeout = 15_000 }: WebhookOptions): Channel {
  return {
    name: 'webhook',
    // The other system knows whom it reaches
    reaches: () => true,
    async send(notice, signal) {
      const body = Buffer.from(JSON.stringify(bodyOf(notice)))
      const seconds = Math.floor(Date.now() / 1000)
      const signature = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')
      const headers = {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': body.length,
        'DMP-Notification-Id': String(notice.no),
        'DMP-Signature': `t=${seconds},v1=${signature}`,
      }
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
      return post(url, { headers, body, signal: limit, ca })
    },
  }
}

function bodyOf(notice: Notice): object {
  const { authority, id } = splitPatientKey(notice.patient)
  return {
    id: notice.no,
    kind: notice.kind,
    recipient: notice.recipient,
    patient: { system: `urn:oid:${authority}`, value: id },
    ...(notice.recipient === 'treating-physician' && { physicians: notice.physicians }),
    ...(notice.recipient === 'author' && { authors: notice.authors }),
    text: notice.text,
    documents: notice.documents,
    at: notice.at,
  }
}

interface Post {
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer
  readonly signal: AbortSignal
  readonly ca: Buffer | undefined
}

function post(url: string, { headers, body, signal, ca }: Post): Promise<Attempt> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve) => {
    let connected = false
    const sent = request(
      url,
      { method: 'POST', headers, signal, agent: false, ...(ca !== undefined && { ca }) },
      (response) => {
        const { statusCode = 0 } = response
        response.resume()
        resolve(statusCode >= 200 && statusCode < 300 ? 'sent' : final.has(statusCode) ? 'refused' : 'later')
      },
    )
    // Before there is a connection nothing can have arrived; after that nobody knows
    sent.once('finish', () => {
      connected = true
    })
    sent.once('error', () => resolve(connected ? 'uncertain' : 'later'))
    sent.end(body)
  })
}
