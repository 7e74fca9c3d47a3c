/**
 * Mutual TLS: the client certificate of a connection, and the structure that it stands for by configuration. Whether the
 * certificate is trusted was decided by the handshake (server.tls.clientAuthorities).
 */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Caller } from '../access/caller.ts'
import { type DistinguishedName, parseDistinguishedName, sameName, subjectOf } from './distinguished-name.ts'
import { invalid } from './refusal.ts'

export interface CertificateMapping {
  /** Subject as text (CN=…,O=…,C=FR), or SHA-256 of the DER in hex; one of them. */
  readonly subject?: string | undefined
  readonly fingerprint?: string | undefined
  /** Struct_IdNat of the legal entity, and its name. */
  readonly structure: string
  readonly structureName?: string | undefined
  /** Struct_IdNat of the sites that use the certificate of their legal entity (DMP-FACTS 1.1). */
  readonly sites?: readonly string[]
  /** SAxx */
  readonly sector?: string | undefined
}

/**
 * The client certificate of a mutual TLS connection; undefined when there is none.
 * @throws GatewayError identity-invalid when one was sent that is not trusted, or no longer valid
 */
export function clientCertificateOf(socket: Socket, now = Date.now()): X509Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  // A connection may outlive its certificate
  const valid = certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime()
  if (!socket.authorized || !valid)
    throw invalid(
      'The client certificate of the connection is not accepted: it is not trusted here, revoked or expired.',
    )
  return certificate
}

export interface CertificateIdentity {
  /** The structure behind the connection; undefined without a certificate that is mapped. */
  structureOf(socket: Socket): CertificateMapping | undefined
  /** A structure that calls with its certificate alone. */
  callerOf(socket: Socket): Caller | undefined
  /**
   * A token and a certificate name one structure.
   * @throws GatewayError identity-invalid when they contradict each other
   */
  checkAgrees(socket: Socket, caller: Caller): void
}

/** @throws RangeError naming the mapping that cannot be read */
export function createCertificateIdentity(mappings: readonly CertificateMapping[]): CertificateIdentity {
  const byFingerprint = new Map<string, CertificateMapping>()
  const bySubject: (readonly [DistinguishedName, CertificateMapping])[] = []
  for (const mapping of mappings) {
    const { subject, fingerprint } = mapping
    if ((subject === undefined) === (fingerprint === undefined))
      throw new RangeError(`identity.mtls ${mapping.structure}: either subject or fingerprint is given`)
    if (fingerprint !== undefined) byFingerprint.set(hexOf(fingerprint), mapping)
    if (subject === undefined) continue
    const name = parseDistinguishedName(subject)
    if (name === undefined) throw new RangeError(`identity.mtls: ${subject} is no subject (CN=…,O=…,C=FR)`)
    bySubject.push([name, mapping])
  }
  const structureOf = (socket: Socket): CertificateMapping | undefined => {
    const certificate = clientCertificateOf(socket)
    if (certificate === undefined || mappings.length === 0) return undefined
    const known = byFingerprint.get(hexOf(certificate.fingerprint256))
    if (known !== undefined || bySubject.length === 0) return known
    const subject = subjectOf(certificate.raw)
    return bySubject.find(([name]) => sameName(name, subject))?.[1]
  }
  return {
    structureOf,
    callerOf(socket) {
      const mapped = structureOf(socket)
      return mapped && callerOf(mapped)
    },
    checkAgrees(socket, caller) {
      const mapped = structureOf(socket)
      if (mapped === undefined || caller.structure === undefined) return
      if (![mapped.structure, ...(mapped.sites ?? [])].includes(caller.structure.id))
        throw invalid('The token and the client certificate of the connection are of two structures.')
    },
  }
}

function callerOf({ structure, structureName, sector }: CertificateMapping): Caller {
  return {
    kind: 'structure',
    authentication: 'indirect',
    structure: { id: structure, ...(structureName === undefined ? {} : { name: structureName }) },
    specialities: [],
    ...(sector === undefined ? {} : { sector }),
    regulation: false,
    secretConnection: false,
    proof: 'mtls',
  }
}

/** `AB:CD…` and `abcd…` are the same. */
function hexOf(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase()
}
