/**
 * authorRole and authorSpecialty ↔ CodeableConcept. XDS carries them as text: in France a role is a display of JDV_J47
 * and a specialty `code^label^OID` (JDV_J01); elsewhere both may be `code^^^&OID&ISO` (ITI TF-3 4.2.3.1.4).
 */
import type { CodeableConcept, Coding } from '@medplum/fhirtypes'
import { formatCx, parseCx } from '../../metadata/hl7.ts'
import { isOid } from '../../metadata/identifiers.ts'
import { codeOf, displayOf, fromFhirSystem, valueSet } from '../../nomenclature/index.ts'
import { writeCoding } from './coding.ts'
import { escaped, type Form, plain, readExact, writeExact } from './hl7v2.ts'
import { memoised } from './memo.ts'
import type { Problems } from './reading.ts'
import { oids } from './terms.ts'

const rolesByDisplay = new Map(valueSet('authorRole').codes.map((code) => [code.display ?? '', code]))

const text = { format: (value: string) => value, parse: (value: string) => value }

const roleForm: Form<string, CodeableConcept> = {
  ...text,
  write: (role) => {
    const known = rolesByDisplay.get(role)
    return known ? { coding: [writeCoding(known)] } : (codedCx(role) ?? { text: plain(role) })
  },
  read: (concept) => {
    const { coding, scheme } = codedPart(concept)
    if (coding?.code === undefined) return textOf(concept)
    const published = scheme === undefined ? undefined : codeOf('authorRole', coding.code, scheme)?.display
    return published ?? asCx(coding.code, scheme) ?? textOf(concept) ?? escaped(coding.code)
  },
}

const specialtyForm: Form<string, CodeableConcept> = {
  ...text,
  write: (specialty) => {
    const [code = '', label = '', system = '', ...rest] = specialty.split('^')
    if (code === '' || rest.length > 0 || !isOid(system)) return codedCx(specialty) ?? { text: plain(specialty) }
    return { coding: [writeCoding({ code: plain(code), system, display: plain(label) })] }
  },
  read: (concept) => {
    const { coding, scheme } = codedPart(concept)
    if (coding?.code === undefined) return textOf(concept)
    if (scheme === undefined || !scheme.startsWith('1.2.250.'))
      return asCx(coding.code, scheme) ?? textOf(concept) ?? escaped(coding.code)
    const label = coding.display ?? displayOf(scheme, coding.code) ?? concept.text ?? ''
    return `${escaped(coding.code)}^${escaped(label)}^${scheme}`
  },
}

export const writeRole = memoised((role: string) => writeExact(roleForm, role))

export const writeSpecialty = memoised((specialty: string) => writeExact(specialtyForm, specialty))

interface Functions {
  readonly roles: readonly string[]
  readonly specialties: readonly string[]
}

/** PractitionerRole.code and .specialty. The annuaire's profession and savoir-faire become one specialty of JDV_J01. */
export function readFunctions(
  codes: readonly CodeableConcept[],
  specialties: readonly CodeableConcept[],
  location: string,
  problems: Problems,
): Functions {
  const left = new Set(specialties)
  const combined: string[] = []
  const roles: string[] = []
  for (const [index, concept] of codes.entries()) {
    const found = combine(concept, left)
    combined.push(...found)
    if (found.length > 0) continue
    const at = `${location}.code[${index}]`
    const role = readExact(roleForm, concept, at, problems)
    if (role === undefined) problems.error(at, 'Send a coding with system and code, or a text.')
    else roles.push(role)
  }
  const others = specialties.flatMap((concept, index) => {
    if (!left.has(concept)) return []
    const at = `${location}.specialty[${index}]`
    return (
      readExact(specialtyForm, concept, at, problems) ?? problems.error(at, 'Send a coding with system and code.') ?? []
    )
  })
  return { roles, specialties: [...combined, ...others] }
}

/** The specialties that a profession (TRE_G15) makes, alone or with the savoir-faire in `left`, which it then takes. */
function combine(profession: CodeableConcept, left: Set<CodeableConcept>): readonly string[] {
  const { coding, scheme } = codedPart(profession)
  if (scheme !== oids.profession || coding?.code === undefined) return []
  const found: string[] = []
  const take = (code: string): boolean => {
    const label = displayOf(oids.professionAndSpecialty, code)
    if (label !== undefined) found.push(`${code}^${label}^${oids.professionAndSpecialty}`)
    return label !== undefined
  }
  for (const concept of left) {
    const savoirFaire = codedPart(concept).coding?.code
    if (savoirFaire !== undefined && take(`G15_${coding.code}/${savoirFaire}`)) left.delete(concept)
  }
  if (found.length === 0) take(`G15_${coding.code}`)
  return found
}

function codedPart({ coding }: CodeableConcept): { coding: Coding | undefined; scheme: string | undefined } {
  const complete = coding?.find(({ code, system }) => code !== undefined && system !== undefined)
  const chosen = complete ?? coding?.find(({ code }) => code !== undefined)
  return { coding: chosen, scheme: chosen?.system === undefined ? undefined : fromFhirSystem(chosen.system) }
}

function textOf({ text: said, coding }: CodeableConcept): string | undefined {
  return escaped(said ?? coding?.find(({ display }) => display !== undefined)?.display)
}

/** `code^^^&OID&ISO`; undefined where the code system is no OID. */
function asCx(code: string, scheme: string | undefined): string | undefined {
  if (scheme === undefined || !isOid(scheme)) return undefined
  return formatCx({ id: escaped(code), assigningAuthority: { universalId: scheme, universalIdType: 'ISO' } })
}

function codedCx(value: string): CodeableConcept | undefined {
  const { id, assigningAuthority } = parseCx(value)
  const system = assigningAuthority?.universalId ?? ''
  return id !== '' && isOid(system) && asCx(plain(id), system) === value
    ? { coding: [writeCoding({ code: plain(id), system })] }
    : undefined
}
