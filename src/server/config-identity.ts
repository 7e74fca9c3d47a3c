/** The part of the configuration that says who is believed: issuers, authorities, and what their codes mean here. */
import { z } from 'zod'
import { isOid } from '../metadata/identifiers.ts'

export const oid = z
  .string()
  .refine((value) => isOid(value), { error: 'must be an OID in dotted form, without urn:oid:' })
export const file = z.string().min(1)
const text = z.string().min(1)
const code = z.strictObject({ system: oid, code: text })

const jwtIssuer = z
  .strictObject({
    issuer: text,
    jwks: file.optional(),
    key: file.optional(),
    audience: text.optional(),
    algorithms: z.array(text).min(1).optional(),
    claims: z.enum(['iua', 'psc']).default('iua'),
    clients: z.array(text).min(1).optional(),
    userinfo: z
      .strictObject({
        url: z.url({ protocol: /^https$/, error: 'must be an https URL' }),
        ca: file.optional(),
        certificate: file.optional(),
        key: file.optional(),
        signed: z.boolean().default(false),
      })
      .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
        error: 'certificate and key go together',
      })
      .optional(),
  })
  .refine(({ jwks, key }) => (jwks === undefined) !== (key === undefined), { error: 'needs either jwks or key' })

const xuaIssuer = z.strictObject({
  issuer: text,
  certificates: z.array(file).min(1),
  audience: text.optional(),
  authentication: z.enum(['direct', 'indirect', 'air']).default('indirect'),
  roles: z
    .array(
      code.extend({
        kind: z.enum(['professional', 'staff', 'structure', 'patient', 'representative']),
        profession: code.optional(),
        specialities: z.array(code).optional(),
      }),
    )
    .min(1),
  purposes: z.array(code.extend({ purpose: z.enum(['normal', 'bris_de_glace', 'centre_15']) })).default([]),
  personPrefix: z.string().max(64).default(''),
  structures: z.record(text, text).default({}),
  sector: text.optional(),
})

const clientCertificate = z
  .strictObject({
    subject: text.optional(),
    fingerprint: z
      .string()
      .regex(/^([0-9A-Fa-f]{2}:?){32}$/, 'must be a SHA-256 in hexadecimal')
      .optional(),
    structure: text,
    structureName: text.optional(),
    sites: z.array(text).default([]),
    sector: text.optional(),
  })
  .refine(({ subject, fingerprint }) => (subject === undefined) !== (fingerprint === undefined), {
    error: 'needs either subject or fingerprint',
  })

export const identitySchema = z
  .strictObject({
    anonymous: z.enum(['none', 'loopback']).default('none'),
    audience: text.default('urn:dmp-gateway'),
    clockSkewSeconds: z.coerce.number().int().min(0).max(300).default(60),
    jwt: z.array(jwtIssuer).default([]),
    vihf: z
      .strictObject({
        maxAgeSeconds: z.coerce.number().int().min(1).max(86400).default(3600),
        certificates: z.array(file).default([]),
        versions: z.array(text).min(1).default(['3.0', '4.0']),
        refuseReplay: z.boolean().default(false),
        revocationLists: z.array(file).default([]),
      })
      .prefault({}),
    xua: z.array(xuaIssuer).default([]),
    mtls: z.array(clientCertificate).default([]),
  })
  .prefault({})

export const tlsSchema = z
  .strictObject({
    key: file,
    certificate: file,
    clientAuthorities: z.array(file).default([]),
    clientCertificates: z.enum(['request', 'require']).default('request'),
    revocationLists: z.array(file).default([]),
  })
  .refine(
    ({ clientAuthorities, clientCertificates }) => clientAuthorities.length > 0 || clientCertificates !== 'require',
    {
      error: 'clientCertificates: require needs clientAuthorities',
    },
  )
  .optional()
