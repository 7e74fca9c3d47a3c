/** Errors of the DMP: OperationOutcome by the codes that both sides know; what is not known goes on unchanged as its own. */
import { z } from 'zod'
import { type ErrorCode, errorTable, GatewayError, type Issue } from '../../errors.ts'

const longestWords = 1000
const longestCode = 200
const mostIssues = 50

const decisionSystem = 'https://dmp-gateway.example.org/fhir/CodeSystem/decision'
const xdsSystem = 'urn:ihe:iti:xds:error'

const outcomeShape = z.looseObject({
  resourceType: z.literal('OperationOutcome'),
  issue: z
    .array(
      z.looseObject({
        severity: z.string(),
        code: z.string(),
        details: z
          .looseObject({
            coding: z.array(z.looseObject({ system: z.string().optional(), code: z.string().optional() })).optional(),
            text: z.string().optional(),
          })
          .optional(),
        diagnostics: z.string().optional(),
        expression: z.array(z.string()).optional(),
      }),
    )
    .min(1)
    .max(1000),
})
type OutcomeIssue = z.infer<typeof outcomeShape>['issue'][number]

/** The objects behind the entries of the Bundle that was sent: an error is told of the object, not of our message. */
export type SentObjects = ReadonlyMap<number, string>

/** Issues of an OperationOutcome; empty for anything else. */
export function readOutcome(body: unknown, sent: SentObjects = new Map()): readonly Issue[] {
  const read = outcomeShape.safeParse(body)
  return read.success ? read.data.issue.slice(0, mostIssues).map((issue) => issueOf(issue, sent)) : []
}

/** An error that the DMP answered with. */
export class RefusedByDmp extends GatewayError {
  /** Of HTTP. */
  readonly status: number

  constructor(status: number, error: GatewayError) {
    super(error.issues)
    this.status = status
  }
}

/**
 * The error that a status of 400 and above is.
 * @param safe nothing can have been changed by the request
 */
export function refusalOf(status: number, body: unknown, safe: boolean, sent?: SentObjects): RefusedByDmp {
  return new RefusedByDmp(status, errorOf(status, body, safe, sent))
}

function errorOf(status: number, body: unknown, safe: boolean, sent: SentObjects | undefined): GatewayError {
  const issues = readOutcome(body, sent).filter(({ severity }) => severity !== 'warning')
  // Our own token was not taken: that is between the gateway and the DMP, and no fault of whoever asked here
  if (status === 401)
    return new GatewayError({ code: 'dmp-refused', foreign: foreignOf(issues[0]) ?? 'http-401', ...wordsOf(issues[0]) })
  if (status === 429 || status === 503)
    return new GatewayError('dmp-unavailable', { detail: `The DMP answered HTTP ${status}: send again later.` })
  if (status >= 500)
    return new GatewayError(safe ? 'dmp-answer-invalid' : 'dmp-outcome-unknown', {
      detail: `The DMP answered HTTP ${status}.`,
    })
  if (issues.length > 0) return new GatewayError(issues)
  return new GatewayError({
    code: 'dmp-refused',
    foreign: `http-${status}`,
    detail: `The DMP answered HTTP ${status} without an OperationOutcome.`,
  })
}

function issueOf({ severity, code, details, diagnostics, expression }: OutcomeIssue, sent: SentObjects): Issue {
  const codings = details?.coding ?? []
  const decision = codings.find((each) => each.system === decisionSystem)?.code
  const xds = codings.find((each) => each.system === xdsSystem)?.code
  const known = [decision, xds].find((each) => each !== undefined && isShared(each)) as ErrorCode | undefined
  const words = (diagnostics ?? details?.text ?? '').trim().slice(0, longestWords)
  const index = /^Bundle\.entry\[(\d+)\]/.exec(expression?.[0] ?? '')?.[1]
  const location = index === undefined ? undefined : sent.get(Number(index))
  return {
    ...(known === undefined
      ? { code: 'dmp-refused', foreign: (decision ?? xds ?? codings[0]?.code ?? code).slice(0, longestCode) }
      : { code: known }),
    ...(severity === 'warning' || severity === 'information' ? { severity: 'warning' as const } : {}),
    ...(words !== '' && { detail: words }),
    ...(location !== undefined && { location }),
  }
}

/**
 * Codes that mean the same to whoever asked here: decisions of the guard, rules of the metadata, codes of IHE. Not those
 * about the message and its sender, which was this gateway.
 */
const ownConcern: ReadonlySet<string> = new Set<ErrorCode>([
  'identity-missing',
  'identity-invalid',
  'identity-expired',
  'header-invalid',
  'malformed',
  'media-type',
  'not-acceptable',
  'invalid-parameter',
  'unknown-parameter',
  'method-not-allowed',
  'shutting-down',
  'busy',
  'store-unavailable',
  'trace-unavailable',
  'dmp-unavailable',
  'dmp-outcome-unknown',
  'dmp-answer-invalid',
  'dmp-refused',
  'internal',
])

function isShared(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code) && !ownConcern.has(code)
}

function foreignOf(issue: Issue | undefined): string | undefined {
  return issue?.foreign ?? issue?.code
}

function wordsOf(issue: Issue | undefined): { readonly detail?: string } {
  return issue?.detail === undefined ? {} : { detail: issue.detail }
}
