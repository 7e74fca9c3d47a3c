/** Answers: resources in the form asked for, and what to do with a request that was refused before it was read. */
import type { IncomingMessage } from 'node:http'
import type { Resource } from '@medplum/fhirtypes'
import type { Response } from 'express'
import type { GatewayError } from '../errors.ts'
import { type Format, mediaTypes } from './negotiate.ts'
import { headersOf, outcomeOf } from './outcome.ts'
import { resourceToXml } from './structure/xml-writer.ts'

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>'

/** A resource as text, in the form asked for. */
export function serialize(resource: Resource, format: Format): string {
  return format === 'json' ? JSON.stringify(resource) : xmlDeclaration + resourceToXml(resource)
}

export function contentType(format: Format): string {
  return `${mediaTypes[format]}; charset=utf-8`
}

/** Ends the response with a resource. */
export function sendResource(
  response: Response,
  status: number,
  resource: Resource,
  format: Format,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(serialize(resource, format))
  response.writeHead(status, {
    ...headers,
    'Content-Type': contentType(format),
    'Content-Length': body.length,
  })
  response.end(body)
}

/** Ends the response with an OperationOutcome; if it has begun already, cuts it so that nobody takes it for whole. */
export function sendError(response: Response, error: GatewayError, format: Format): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const name of response.getHeaderNames())
    if (/^(etag|location|content-|last-)/.test(name)) response.removeHeader(name)
  sendResource(response, error.http, outcomeOf(error.issues), format, headersOf(error))
}

/** Bytes and time for which the rest of a refused body is read on. */
const lingerBytes = 64 * 1024 * 1024
const lingerMilliseconds = 10_000

/**
 * Lets the caller finish sending, within bounds, so that it reads the answer instead of a broken connection
 * (RFC 9112 §9.6); beyond them the connection is cut.
 */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let left = lingerBytes
  const cut = (): void => {
    request.destroy()
  }
  const timer = setTimeout(cut, lingerMilliseconds)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) cut()
  })
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
  request.once('error', () => clearTimeout(timer))
  request.resume()
}
