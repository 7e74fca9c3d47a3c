/** `dmp.fhir.*`: a DMP that speaks PDSm behind the gateway; docs/pdsm-dmp.md goes through it. */
import { z } from 'zod'
import type { CredentialFiles, FhirDmpOptions } from '../dmp/fhir/index.ts'
import type { Oid } from '../metadata/identifiers.ts'
import { file } from './config-identity.ts'
import { keyFilesOf, keyPair } from './config-keys.ts'

const text = z.string().min(1)
const seconds = (most: number) => z.coerce.number().positive().max(most)
const MiB = 1024 * 1024
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
  statusSeconds: z.coerce.number().min(0).max(3600).default(60),
  connectSeconds: seconds(60).default(5),
  idleSeconds: seconds(600).default(60),
  exchangeSeconds: seconds(3600).default(300),
  answerBytes: z.coerce
    .number()
    .int()
    .positive()
    .default(32 * MiB),
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
      timeouts: {
        connect: config.connectSeconds * 1000,
        idle: config.idleSeconds * 1000,
        exchange: config.exchangeSeconds * 1000,
      },
      limits: { answer: config.answerBytes, document: documentBytes, results: config.results },
      statusAge: config.statusSeconds * 1000,
    },
  }
}
