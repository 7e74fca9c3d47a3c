/** What the connector must be told: docs/national-dmp.md says where each comes from at a real site. */
import type { Oid } from '../../metadata/identifiers.ts'
import type { Code } from '../../metadata/model.ts'
import type { SignatureHash } from '../../xml/sign.ts'
import type { Timeouts } from '../remote/connection.ts'

export interface NationalOptions {
  /** Up to and without the name of a service: `https://host/si-dmp-server/v2/services`. */
  readonly baseUrl: string
  /** Last step of the path of each service (DMP-SERVICES §1.1). */
  readonly services: Readonly<Record<Service, string>>
  /** OID of the repository that new documents go to; answers name their own. */
  readonly repositoryUniqueId: Oid
  /** The legal entity that the certificates were issued to. */
  readonly structure: {
    /** Struct_IdNat. */
    readonly id: string
    readonly name: string
    /** SAxx (TRE_R02). */
    readonly sector: string
    /** Struct_IdNat of its sites: callers of these may use the certificates too. */
    readonly sites: readonly string[]
  }
  /** Who answers for what is sent without a named person: NameID of an automatic feeding. PS_IdNat. */
  readonly responsible: { readonly id: string; readonly name: string }
  readonly software: {
    /** Root of the OIDs this installation gives: sender of HL7 v3 messages, their ids beneath it. */
    readonly oid: Oid
    readonly name: string
    readonly version: string
    /** LPS_ID_HOMOLOGATION_DMP: kept secret. */
    readonly homologation: string
    /** LPS_ID. */
    readonly id?: string
  }
  readonly vihf: {
    readonly version: string
    /** Both spellings are in use (DMP-SERVICES §1.2). */
    readonly authenticationAttribute: 'Authentification_mode' | 'Authentification_Mode'
    readonly hash: SignatureHash
    /** AuthnContextDecl of reinforced indirect authentication; absent: the class of the person's own authentication again. */
    readonly contextDeclaration?: string
  }
  /** wsa:To: an empty element as in the samples, or the URL of the service. */
  readonly addressTo: 'empty' | 'url'
  /** HL7 v3 processingCode: `D` in the samples, `P` in the kit. */
  readonly processingCode: 'D' | 'P'
  /** contentTypeCode (JDV_J59) of the lot that a change of metadata makes when it comes without one. */
  readonly updateContentType: Code
  /** What TD3.1b asks for: the reference alone, or the whole entry. */
  readonly ownReferences: 'ObjectRef' | 'LeafClass'
  /** What becomes of a PDF, a text, an image: wrapped in a CDA of level 1, or refused. */
  readonly documents: 'wrap' | 'refuse'
  /** SHA-1 is all that is known to be accepted for the signature of the lot (DMP-SERVICES §3.4). */
  readonly lotSignatureHash: SignatureHash
  readonly timeouts: Timeouts
  readonly limits: {
    /** Bytes of an answer without its documents. */
    readonly envelope: number
    /** Bytes of one document. */
    readonly document: number
    /** Bytes of a CDA that is signed with the lot, which must be in memory to be canonicalised. */
    readonly signed: number
  }
  /** Milliseconds that an answer of TD0.2 serves again for the same person and patient. */
  readonly statusAge: number
  /** Folder with a site's own message templates, which take the place of ours by name. */
  readonly messages?: string
}

export type Service = 'patients' | 'patientsSpecific' | 'habilitations' | 'registry' | 'repository'
