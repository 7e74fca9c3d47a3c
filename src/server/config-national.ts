/** `dmp.national.*`: the national DMP behind the gateway; docs/national-dmp.md goes through it for a real site. */
import { z } from 'zod'
import type { CredentialFiles, NationalOptions } from '../dmp/xds/index.ts'
import type { Oid } from '../metadata/identifiers.ts'
import { file, oid } from './config-identity.ts'
import { keyFilesOf, keyPair } from './config-keys.ts'
import { bytes, remoteFields, text, timesOf } from './config-remote.ts'

const service = z.string().regex(/^[A-Za-z0-9_./-]+$/, 'must be a path')

/** Profile of the published samples and the kit, where they agree; what they do not agree on is a key. */
export const nationalSchema = z.strictObject({
  baseUrl: z.url({ protocol: /^https$/ }),
  services: z
    .strictObject({
      patients: service.default('patients'),
      patientsSpecific: service.default('patientsSpecific'),
      habilitations: service.default('habilitations'),
      registry: service.default('registry'),
      repository: service.default('repository'),
    })
    .prefault({}),
  authentication: keyPair,
  signature: keyPair,
  authorities: z.array(file).min(1),
  structure: z.strictObject({
    id: text,
    name: text,
    sector: z.string().regex(/^SA\d{2}$/, 'must be SAxx (TRE_R02)'),
    sites: z.array(text).default([]),
  }),
  responsible: z.strictObject({ id: text, name: text }),
  software: z.strictObject({
    oid,
    name: text.default('DMP-GATEWAY'),
    version: text.default('0.1.0'),
    homologation: text,
    id: text.optional(),
  }),
  vihf: z
    .strictObject({
      version: z.enum(['3.0', '4.0']).default('3.0'),
      authenticationAttribute: z
        .enum(['Authentification_mode', 'Authentification_Mode'])
        .default('Authentification_mode'),
      hash: z.enum(['sha1', 'sha256']).default('sha256'),
      contextDeclaration: text.optional(),
    })
    .prefault({}),
  addressTo: z.enum(['empty', 'url']).default('empty'),
  processingCode: z.enum(['D', 'P']).default('P'),
  updateContentType: z
    .strictObject({ code: text, system: oid, display: text })
    .default({ code: '07', system: '1.2.250.1.213.2.2' as Oid, display: 'Consultations soins externes' }),
  ownReferences: z.enum(['ObjectRef', 'LeafClass']).default('ObjectRef'),
  documents: z.enum(['wrap', 'refuse']).default('wrap'),
  lotSignatureHash: z.enum(['sha1', 'sha256']).default('sha1'),
  ...remoteFields,
  signedBytes: bytes(64),
  messages: file.optional(),
})

export type NationalConfig = z.infer<typeof nationalSchema>

/** @param documentBytes of `limits` */
export function nationalOptions(
  config: NationalConfig,
  repositoryUniqueId: Oid,
  documentBytes: number,
): { readonly options: NationalOptions; readonly credentials: CredentialFiles } {
  const { authentication, signature, authorities, software, vihf, messages, ...rest } = config
  const { id, ...named } = software
  const { contextDeclaration, ...asserted } = vihf
  return {
    credentials: { authentication: keyFilesOf(authentication), signature: keyFilesOf(signature), authorities },
    options: {
      baseUrl: rest.baseUrl,
      services: rest.services,
      repositoryUniqueId,
      structure: rest.structure,
      responsible: rest.responsible,
      software: { ...named, ...(id !== undefined && { id }) },
      vihf: { ...asserted, ...(contextDeclaration !== undefined && { contextDeclaration }) },
      addressTo: rest.addressTo,
      processingCode: rest.processingCode,
      updateContentType: rest.updateContentType,
      ownReferences: rest.ownReferences,
      documents: rest.documents,
      lotSignatureHash: rest.lotSignatureHash,
      limits: { envelope: rest.answerBytes, document: documentBytes, signed: rest.signedBytes },
      ...timesOf(rest),
      ...(messages !== undefined && { messages }),
    },
  }
}
