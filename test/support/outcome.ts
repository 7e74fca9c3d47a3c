/** What a door answered, in one form for both: a test says what must happen, once, and runs through either door. */
import { attribute, child, type XmlElement } from '../../src/xml/tree.ts'
import { at, type Json } from './json.ts'

export interface Outcome {
  /** FHIR: 2xx. XDS.b: RegistryResponse Success. */
  readonly ok: boolean
  readonly status: number
  /** The code of the error table (`consent-missing`, `XDSDuplicateUniqueIdInRegistry`); of the first issue. */
  readonly code: string | undefined
  /** Rule id: CO3, D5. */
  readonly rule: string | undefined
  /** All that the answer says is wrong or to be known, one line an issue. */
  readonly text: string
}

/** @param body of any FHIR answer */
export function fhirOutcome(status: number, body: Json | undefined): Outcome {
  const issues = at(body, 'resourceType') === 'OperationOutcome' ? list(at(body, 'issue')) : []
  const lines = issues.map((issue) => {
    const expression = at(issue, 'expression', 0)
    return [
      at(issue, 'details', 'coding', 0, 'code'),
      at(issue, 'details', 'text'),
      at(issue, 'diagnostics'),
      expression,
    ]
      .filter((part) => part !== undefined)
      .join(' | ')
  })
  const diagnostics = String(at(issues[0], 'diagnostics') ?? '')
  return {
    ok: status >= 200 && status < 300,
    status,
    code: text(at(issues[0], 'details', 'coding', 0, 'code')),
    rule: /^([A-Za-z0-9_]+)(?::|$)/.exec(diagnostics)?.[1],
    text: lines.join('\n'),
  }
}

const xsd = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  rs: 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0',
  access: 'urn:dmp-gateway:access',
}

/** @param envelope of any SOAP answer, a fault included; undefined when the answer is no XML */
export function xdsOutcome(status: number, envelope: XmlElement | undefined): Outcome {
  const body = envelope && child(envelope, xsd.soap, 'Body')
  const answer = body?.children[0]
  if (answer === undefined) return { ok: false, status, code: undefined, rule: undefined, text: 'no SOAP answer' }
  if (answer.local === 'Fault') return faultOutcome(status, answer)
  const holder = child(answer, xsd.rs, 'RegistryResponse') ?? answer
  const errors = child(holder, xsd.rs, 'RegistryErrorList')?.children ?? []
  const [first] = errors
  const context = (first && attribute(first, 'codeContext')) ?? ''
  // A code of the gateway leads (`consent-missing CO3: …`); of an IHE code only the rule does (`D5: …`)
  const [, own, rule] = /^([a-z]+(?:-[a-z]+)*)(?: ([A-Za-z0-9_]+))?: /.exec(context) ?? []
  return {
    ok: attribute(holder, 'status')?.endsWith(':Success') ?? false,
    status,
    code: own ?? (first && attribute(first, 'errorCode')),
    rule: rule ?? /^([A-Za-z0-9_]+): /.exec(context)?.[1],
    text: errors
      .map((error) =>
        ['errorCode', 'codeContext', 'location']
          .map((name) => attribute(error, name))
          .filter(Boolean)
          .join(' | '),
      )
      .join('\n'),
  }
}

function faultOutcome(status: number, fault: XmlElement): Outcome {
  const issues = child(fault, xsd.soap, 'Detail')?.children ?? []
  const reason = child(fault, xsd.soap, 'Reason')?.children.map((each) => each.text) ?? []
  const [first] = issues
  return {
    ok: false,
    status,
    code: (first && attribute(first, 'code')) ?? deepest(child(fault, xsd.soap, 'Code')),
    rule: first && attribute(first, 'rule'),
    text: [deepest(child(fault, xsd.soap, 'Code')), ...reason, ...issues.map((issue) => issue.text)].join('\n'),
  }
}

/** Value of the innermost Subcode. */
function deepest(code: XmlElement | undefined): string | undefined {
  const inner = code && child(code, xsd.soap, 'Subcode')
  return inner ? deepest(inner) : code && child(code, xsd.soap, 'Value')?.text
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
