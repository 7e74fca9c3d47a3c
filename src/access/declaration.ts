/**
 * What a request declares: consent (`DMP-Consent`, or the Consent header block of SOAP) and access mode
 * (`DMP-Purpose-Of-Use`). Structured fields of RFC 9651. Anything not understood is refused, with the right form in the
 * answer; what was declared is never repeated in an error.
 */
import { type BareItem, DisplayString, type Parameters, parseDictionary, parseItem, Token } from 'structured-headers'
import { GatewayError } from '../errors.ts'
import type { Caller, ConsentDeclaration, PurposeOfUse } from './caller.ts'

/** Longest header taken, in characters. */
const HEADER_LIMIT = 4096
const consentForm =
  'DMP-Consent: basis=care-team, informed=?1, episode="2026-E-118". Text with accents is a Display String: reason=%"motif l%c3%a9gitime".'
const purposeForm =
  'DMP-Purpose-Of-Use: bris_de_glace; reason="patient inconscient". Text with accents is a Display String: reason=%"d%c3%a9tresse".'
const blockForm = '<Consent xmlns="urn:dmp-gateway:access" basis="care-team" informed="true" episode="2026-E-118"/>.'

const words = {
  basis: ['care-team', 'explicit'],
  means: ['oral', 'letter', 'email', 'online', 'poster'],
} as const
/** Members that are text, with the longest value taken, in characters. */
const texts = { episode: 100, reason: 500, by: 64 } as const
const flags = ['informed', 'opposition'] as const
const purposes = ['normal', 'bris_de_glace', 'centre_15'] as const
const known = [...Object.keys(words), ...flags, ...Object.keys(texts)].join(', ')

/** A declared access mode. */
export interface DeclaredPurpose {
  readonly purpose: PurposeOfUse
  readonly reason?: string
}

function malformed(what: string, form: string, cause?: unknown): GatewayError {
  return new GatewayError('header-invalid', { detail: `${what} Send it like this: ${form}`, cause })
}

const isOneOf = <T extends string>(value: string, among: readonly T[]): value is T =>
  among.some((candidate) => candidate === value)
const isIn = <T extends object>(key: string, table: T): key is Extract<keyof T, string> => Object.hasOwn(table, key)

/** Text between 1 and `limit` characters without control characters, or the reason why not. */
function textProblem(value: string, limit: number): string | undefined {
  if (value.trim() === '') return 'is empty'
  if (value.length > limit) return `is longer than ${limit} characters`
  return /\p{Cc}/u.test(value) ? 'holds a control character' : undefined
}

/** String, Display String or Token as text; undefined for any other item. */
function asText(value: BareItem): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Token || value instanceof DisplayString ? value.toString() : undefined
}

/** One member of a declaration from its text or flag, or a sentence that says what is wrong with it. */
function memberOf(key: string, value: string | boolean | undefined): ConsentDeclaration | string {
  if (isOneOf(key, flags))
    return typeof value === 'boolean'
      ? { [key]: value }
      : `${key} is ?1 or ?0 in a header (RFC 9651), true or false in an attribute.`
  if (isIn(key, texts)) {
    if (typeof value !== 'string') return `${key} is a text.`
    const problem = textProblem(value, texts[key])
    return problem === undefined ? { [key]: value } : `${key} ${problem}.`
  }
  if (isIn(key, words)) {
    const allowed: readonly string[] = words[key]
    return typeof value === 'string' && allowed.includes(value)
      ? { [key]: value }
      : `${key} is one of ${allowed.join(', ')}.`
  }
  return `${key.slice(0, 40)} is not a member of the declaration (${known}).`
}

/**
 * The declaration of a `DMP-Consent` header: an RFC 9651 Dictionary with the members basis, informed, means, episode,
 * opposition, reason and by. No header declares nothing. Throws GatewayError `header-invalid`.
 */
export function readConsentHeader(header: string | undefined): ConsentDeclaration {
  if (header === undefined || header.trim() === '') return {}
  const fail = (what: string, cause?: unknown): never => {
    throw malformed(`The DMP-Consent header is not understood: ${what}`, consentForm, cause)
  }
  if (header.length > HEADER_LIMIT) return fail(`it is longer than ${HEADER_LIMIT} characters.`)
  const declaration: ConsentDeclaration = {}
  for (const [key, [value, parameters]] of members(header, fail)) {
    if (Array.isArray(value) || parameters.size > 0)
      return fail(`${key.slice(0, 40)} takes one value and no parameter.`)
    const member = memberOf(key, typeof value === 'boolean' ? value : asText(value))
    if (typeof member === 'string') return fail(member)
    Object.assign(declaration, member)
  }
  return declaration
}

function members(
  header: string,
  fail: (what: string, cause?: unknown) => never,
): [string, [BareItem | unknown[], Parameters]][] {
  try {
    return [...parseDictionary(header)] as [string, [BareItem | unknown[], Parameters]][]
  } catch (cause) {
    return fail('it is not a structured field (RFC 9651).', cause)
  }
}

/**
 * The declaration of the SOAP header block `{urn:dmp-gateway:access}Consent`: the same members as its attributes without
 * namespace, flags as xs:boolean. Throws GatewayError `header-invalid`.
 */
export function readConsentAttributes(attributes: ReadonlyMap<string, string>): ConsentDeclaration {
  const fail = (what: string): never => {
    throw malformed(`The Consent header block is not understood: ${what}`, blockForm)
  }
  const declaration: ConsentDeclaration = {}
  for (const [key, value] of attributes) {
    const member = memberOf(key, isOneOf(key, flags) ? booleans.get(value.trim()) : value)
    if (typeof member === 'string') return fail(member)
    Object.assign(declaration, member)
  }
  return declaration
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

/**
 * The mode of a `DMP-Purpose-Of-Use` header: `normal`, `bris_de_glace` or `centre_15` with an optional `reason`
 * parameter (RFC 9651 Item); undefined without a header. Throws GatewayError `header-invalid`.
 */
export function readPurposeHeader(header: string | undefined): DeclaredPurpose | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const fail = (what: string, cause?: unknown): never => {
    throw malformed(`The DMP-Purpose-Of-Use header is not understood: ${what}`, purposeForm, cause)
  }
  if (header.length > HEADER_LIMIT) return fail(`it is longer than ${HEADER_LIMIT} characters.`)
  const [value, parameters] = item(header, fail)
  const purpose = asText(value)
  if (purpose === undefined || !isOneOf(purpose, purposes)) return fail(`the mode is one of ${purposes.join(', ')}.`)
  for (const key of parameters.keys()) if (key !== 'reason') fail(`${key.slice(0, 40)} is not a parameter; reason is.`)
  const given = parameters.get('reason')
  if (given === undefined) return { purpose }
  const reason = asText(given)
  const problem = reason === undefined ? 'is not a text' : textProblem(reason, texts.reason)
  return reason === undefined || problem !== undefined ? fail(`reason ${problem}.`) : { purpose, reason }
}

function item(header: string, fail: (what: string, cause?: unknown) => never): [BareItem, Parameters] {
  try {
    return parseItem(header)
  } catch (cause) {
    return fail('it is not a structured field (RFC 9651).', cause)
  }
}

/**
 * The mode in force: the token's where it carries one, else the request's, else normal. A request that contradicts its
 * token is an error (GatewayError `header-invalid`), so that no one climbs into another mode by a header.
 */
export function purposeInForce(caller: Caller, requested?: DeclaredPurpose): DeclaredPurpose {
  const { purposeOfUse } = caller
  if (requested !== undefined && purposeOfUse !== undefined && requested.purpose !== purposeOfUse)
    throw new GatewayError('header-invalid', {
      detail: `DMP-Purpose-Of-Use says ${requested.purpose} and the token ${purposeOfUse}: send the header only with a token that carries no mode, or the same mode.`,
    })
  const reason = caller.reason ?? requested?.reason
  return { purpose: purposeOfUse ?? requested?.purpose ?? 'normal', ...(reason === undefined ? {} : { reason }) }
}
