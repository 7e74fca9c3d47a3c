/**
 * Code ↔ Coding and CodeableConcept. XDS has one code where FHIR may have several codings of the same concept: the first
 * whose code system is known here is taken, else the first that is complete; the others are reported as not kept.
 * `text` serves as the display where the coding has none. An empty display is never written.
 */
import type { CodeableConcept, Coding } from '@medplum/fhirtypes'
import { isOid } from '../../metadata/identifiers.ts'
import type { Code } from '../../metadata/model.ts'
import { fromFhirSystem, toFhirSystem } from '../../nomenclature/index.ts'
import type { Reading } from './reading.ts'

export function writeCoding({ code, system, display }: Code): Coding {
  return { system: toFhirSystem(system), code, ...(display !== undefined && display !== '' && { display }) }
}

export function writeConcept(code: Code): CodeableConcept {
  return { coding: [writeCoding(code)] }
}

/** Undefined for a coding without system or code. */
export function codeOfCoding({ system, code, display }: Coding): Code | undefined {
  if (system === undefined || code === undefined) return undefined
  return { code, system: fromFhirSystem(system), ...(display !== undefined && display !== '' && { display }) }
}

export function readCoding(coding: Coding | undefined, location: string, { problems }: Reading): Code | undefined {
  if (coding === undefined) return undefined
  return codeOfCoding(coding) ?? problems.error(location, 'Send the code with its system: { "system": …, "code": … }.')
}

/** `rule` is the id of the rule that asks for this element, for a concept without a usable code. */
export function readConcept(
  concept: CodeableConcept | undefined,
  location: string,
  { problems }: Reading,
  rule?: string,
): Code | undefined {
  if (concept === undefined) return undefined
  const codings = concept.coding ?? []
  const index = pick(codings)
  const code = codings[index] && codeOfCoding(codings[index])
  if (code === undefined)
    return problems.error(
      location,
      'Send a coding with its system and code: a text alone is no code.',
      rule ? { rule } : {},
    )
  for (const other of codings.keys())
    if (other !== index)
      problems.lost(`${location}.coding[${other}]`, 'One coding is kept: the first of a known system.')
  return code.display === undefined && concept.text ? { ...code, display: concept.text } : code
}

/** Position of the coding to keep, -1 when none is complete. */
function pick(codings: readonly Coding[]): number {
  const known = codings.findIndex(({ system, code }) => system !== undefined && code !== undefined && isKnown(system))
  return known >= 0 ? known : codings.findIndex(({ system, code }) => system !== undefined && code !== undefined)
}

function isKnown(system: string): boolean {
  const scheme = fromFhirSystem(system)
  return isOid(scheme) || scheme !== system
}
