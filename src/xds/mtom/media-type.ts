/** The media types of SOAP 1.2, plain (RFC 3902) and in MTOM (XOP §4.1, RFC 2387), and what each says of the message. */
import { MIMEType } from 'node:util'
import { GatewayError } from '../../errors.ts'

export type Packaging =
  | { readonly kind: 'simple'; readonly action?: string }
  | {
      readonly kind: 'mtom'
      readonly boundary: string
      /** Content-ID of the root part without its angle brackets; the first part is the root when absent. */
      readonly start?: string
      readonly action?: string
    }

const accepted =
  'Send SOAP 1.2: application/soap+xml, or multipart/related with type="application/xop+xml" and start-info="application/soap+xml" (MTOM), in UTF-8.'

export function mediaTypeError(found: string): GatewayError {
  return new GatewayError('media-type', { detail: `${found} ${accepted}` })
}

/** @throws GatewayError media-type, with what to send instead. */
export function readMediaType(contentType: string | undefined): Packaging {
  const type = parse(contentType, 'The Content-Type is missing or not valid.')
  if (type.essence === 'application/soap+xml') {
    checkCharset(type)
    return { kind: 'simple', ...action(type) }
  }
  if (type.essence === 'text/xml') throw mediaTypeError('SOAP 1.1 (text/xml) is not spoken here.')
  if (type.essence !== 'multipart/related') throw mediaTypeError('This media type does not carry SOAP 1.2.')
  if (type.params.get('type')?.toLowerCase() !== 'application/xop+xml')
    throw mediaTypeError('The type parameter of multipart/related is not application/xop+xml.')
  const info = type.params.get('start-info')
  const inner = info === null ? undefined : parse(info, 'The start-info parameter is not a media type.')
  if (inner !== undefined && inner.essence !== 'application/soap+xml')
    throw mediaTypeError('The start-info parameter is not application/soap+xml.')
  const start = type.params.get('start')
  return {
    kind: 'mtom',
    boundary: type.params.get('boundary') ?? '',
    ...(start === null ? {} : { start: unwrapContentId(start) }),
    ...(inner === undefined ? {} : action(inner)),
    ...action(type),
  }
}

/** The root part of an MTOM message. */
export function readRootType(contentType: string | undefined): { readonly action?: string } {
  const type = parse(contentType, 'The root part has no valid Content-Type.')
  if (type.essence !== 'application/xop+xml') throw mediaTypeError('The root part is not application/xop+xml.')
  const inner = parse(type.params.get('type') ?? 'application/soap+xml', 'The type of the root part is not valid.')
  if (inner.essence !== 'application/soap+xml') throw mediaTypeError('The root part does not hold SOAP 1.2.')
  checkCharset(type)
  return { ...action(inner), ...action(type) }
}

/** `<id>` as Content-ID and start have it; tolerated without the brackets. */
export function unwrapContentId(value: string): string {
  const trimmed = value.trim()
  return trimmed.startsWith('<') && trimmed.endsWith('>') ? trimmed.slice(1, -1) : trimmed
}

function action(type: MIMEType): { readonly action?: string } {
  const value = type.params.get('action')
  return value === null || value === '' ? {} : { action: value }
}

function checkCharset(type: MIMEType): void {
  const charset = type.params.get('charset')?.toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii')
    throw mediaTypeError('Only the charset utf-8 is read.')
}

function parse(value: string | undefined, complaint: string): MIMEType {
  try {
    return new MIMEType(value ?? '')
  } catch {
    throw mediaTypeError(complaint)
  }
}
