/**
 * A Consent as the choice it makes. A shape that is not known is refused with the one to send: a choice half understood
 * would be another choice.
 */
import type { CodeableConcept, Coding, Consent, ConsentProvision, Reference } from '@medplum/fhirtypes'
import { MASKED } from '../access/confidentiality.ts'
import { GatewayError, type Issue } from '../errors.ts'
import type { PatientChoice } from '../operations/record-operations.ts'
import { category, recipient, scope, shapes, systems } from './consent-terms.ts'

/** About a person, by PS_IdNat; whether it is the caller's own authorisation, the door finds out. */
export interface PersonProvision {
  readonly person: string
  readonly permit: boolean
  /** ISO 8601 instant: end of the period. */
  readonly until?: string
}

export type ReadProvision = { readonly choice: PatientChoice } | PersonProvision

const advice =
  'Send one of: purpose BTG (break-glass) or ETREAT (regulation centres), with securityLabel MASQUE_PS for masked documents in emergency; purpose TREAT (initial consent); action access (consultation) or collect (feeding); or one actor {role IRCP, reference.identifier PS_IdNat}.'

/** Throws GatewayError `profile-violation` with every violation. */
export function readConsent(consent: Consent): ReadProvision {
  const issues: Issue[] = []
  const report = (location: string, detail: string): void => {
    issues.push({ code: 'profile-violation', location: `Consent.${location}`, detail })
  }
  if (consent.status !== 'active')
    report('status', 'Send status active: a choice is withdrawn by sending the opposite one.')
  if (!hasCode(consent.scope, systems.scope, scope)) report('scope', `Send scope ${systems.scope}|${scope}.`)
  if (!consent.category?.some((concept) => hasCode(concept, systems.loinc, category)))
    report('category', `Send category ${systems.loinc}|${category}.`)
  const { provision } = consent
  if (provision === undefined) {
    report('provision', `A choice is a provision. ${advice}`)
    throw new GatewayError(issues)
  }
  const read = readProvision(provision, report)
  if (read === undefined || issues.length > 0) throw new GatewayError(issues)
  return read
}

type Report = (location: string, detail: string) => void

const understood: ReadonlySet<string> = new Set(['type', 'period', 'actor', 'action', 'securityLabel', 'purpose'])

function readProvision(provision: ConsentProvision, report: Report): ReadProvision | undefined {
  const { type, actor = [], action = [], securityLabel = [], purpose = [] } = provision
  if (type !== 'permit' && type !== 'deny') report('provision.type', 'Send type permit or deny.')
  for (const name of Object.keys(provision))
    if (!understood.has(name) && name !== 'id')
      report(`provision.${name}`, `Leave ${name} out: it would say more than a choice of the DMP does. ${advice}`)
  const permit = type === 'permit'
  if (actor.length > 0) return readActor(provision, permit, report)
  if (provision.period !== undefined)
    report('provision.period', 'A choice holds until the next one: leave period out (only an authorisation ends).')
  const found = {
    purposes: purpose.map((coding) => codeIn(coding, systems.reason)),
    actions: action.flatMap(({ coding = [] }) => coding.map((each) => codeIn(each, systems.action))),
    labels: securityLabel.map(({ code }) => code),
  }
  const shape = shapeOf(found)
  if (shape === undefined) {
    report('provision', advice)
    return undefined
  }
  return { choice: { kind: 'choice', choice: shape.choice, value: permit === shape.permits } }
}

interface Found {
  readonly purposes: readonly (string | undefined)[]
  readonly actions: readonly (string | undefined)[]
  readonly labels: readonly (string | undefined)[]
}

function shapeOf({ purposes, actions, labels }: Found): (typeof shapes)[number] | undefined {
  const masked = labels.length > 0
  if (masked && !labels.every((label) => label === MASKED)) return undefined
  // Masked documents in emergency are one choice, whichever of the modes it names.
  const emergencies = purposes.every((code) => code === 'BTG' || code === 'ETREAT')
  if (masked && actions.length === 0) return emergencies ? byKey('masked-in-emergency') : undefined
  if (purposes.length + actions.length !== 1) return undefined
  return shapes.find(
    (shape) => (shape.masked === true) === masked && shape.purpose === purposes[0] && shape.action === actions[0],
  )
}

const byKey = (key: string) => shapes.find((shape) => shape.key === key)

function readActor(
  { actor = [], action = [], securityLabel = [], purpose = [], period }: ConsentProvision,
  permit: boolean,
  report: Report,
): PersonProvision | undefined {
  const [first, ...others] = actor
  if (others.length > 0) report('provision.actor', 'Send one actor: each professional is a choice of its own.')
  if (action.length + securityLabel.length + purpose.length > 0)
    report(
      'provision',
      'With an actor send neither action, nor securityLabel, nor purpose: a person is blocked as a whole.',
    )
  if (!hasCode(first?.role, systems.participation, recipient))
    report('provision.actor[0].role', `Send role ${systems.participation}|${recipient}.`)
  const person = personOf(first?.reference)
  if (person === undefined)
    report(
      'provision.actor[0].reference',
      'Send reference.identifier with the PS_IdNat: {system urn:oid:1.2.250.1.71.4.2.1, value 8 and the RPPS}.',
    )
  const until = endOf(period, permit, report)
  return person === undefined ? undefined : { person, permit, ...(until !== undefined && { until }) }
}

/** FHIR R4 datatypes.html#period: the end is included, to the precision it has. */
function endOf(period: ConsentProvision['period'], permit: boolean, report: Report): string | undefined {
  if (period === undefined) return undefined
  const { start, end } = period
  if (start !== undefined) report('provision.period.start', 'An authorisation begins now: leave start out.')
  if (end === undefined) return undefined
  if (!permit) report('provision.period', 'Only an authorisation ends: leave period out.')
  const instant = new Date(/^\d{4}-\d{2}-\d{2}$/.test(end) ? `${end}T23:59:59.999Z` : end)
  if (/^\d{4}(-\d{2})?$/.test(end) || Number.isNaN(instant.getTime())) {
    report('provision.period.end', 'Send a day or a time with its zone: 2027-06-30.')
    return undefined
  }
  return instant.toISOString()
}

/** PS_IdNat: a type of identifier, then the identifier (DMP-FACTS 2.1). */
const psIdNat = /^[0134568][0-9A-Z]{4,20}(\/[\x21-\x7e]{1,40})?$/

/** The PS_IdNat of a professional named by logical reference; undefined when there is none. */
export function personOf(reference: Reference | undefined): string | undefined {
  return asPerson(reference?.identifier?.value)
}

export function asPerson(value: string | undefined): string | undefined {
  return value !== undefined && psIdNat.test(value) ? value : undefined
}

function hasCode(concept: CodeableConcept | undefined, system: string, code: string): boolean {
  return concept?.coding?.some((coding) => codeIn(coding, system) === code) ?? false
}

/** The code, where it is of this system or of none. */
function codeIn({ system, code }: Coding, wanted: string): string | undefined {
  return system === undefined || system === wanted ? code : undefined
}
