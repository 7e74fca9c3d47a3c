/**
 * The userinfo endpoint of an OpenID provider (OIDC Core 5.3). An access token of Pro Santé Connect says which client it is
 * for and who holds the session; profession, speciality, structure and sector are told here only, in JSON or as a signed JWT.
 * Asked once for each token, after its signature held; whatever goes wrong, nobody is known.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { invalid } from './refusal.ts'

export interface UserInfoOptions {
  readonly url: string
  /** PEM: authorities of the provider; client certificate and key where it asks for them. */
  readonly ca?: Buffer | undefined
  readonly certificate?: Buffer | undefined
  readonly key?: Buffer | undefined
  /** Only a signed JWT is believed. Default false: JSON too, as the connection came from the provider. */
  readonly signed?: boolean | undefined
  /** Milliseconds for the whole answer; default 5000. */
  readonly timeout?: number | undefined
}

/**
 * What the provider says of the holder of an access token.
 * @param verify gives the claims of a signed answer
 * @throws GatewayError identity-invalid when the provider does not know the token; identity-provider-unavailable when it
 *   cannot be asked, or its answer cannot be used; busy when too many wait for it
 */
export type UserInfo = (
  token: string,
  subject: string,
  verify: (jwt: string) => Promise<unknown>,
) => Promise<Readonly<Record<string, unknown>>>

/** Bytes of an answer: a professional with fifty places of practice has some 60,000. */
const maxLength = 256 * 1024
/** Questions under way at once. */
const mostWaiting = 64

const answered = z.looseObject({ sub: z.string() })

export function createUserInfo(options: UserInfoOptions): UserInfo {
  const ask = asker(options)
  let waiting = 0
  return async (token, subject, verify) => {
    if (waiting >= mostWaiting) throw new GatewayError('busy')
    waiting++
    try {
      const { status, type, body } = await ask(token).catch((error: unknown) => {
        throw unavailable('The identity provider does not answer (userinfo).', error)
      })
      if (status === 401 || status === 403)
        throw invalid('The identity provider does not know this token any more: sign in again.')
      if (status !== 200) throw unavailable(`The identity provider answers ${status} (userinfo).`)
      const claims = answered.safeParse(await claimsOf(type, body, options.signed === true, verify))
      if (!claims.success) throw unavailable('The answer of the identity provider has no sub (userinfo).')
      // OIDC Core 5.3.2: or else it speaks of somebody else
      if (claims.data.sub !== subject) throw invalid('The identity provider speaks of another person than the token.')
      return claims.data
    } finally {
      waiting--
    }
  }
}

async function claimsOf(
  type: string,
  body: string,
  signed: boolean,
  verify: (jwt: string) => Promise<unknown>,
): Promise<unknown> {
  if (type === 'application/jwt')
    return verify(body.trim()).catch((error: unknown) => {
      throw unavailable('The signed answer of the identity provider does not verify (userinfo).', error)
    })
  if (signed) throw unavailable('The identity provider does not sign its answer (userinfo), which is asked for here.')
  try {
    return JSON.parse(body)
  } catch (error) {
    throw unavailable('The answer of the identity provider is no JSON (userinfo).', error)
  }
}

interface Answer {
  readonly status: number
  /** Media type without parameters. */
  readonly type: string
  readonly body: string
}

/** No redirect is followed: a token goes where it is configured to go. */
function asker({ url, ca, certificate, key, timeout = 5000 }: UserInfoOptions): (token: string) => Promise<Answer> {
  const secure = url.startsWith('https:')
  const agent = secure
    ? new HttpsAgent({
        keepAlive: true,
        minVersion: 'TLSv1.2',
        ...(ca !== undefined && { ca }),
        ...(certificate !== undefined && { cert: certificate }),
        ...(key !== undefined && { key }),
      })
    : new HttpAgent({ keepAlive: true })
  const request = secure ? httpsRequest : httpRequest
  return (token) =>
    new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${token}`, Accept: 'application/jwt, application/json' }
      const sent = request(url, { agent, headers, signal: AbortSignal.timeout(timeout) }, (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > maxLength) response.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          const [type = ''] = (response.headers['content-type'] ?? '').split(';')
          const body = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, type: type.trim().toLowerCase(), body })
        })
      })
      sent.on('error', reject)
      sent.end()
    })
}

function unavailable(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('identity-provider-unavailable', { detail, cause })
}
