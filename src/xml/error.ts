/** What the XML layer throws: the input is not well formed or not allowed, or it exceeds a limit. */
export class XmlError extends Error {
  readonly kind: 'malformed' | 'over-limit'

  constructor(kind: 'malformed' | 'over-limit', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'XmlError'
    this.kind = kind
  }
}

export function malformed(message: string): XmlError {
  return new XmlError('malformed', message)
}

export function overLimit(message: string): XmlError {
  return new XmlError('over-limit', message)
}
