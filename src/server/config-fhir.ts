/** `dmp.fhir.*`: a DMP that speaks PDSm behind the gateway; docs/pdsm-dmp.md goes through it. */
import { z } from 'zod'
import type { CredentialFiles, FhirDmpOptions } from '../dmp/fhir/index.ts'
import type { Oid } from '../metadata/identifiers.ts'
import { file } from './config-identity.ts'
import { keyFilesOf, keyPair } from './config-keys.ts'
import { remoteFields, text, timesOf } from './config-remote.ts'

/** A query or a fragment has no place in a base. */
const base = z.url({ protocol: /^https$/ }).refine((value) => !/[?#]/.test(value), { error: 'must be a base URL' })

export const fhirDmpSchema = z.strictObject({
  baseUrl: base,
  knownAs: z.array(base).default([]),
  authentication: keyPair,
  authorities: z.array(file).min(1),
  structure: z.strictObject({ id: text, name: text, sites: z.array(text).default([]) }),
  token: z.strictObject({
    key: file,
    issuer: text,
    audience: text,
    keyId: text.optional(),
    seconds: z.coerce.number().int().min(5).max(600).default(60),
    bound: z.boolean().default(true),
  }),
  publish: z.enum(['ITI-65', 'ITI-105']).default('ITI-65'),
  supersede: z.boolean().default(true),
  ...remoteFields,
  results: z.coerce.number().int().positive().max(1_000_000).default(20_000),
})

export type FhirDmpConfig = z.infer<typeof fhirDmpSchema>

/** @param documentBytes of `limits` */
export function fhirDmpOptions(
  config: FhirDmpConfig,
  repositoryUniqueId: Oid,
  documentBytes: number,
): { readonly options: FhirDmpOptions; readonly credentials: CredentialFiles } {
  const { authentication, authorities, token } = config
  const { issuer, audience, keyId, bound } = token
  return {
    credentials: { authentication: keyFilesOf(authentication), authorities, tokenKey: token.key },
    options: {
      baseUrl: config.baseUrl,
      knownAs: config.knownAs,
      repositoryUniqueId,
      structure: config.structure,
      token: { issuer, audience, bound, lifetime: token.seconds, ...(keyId !== undefined && { keyId }) },
      publish: config.publish,
      supersede: config.supersede,
      limits: { answer: config.answerBytes, document: documentBytes, results: config.results },
      ...timesOf(config),
    },
  }
}
