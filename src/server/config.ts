/**
 * Configuration: one schema, read from a YAML or JSON file, then from `DMP_GATEWAY_*`. A bad key or value stops the start
 * with a line that names it. docs/configuration.md says what each key means.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { toOid } from '../metadata/identifiers.ts'
import { fhirDmpSchema } from './config-fhir.ts'
import { identitySchema, oid, tlsSchema } from './config-identity.ts'
import { nationalSchema } from './config-national.ts'
import { notificationsSchema, traceSchema } from './config-trace.ts'

const MiB = 1024 * 1024
/** repositoryUniqueId of the national DMP (DMP-FACTS §1.1): never that of another repository in production. */
const nationalRepository = toOid('1.2.250.1.213.4.1.1.1.2')

const schema = z
  .strictObject({
    mode: z.enum(['development', 'production']).default('development'),
    data: z.string().min(1).default('./data'),
    server: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1'),
        port: z.coerce.number().int().min(0).max(65535).default(8080),
        baseUrl: z.url({ protocol: /^https?$/ }).optional(),
        tls: tlsSchema,
        reloadSeconds: z.coerce.number().min(0).max(86400).default(30),
      })
      .prefault({}),
    log: z.strictObject({ level: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info') }).prefault({}),
    metadata: z
      .strictObject({
        profile: z.enum(['ci-sis', 'ihe']).default('ci-sis'),
        checkCda: z.enum(['off', 'warn', 'refuse']).default('warn'),
        codes: z.string().min(1).optional(),
        checkMimeType: z.boolean().default(false),
        xsd: z.enum(['strict', 'warn', 'off']).default('strict'),
      })
      .prefault({}),
    dmp: z
      .strictObject({
        kind: z.enum(['embedded', 'national', 'fhir']).default('embedded'),
        repositoryUniqueId: oid.default(nationalRepository),
        national: nationalSchema.optional(),
        fhir: fhirDmpSchema.optional(),
      })
      .prefault({}),
    identity: identitySchema,
    trace: traceSchema,
    notifications: notificationsSchema,
    access: z
      .strictObject({
        regulationCentres: z.array(z.string().min(1)).default([]),
        blockedMayFeed: z.boolean().default(false),
        brainDeath: z.enum(['deny', 'allow']).default('deny'),
        authorisationSuffices: z.boolean().default(false),
        authorisationDays: z.coerce.number().int().min(1).max(3650).optional(),
        initialConsent: z.boolean().default(false),
        cumulativeMasking: z.boolean().default(false),
        historyToProfessionals: z.enum(['own', 'all']).default('own'),
      })
      .prefault({}),
    limits: z
      .strictObject({
        documentBytes: z.coerce
          .number()
          .int()
          .positive()
          .default(512 * MiB),
        metadataBytes: z.coerce
          .number()
          .int()
          .positive()
          .default(16 * MiB),
        parts: z.coerce.number().int().positive().max(10_000).default(512),
        requestSeconds: z.coerce.number().int().positive().default(300),
        shutdownSeconds: z.coerce.number().positive().default(6),
      })
      .prefault({}),
  })
  .superRefine((config, context) => {
    const refuse = (keyPath: string[], message: string) => context.addIssue({ code: 'custom', path: keyPath, message })
    const anonymous = config.identity.anonymous === 'loopback'
    if (!isLoopback(config.server.host) && config.mode === 'development')
      refuse(['server', 'host'], `${config.server.host} is not a loopback address: that requires mode: production`)
    const { kind } = config.dmp
    for (const each of ['national', 'fhir'] as const)
      if ((kind === each) !== (config.dmp[each] !== undefined))
        refuse(['dmp', each], `is there with dmp.kind: ${each}, and only then`)
    const remote = kind !== 'embedded'
    if (remote && config.metadata.profile !== 'ci-sis')
      refuse(['dmp', 'kind'], `${kind} goes with metadata.profile: ci-sis`)
    if (config.mode === 'production' && !remote && config.dmp.repositoryUniqueId === nationalRepository)
      refuse(
        ['dmp', 'repositoryUniqueId'],
        `${nationalRepository} is the national DMP: set the OID of your own repository for an embedded DMP in production`,
      )
    const { email, webhook } = config.notifications
    if (remote && (email !== undefined || webhook !== undefined))
      refuse(['notifications'], 'go with dmp.kind: embedded: a remote DMP tells patients and physicians itself')
    if (config.identity.mtls.length > 0 && (config.server.tls?.clientAuthorities ?? []).length === 0)
      refuse(['identity', 'mtls'], 'needs server.tls.clientAuthorities: whose client certificates are believed')
    if (config.metadata.checkMimeType && config.metadata.codes === undefined)
      refuse(['metadata', 'checkMimeType'], 'needs metadata.codes: types are checked against the list there')
    if (anonymous && config.metadata.profile !== 'ihe')
      refuse(['identity', 'anonymous'], 'loopback exists only with metadata.profile: ihe')
    if (anonymous && (config.mode === 'production' || !isLoopback(config.server.host)))
      refuse(['identity', 'anonymous'], 'loopback exists only in development mode on a loopback address')
  })

export type Config = z.infer<typeof schema>

/** The configuration cannot be used; `message` has one line per fault, each naming its key. */
export class ConfigError extends Error {}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

export interface ConfigSources {
  /** Path of a YAML or JSON file. */
  readonly file?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Command-line values, by dotted key; they win. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

export function loadConfig({ file: from, environment = {}, overrides = {} }: ConfigSources = {}): Config {
  const raw: Record<string, unknown> = from === undefined ? {} : readConfigFile(from)
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || name === `${prefix}CONFIG` || value === undefined) continue
    const keyPath = environmentKeys.get(name)
    if (keyPath === undefined) throw new ConfigError(`${name}: no such setting (docs/configuration.md lists them)`)
    setPath(raw, keyPath, literal.has(keyPath.at(-1) ?? '') ? value : fromText(value))
  }
  for (const [key, value] of Object.entries(overrides)) if (value !== undefined) setPath(raw, key.split('.'), value)
  const result = schema.safeParse(raw)
  if (!result.success)
    throw new ConfigError(
      result.error.issues.map((issue) => `${issue.path.join('.') || 'configuration'}: ${issue.message}`).join('\n'),
    )
  return result.data
}

function readConfigFile(from: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(from, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${path.resolve(from)}: cannot be read`, { cause })
  }
  try {
    const parsed: unknown = parseYaml(text)
    if (parsed === null) return {}
    if (typeof parsed === 'object' && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  } catch (cause) {
    throw new ConfigError(`${from}: not YAML or JSON (${cause instanceof Error ? cause.message : ''})`, { cause })
  }
  throw new ConfigError(`${from}: must hold keys and values`)
}

const prefix = 'DMP_GATEWAY_'

/** Every leaf key of the schema under its environment name, and the short names that scripts use. */
const environmentKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ...leaves(schema).map((keys): [string, readonly string[]] => [prefix + keys.map(snake).join('_'), keys]),
  [`${prefix}PORT`, ['server', 'port']],
  [`${prefix}HOST`, ['server', 'host']],
])

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

function leaves(node: z.ZodType, above: readonly string[] = []): (readonly string[])[] {
  let inner: unknown = node
  while (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault || inner instanceof z.ZodOptional)
    inner = inner.unwrap()
  if (!(inner instanceof z.ZodObject)) return [above]
  return Object.entries(inner.shape).flatMap(([key, value]) => leaves(value as z.ZodType, [...above, key]))
}

/** Secrets that somebody else has chosen: what they are, whatever YAML would read into them. */
const literal: ReadonlySet<string> = new Set(['passphrase'])

/** `true`, `12`, `[a, b]` as YAML reads them; anything else is text. */
function fromText(value: string): unknown {
  try {
    const parsed: unknown = parseYaml(value)
    return typeof parsed === 'number' && String(parsed) !== value ? value : parsed
  } catch {
    return value
  }
}

function setPath(target: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  let node = target
  keys.forEach((key, index) => {
    if (index === keys.length - 1) node[key] = value
    else {
      const next = node[key]
      if (typeof next !== 'object' || next === null) node[key] = {}
      node = node[key] as Record<string, unknown>
    }
  })
}
