/** The port of identities: who is calling, as verified; implemented in identity/. */
import type { Socket } from 'node:net'
import type { Caller } from '../access/caller.ts'

/** Verifies identities. Throws GatewayError identity-missing, identity-invalid or identity-expired. */
export interface Identity {
  /** `Authorization: Bearer …` or `DPoP …`: a JWT, or a base64url VIHF assertion. */
  fromBearer(token: string, presentation?: Presentation): Promise<Caller>
  /** One `saml2:Assertion` as it stood in the message, with the namespaces in scope around it. */
  fromAssertion(source: AssertionSource, presentation?: Presentation): Promise<Caller>
  /** Mutual TLS alone: the structure that the client certificate is configured for; undefined when there is none. */
  fromConnection(socket: Socket): Caller | undefined
  /** Conformance mode: the fixed tester for loopback requests without credentials; undefined when not configured. */
  anonymous(): Caller | undefined
}

/** What came along with a credential. */
export interface Presentation {
  readonly socket: Socket
  /** Of `Authorization: DPoP`: the header DPoP (RFC 9449), and the request it is to be for, URL as the caller sent it. */
  readonly proof?: { readonly jwt: string; readonly method: string; readonly url: string }
}

export interface AssertionSource {
  /** Exact characters of the Assertion element in the message. */
  readonly xml: string
  /** Namespace declarations in scope at that element: prefix ('' for the default) → URI. */
  readonly namespaces: Readonly<Record<string, string>>
}
