/** What the connector must be told: docs/pdsm-dmp.md says where each comes from. */
import type { Oid } from '../../metadata/identifiers.ts'
import type { Timeouts } from '../remote/connection.ts'

export interface FhirDmpOptions {
  /** FHIR base of the DMP, without a slash at the end: `https://host/fhir`. */
  readonly baseUrl: string
  /** Other base URLs by which the DMP names itself in links, behind a proxy. */
  readonly knownAs: readonly string[]
  /** OID by which the DMP's documents are asked for here (ITI-43). */
  readonly repositoryUniqueId: Oid
  /** The legal entity that the certificate was issued to: callers of others are not presented. */
  readonly structure: {
    /** Struct_IdNat. */
    readonly id: string
    readonly name: string
    /** Struct_IdNat of its sites. */
    readonly sites: readonly string[]
  }
  readonly token: {
    /** `iss` and `aud`, as the DMP has agreed to. */
    readonly issuer: string
    readonly audience: string
    /** `kid`; default the JWK thumbprint of the key (RFC 7638). */
    readonly keyId?: string
    /** Seconds that a token lives: each is made for one request. */
    readonly lifetime: number
    /** `cnf`: a token is of use to nobody without our client certificate (RFC 8705). */
    readonly bound: boolean
  }
  /** How one document is fed; a submission of several is ITI-65 or nothing. */
  readonly publish: 'ITI-65' | 'ITI-105'
  /** ITI-65 with a replacement says that the replaced one is superseded (UpdateDocumentRefs of MHD, TD2.1b of PDSm4DMP). */
  readonly supersede: boolean
  readonly timeouts: Timeouts
  readonly limits: {
    /** Bytes of one answer that is no document; of a search, of all its pages. */
    readonly answer: number
    /** Bytes of one document. */
    readonly document: number
    /** Resources of one search, over all its pages. */
    readonly results: number
  }
  /** Milliseconds that an answer of TD0.2 serves again for the same person and patient. */
  readonly statusAge: number
}
