/** The value sets of the DMP, by the attribute they bind. Look-ups are by (code, code system) and take constant time. */
import type { Code } from '../metadata/model.ts'
import typeClass from './data/type-class.json' with { type: 'json' }
import data from './data/value-sets.json' with { type: 'json' }
import { schemeOf } from './systems.ts'

/** Value sets by the names of their publisher. */
const published = {
  JDV_J66: 'typeCode',
  JDV_J57: 'classCode',
  JDV_J58: 'confidentialityCode',
  TRE_A07: 'visibility',
  JDV_J60: 'formatCode',
  JDV_J61: 'healthcareFacilityTypeCode',
  JDV_J62: 'practiceSettingCode',
  JDV_J59: 'contentTypeCode',
  JDV_J65: 'subjectRole',
  JDV_J01: 'authorSpecialty',
  JDV_J47: 'authorRole',
  JDV_J48: 'professionNonPs',
  TRE_R248: 'purposeOfUse',
  JDV_J52: 'availabilityStatus',
  JDV_J231: 'referenceIdType',
} as const satisfies Record<string, keyof typeof data>

/**
 * The attribute a value set binds, or the publisher's name of the set. `visibility` is the whole of TRE_A07,
 * `subjectRole` the professions of JDV_J65.
 */
export type ValueSetName = keyof typeof data | keyof typeof published

export interface ValueSet {
  /** JDV_J66_TypeCode_DMP, … */
  readonly name: string
  readonly oid: string
  readonly version?: string
  /** Every code with its system (an OID, or the word the ANS uses in its place) and display, in published order. */
  readonly codes: readonly Code[]
  /** Whether the set holds this code, in this code system (OID or FHIR URI) where one is given. */
  has(code: string, system?: string): boolean
  /** The code with its display; without a system the first one that matches. */
  get(code: string, system?: string): Code | undefined
}

interface PublishedSet {
  readonly name: string
  readonly oid: string
  readonly version?: string
  readonly systems: readonly { readonly system: string; readonly codes: readonly (readonly string[])[] }[]
}

/** Displays of every code in any set, by `system|code`. */
const displays = new Map<string, string>()

function compile({ name, oid, version, systems }: PublishedSet): ValueSet {
  const codes: Code[] = []
  const byCode = new Map<string, Code>()
  const byBoth = new Map<string, Code>()
  for (const { system, codes: pairs } of systems)
    for (const [code, display] of pairs) {
      if (code === undefined || display === undefined) continue
      const entry = { code, system, display }
      codes.push(entry)
      byBoth.set(`${system}|${code}`, entry)
      if (!byCode.has(code)) byCode.set(code, entry)
      if (!displays.has(`${system}|${code}`)) displays.set(`${system}|${code}`, display)
    }
  const get = (code: string, system?: string): Code | undefined =>
    system === undefined
      ? byCode.get(code)
      : (byBoth.get(`${system}|${code}`) ?? byBoth.get(`${schemeOf(system)}|${code}`))
  return {
    name,
    oid,
    ...(version === undefined ? {} : { version }),
    codes,
    get,
    has: (code, system) => get(code, system) !== undefined,
  }
}

const sets = new Map<string, ValueSet>(Object.entries(data).map(([key, set]) => [key, compile(set)]))
for (const [alias, key] of Object.entries(published)) {
  const set = sets.get(key)
  if (set === undefined || !set.name.startsWith(`${alias}_`)) throw new RangeError(`value set ${alias} is not ${key}`)
  sets.set(alias, set)
}

/** The value set that binds an attribute, by the attribute or by the publisher's name. */
export function valueSet(name: ValueSetName): ValueSet {
  const set = sets.get(name)
  if (set === undefined) throw new RangeError(`no value set ${name}; one of ${[...sets.keys()].join(', ')}`)
  return set
}

/** A code of a value set with its system and display, or undefined. */
export function codeOf(name: ValueSetName, code: string, system?: string): Code | undefined {
  return valueSet(name).get(code, system)
}

/** The published display of a code in a code system (OID or FHIR URI), or undefined. */
export function displayOf(system: string, code: string): string | undefined {
  return displays.get(`${system}|${code}`) ?? displays.get(`${schemeOf(system)}|${code}`)
}

const classes = new Map<string, Code>()
for (const [type, code] of typeClass.types) {
  const classCode = code === undefined ? undefined : codeOf('classCode', code)
  if (type === undefined || classCode === undefined) throw new RangeError(`ASS_X16: ${type} has no class in JDV_J57`)
  classes.set(type, classCode)
}

/** Whether the DMP accepts this typeCode (JDV_J66). */
export function isDmpType(typeCode: string, system?: string): boolean {
  return valueSet('typeCode').has(typeCode, system)
}

/** The class of a type: classCode is deduced from typeCode (ASS_X16). Undefined for a type the association leaves out. */
export function classOfType(typeCode: string): Code | undefined {
  return classes.get(typeCode)
}
