/** The part of the configuration that says where the trace goes, and how people are told. */
import { z } from 'zod'
import { file } from './config-identity.ts'

const text = z.string().min(1)
/** A client certificate and its key go together. */
const both = <T extends { certificate?: string | undefined; key?: string | undefined }>({ certificate, key }: T) =>
  (certificate === undefined) === (key === undefined)
const bothError = { error: 'certificate and key go together' }

export const traceSchema = z
  .strictObject({
    alertSeconds: z.coerce.number().int().min(1).max(86400).default(300),
    syslog: z
      .strictObject({
        host: text,
        port: z.coerce.number().int().min(1).max(65535).default(6514),
        ca: file.optional(),
        certificate: file.optional(),
        key: file.optional(),
        site: text.optional(),
      })
      .refine(both, bothError)
      .optional(),
    fhir: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }),
        ca: file.optional(),
        certificate: file.optional(),
        key: file.optional(),
        tokenFile: file.optional(),
      })
      .refine(both, bothError)
      .optional(),
  })
  .prefault({})

export const notificationsSchema = z
  .strictObject({
    email: z
      .strictObject({
        host: text,
        port: z.coerce.number().int().min(1).max(65535).optional(),
        tls: z.enum(['implicit', 'starttls', 'none']).default('starttls'),
        ca: file.optional(),
        user: text.optional(),
        passwordFile: file.optional(),
        from: z.email(),
        professionals: file.optional(),
        identifyPatient: z.boolean().default(false),
      })
      .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
        error: 'user and passwordFile go together',
      })
      .optional(),
    webhook: z.strictObject({ url: z.url({ protocol: /^https?$/ }), secretFile: file, ca: file.optional() }).optional(),
  })
  .prefault({})
