/** Versions in headers (FHIR R4 http.html#concurrency, RFC 9110 §13): ETag, If-None-Match, If-Match. */
import type { Resource } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { sendResource } from './answer.ts'
import type { Exchange } from './parts.ts'

/** Weak: the same version in JSON and in XML. */
export function etagOf({ meta }: Resource): string {
  return `W/"${meta?.versionId ?? '1'}"`
}

/** ETag and Last-Modified of a resource. */
export function versionHeaders(resource: Resource, updatedAt: string | undefined): Record<string, string> {
  return {
    ETag: etagOf(resource),
    ...(updatedAt === undefined ? {} : { 'Last-Modified': new Date(updatedAt).toUTCString() }),
  }
}

/** A read: 304 when the caller has this version already. */
export function sendRead({ request, response, format }: Exchange, resource: Resource, updatedAt?: string): void {
  const headers = versionHeaders(resource, updatedAt)
  if (tagsOf(request.headers['if-none-match']).includes(opaque(etagOf(resource)))) {
    response.writeHead(304, headers)
    response.end()
    return
  }
  sendResource(response, 200, resource, format, headers)
}

/** Throws GatewayError `version-conflict` (412) when If-Match of the request names another version than this one. */
export function requireMatch({ request }: Exchange, resource: Resource): void {
  requireTag(request.headers['if-match'], resource)
}

/** The same for one entry of a transaction. Absent or `*`: any version will do. */
export function requireTag(tags: string | undefined, resource: Resource): void {
  if (tags === undefined || tags.trim() === '*') return
  // FHIR writes weak tags in If-Match, where RFC 9110 wants strong comparison: the version is what counts
  if (!tagsOf(tags).includes(opaque(etagOf(resource))))
    throw new GatewayError({
      code: 'version-conflict',
      detail: `The current version is ${etagOf(resource)}: read it again, and send its ETag in If-Match.`,
    })
}

function tagsOf(header: string | undefined): readonly string[] {
  return (header ?? '').split(',').map((tag) => opaque(tag.trim()))
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '')
}
