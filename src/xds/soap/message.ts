/** A SOAP request as read from the wire, whatever its packaging. */
import type { Spooled } from '../../spool/index.ts'
import type { XmlElement } from '../../xml/tree.ts'

export interface SoapMessage {
  /** How it came, and so how the answer goes back. */
  readonly packaging: 'mtom' | 'simple'
  /** The Envelope element; `saml2:Assertion` elements carry their source. */
  readonly envelope: XmlElement
  /** `action` parameter of the media type, if any. */
  readonly mediaTypeAction?: string
  /**
   * The bytes of an `xds-b:Document` element: its `xop:Include` resolved, or its inline base64 decoded.
   * Throws GatewayError `malformed` when a cid does not resolve; undefined when the element holds neither.
   */
  document(element: XmlElement): Spooled | undefined
  /** Removes every spooled part that no store has taken over. */
  dispose(): Promise<void>
}
