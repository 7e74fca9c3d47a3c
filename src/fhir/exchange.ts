/** One request through the door: who calls, what was declared, what form to answer in; and every error to one place. */
import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { Caller } from '../access/caller.ts'
import { purposeInForce, readConsentHeader, readPurposeHeader } from '../access/declaration.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { tellRefused } from '../operations/alerts.ts'
import type { RequestContext, RequestOrigin } from '../operations/ports.ts'
import { drain, sendError } from './answer.ts'
import { type Format, responseFormat, tableFormat } from './negotiate.ts'
import type { Query } from './paging.ts'
import type { Exchange, FhirParts, Handler } from './parts.ts'
import { parseQuery, queryOf } from './query.ts'

export interface Serving {
  readonly transaction: string
  readonly handle: Handler
  /** Answered to anyone: no identity is looked at. */
  readonly open?: true
}

/** A transaction as an Express handler: it always answers, and logs one line without anything personal in it. */
export function serve(
  { transaction, handle, open }: Serving,
  parts: FhirParts,
  { patientIds, jobs }: Pick<Exchange, 'patientIds' | 'jobs'>,
): RequestHandler {
  return async (request, response) => {
    const started = performance.now()
    const requestId = requestIdOf(request)
    setCommonHeaders(response, requestId)
    let code: string | undefined
    try {
      const query = parseQuery(queryOf(request.originalUrl))
      const baseUrl = baseUrlOf(request, parts)
      const context = open
        ? anyone(transaction, requestId)
        : await contextOf(request, parts, { transaction, requestId, baseUrl })
      // The form of documents is their own affair (ITI-68), a copy is a ZIP, and a history may be a table
      const own =
        transaction === 'ITI-68' ||
        transaction === 'copy' ||
        (transaction === 'ITI-81' && tableFormat(request.headers.accept, formatOf(query)) !== undefined)
      const format = own ? 'json' : responseFormat(request.headers.accept, formatOf(query))
      if (context.purpose !== 'normal') response.setHeader('DMP-Access-Mode', context.purpose)
      await handle({ request, response, parts, patientIds, jobs, baseUrl, query, format, context })
    } catch (thrown) {
      const error = answerError(request, response, thrown)
      code = error.code
      if (error.code === 'internal' && !response.destroyed) logInternal(parts, error, requestId)
    }
    drain(request)
    parts.log.info(
      {
        transaction,
        requestId,
        status: response.statusCode,
        ms: Math.round(performance.now() - started),
        ...(code === undefined ? {} : { code }),
      },
      'fhir',
    )
  }
}

/** Answers anything thrown as an OperationOutcome. */
export function answerError(request: Request, response: Response, thrown: unknown): GatewayError {
  const error = toGatewayError(thrown)
  sendError(response, error, errorFormat(request))
  return error
}

export function setCommonHeaders(response: Response, requestId: string): void {
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('Vary', 'Accept, Authorization')
  response.setHeader('X-Request-Id', requestId)
}

export function requestIdOf(request: Request): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
}

/** An error is told in the form asked for, in JSON to a caller who takes no FHIR. */
function errorFormat(request: Request): Format {
  try {
    return responseFormat(request.headers.accept, formatOf(parseQuery(queryOf(request.originalUrl))))
  } catch {
    return 'json'
  }
}

export function formatOf(query: Exchange['query']): string | undefined {
  return query.find(([name]) => name === '_format')?.[1]
}

/** Where this caller reaches the door: as configured, else from Host, which must be a host and nothing else. */
export function baseUrlOf(request: Request, { baseUrl }: Pick<FhirParts, 'baseUrl'>): string {
  if (baseUrl !== undefined) return baseUrl
  const { host } = request.headers
  if (host === undefined || !/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(host))
    throw new GatewayError('header-invalid', { detail: 'Send Host: the name or address of this server.' })
  return `${'encrypted' in request.socket ? 'https' : 'http'}://${host}${request.baseUrl}`
}

async function contextOf(
  request: Request,
  parts: FhirParts,
  { transaction, requestId, baseUrl }: { transaction: string; requestId: string; baseUrl: string },
): Promise<RequestContext> {
  const caller = await callerOf(request, parts, baseUrl).catch((error: unknown) => {
    tellRefused(parts.alerts, 'fhir', request.socket.remoteAddress, error)
    throw error
  })
  const declaration = readConsentHeader(header(request, 'dmp-consent'))
  const { purpose, reason } = purposeInForce(caller, readPurposeHeader(header(request, 'dmp-purpose-of-use')))
  return {
    caller,
    purpose,
    ...(reason === undefined ? {} : { reason }),
    declaration,
    door: 'fhir',
    transaction,
    requestId,
    origin: originOf(request, baseUrl),
  }
}

/** A GET is a search where it has parameters; what a POST asks stands in its body (searchedFor). */
function originOf(request: Request, server: string): RequestOrigin {
  const client = request.socket.remoteAddress ?? 'unknown'
  const asked = request.originalUrl.slice(request.baseUrl.length + 1)
  return { client, server, ...(request.method === 'GET' && asked.includes('?') ? { query: asked } : {}) }
}

/** The context of a search whose parameters came in a form. */
export function searchedFor({ context, request, query }: Exchange, form: Query): RequestContext {
  const { origin } = context
  if (origin === undefined) return context
  const type = request.path.split('/')[1] ?? ''
  const parameters = [...query, ...form].map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return { ...context, origin: { ...origin, query: `${type}?${parameters.join('&')}` } }
}

/** Whoever asks for what is open to all: it has no rights, whatever the route would ask of the operations. */
function anyone(transaction: string, requestId: string): RequestContext {
  const caller: Caller = {
    kind: 'structure',
    authentication: 'indirect',
    specialities: [],
    regulation: false,
    secretConnection: false,
    proof: 'anonymous',
  }
  return { caller, purpose: 'normal', declaration: {}, door: 'fhir', transaction, requestId }
}

/** A token, or else the client certificate of the connection (mutual TLS), or else whoever may come without either. */
async function callerOf(request: Request, { identity }: FhirParts, baseUrl: string): Promise<Caller> {
  const { socket, method, headers } = request
  if (headers.authorization === undefined) {
    const caller = identity.fromConnection(socket) ?? identity.anonymous()
    if (caller) return caller
    throw new GatewayError('identity-missing', { detail: 'Send Authorization: Bearer with a token.' })
  }
  const [, scheme, token] = /^(Bearer|DPoP) +([\w.~+/-]+=*)$/i.exec(headers.authorization) ?? []
  if (scheme === undefined || token === undefined)
    throw new GatewayError('identity-invalid', {
      detail: 'Send Authorization: Bearer followed by one token (RFC 6750), or DPoP (RFC 9449).',
    })
  if (scheme.toLowerCase() === 'bearer') return identity.fromBearer(token, { socket })
  const proof = { jwt: header(request, 'dpop') ?? '', method, url: baseUrl + request.path }
  return identity.fromBearer(token, { socket, proof })
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Where it happened, never what it said: a message may quote what the caller sent. */
function logInternal({ log }: FhirParts, error: GatewayError, requestId: string): void {
  const { cause } = error
  const stack = cause instanceof Error ? (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : []
  log.error(
    { requestId, name: cause instanceof Error ? cause.name : 'unknown', stack: stack.slice(0, 8) },
    'internal error',
  )
}
