/** The parameters of one stored query, read by the type each has (ITI TF-2 3.18.4.1.2.3); every fault is collected. */
import type { ErrorCode, Issue } from '../../errors.ts'
import type { CodeMatch, TimeRange } from '../../metadata/criteria.ts'
import { isDtm } from '../../metadata/dtm.ts'
import { parseCx, patientKeyOf } from '../../metadata/hl7.ts'
import { type Dtm, type EntryUuid, isEntryUuid, type PatientKey } from '../../metadata/identifiers.ts'
import type { AssociationType, AvailabilityStatus } from '../../metadata/model.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'
import { defined } from '../defined.ts'
import { associationTypeOf, availabilityOf, stabilityOf, statusOf } from '../ebrim/codes.ts'
import { ns } from '../namespaces.ts'
import { type ParameterValue, parseValue } from './literals.ts'

/** Values of one parameter. */
const mostValues = 1000

export class QueryParameters {
  readonly issues: Issue[] = []
  /** Each Slot with its Values: a repeated Slot is an AND of ORs. */
  readonly #slots = new Map<string, (readonly string[])[]>()

  constructor(query: XmlElement) {
    for (const slot of children(query, ns.rim, 'Slot')) {
      const name = attribute(slot, 'name') ?? ''
      const list = child(slot, ns.rim, 'ValueList')
      const values = list ? children(list, ns.rim, 'Value').map(({ text }) => text) : []
      const known = this.#slots.get(name)
      // Parameters begin with $; those of an extension are named by a URN (ITI TF-2 3.18.4.1.2.3.5)
      if (!name.startsWith('$') && !name.startsWith('urn:'))
        this.report(name.slice(0, 80) || 'Slot', 'names of parameters begin with $.')
      if (values.length === 0) continue
      if (known) known.push(values)
      else this.#slots.set(name, [values])
    }
  }

  has(name: string): boolean {
    return this.#slots.has(name)
  }

  report(name: string, detail: string, code: ErrorCode = 'XDSRegistryError'): void {
    this.issues.push({ code, rule: 'SQ', location: name, detail: `${name}: ${detail}` })
  }

  /** A patient id, one string: `'id^^^&OID&ISO'`. */
  patient(name: string): PatientKey {
    const value = this.#single(name, 'string')
    const key = value === undefined ? undefined : patientKeyOf(parseCx(value))
    if (value !== undefined && key === undefined) this.report(name, "send 'id^^^&OID&ISO'.")
    return key ?? ('' as PatientKey)
  }

  /** Full URNs of ebRIM or, for Archived and Deleted, of CI-SIS; one that is not known is refused, never left out. */
  statuses(name: string): readonly AvailabilityStatus[] {
    return this.#mapped(
      name,
      statusOf,
      "send statuses as full URNs, ('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved').",
    )
  }

  /** objectTypes of DocumentEntries; without the parameter only stable ones (ITI TF-2 3.18.4.1.2.3.7.1). */
  stability(name: string): readonly ('stable' | 'on-demand')[] {
    if (!this.has(name)) return ['stable']
    return this.#mapped(name, stabilityOf, 'send the objectType UUIDs of DocumentEntries, in lower case.')
  }

  /** documentAvailability URNs; undefined when the parameter is absent. */
  availability(name: string): readonly ('Online' | 'Offline')[] | undefined {
    if (!this.has(name)) return undefined
    return this.#mapped(name, availabilityOf, 'send urn:ihe:iti:2010:DocumentAvailability:Online or …:Offline.')
  }

  /** Strings of any content, as patterns or identifiers; undefined when the parameter is absent. */
  texts(name: string): readonly string[] | undefined {
    return this.has(name) ? this.#list(name) : undefined
  }

  /** The same where the Slot may be repeated: AND of ORs. */
  textGroups(name: string): readonly (readonly string[])[] | undefined {
    return this.#slots.get(name)?.map((values) => this.#strings(name, values))
  }

  /** One string, as the only alternative; undefined when the parameter is absent. */
  text(name: string): readonly string[] | undefined {
    const value = this.#single(name, 'string')
    if (value === '') this.report(name, 'the value is empty: send a text in single quotes.')
    return value === undefined ? undefined : [value]
  }

  /** entryUUIDs or logicalIDs. */
  uuids(name: string): readonly EntryUuid[] {
    return this.#list(name).flatMap((text) => this.#uuid(name, text) ?? [])
  }

  /** One entryUUID. */
  uuid(name: string): EntryUuid {
    const value = this.#single(name, 'string')
    return (value === undefined ? undefined : this.#uuid(name, value)) ?? ('' as EntryUuid)
  }

  /** Association types by their full URNs. */
  associationTypes(name: string): readonly AssociationType[] {
    return this.#mapped(name, associationTypeOf, "send types as full URNs, ('urn:ihe:iti:2007:AssociationType:RPLC').")
  }

  /** 1 or 2, 1 when the parameter is absent. A number is not quoted; some consumers do, which leaves no doubt either. */
  metadataLevel(name: string): 1 | 2 {
    const value = this.#single(name)
    if (value !== undefined && value !== '1' && value !== '2') this.report(name, 'send 1 or 2.')
    return value === '2' ? 2 : 1
  }

  /** `('code^^scheme')` */
  codes(name: string): readonly CodeMatch[] | undefined {
    return this.has(name) ? this.#list(name).flatMap((text) => this.#code(name, text)) : undefined
  }

  /** The same where the Slot may be repeated: AND of ORs. */
  codeGroups(name: string): readonly (readonly CodeMatch[])[] | undefined {
    return this.textGroups(name)?.map((group) => group.flatMap((text) => this.#code(name, text)))
  }

  /** `<name>From` inclusive and `<name>To` exclusive; times come quoted or not. */
  range(name: string): readonly TimeRange[] | undefined {
    const range: TimeRange = defined({ from: this.#time(`${name}From`), to: this.#time(`${name}To`) })
    return range.from === undefined && range.to === undefined ? undefined : [range]
  }

  #time(name: string): Dtm | undefined {
    const value = this.#single(name)
    if (value === undefined || isDtm(value)) return value
    this.report(name, 'send YYYY[MM[DD[hh[mm[ss]]]]] in UTC, of the calendar.')
    return undefined
  }

  #code(name: string, text: string): readonly CodeMatch[] {
    const [code, middle, system, ...more] = text.split('^')
    if (code && middle === '' && system && more.length === 0) return [{ code, system }]
    this.report(name, "send codes as ('code^^codingScheme').")
    return []
  }

  #mapped<T>(name: string, known: ReadonlyMap<string, T>, detail: string): readonly T[] {
    return this.#list(name).flatMap((text) => {
      const value = known.get(text)
      if (value !== undefined) return [value]
      this.report(name, detail)
      return []
    })
  }

  /** The strings of a list that stands in one Slot. */
  #list(name: string): readonly string[] {
    const [values, ...repeated] = this.#slots.get(name) ?? []
    if (repeated.length > 0)
      this.report(
        name,
        'the Slot is repeated: send one Slot, its list gives alternatives.',
        'XDSStoredQueryParamNumber',
      )
    return values === undefined ? [] : this.#strings(name, values)
  }

  #strings(name: string, values: readonly string[]): readonly string[] {
    const parsed = this.#parse(name, values)
    if (parsed.some(({ list }) => !list)) this.report(name, "this is a list: put it in parentheses, ('a','b').")
    const literals = parsed.flatMap((value) => value.literals)
    if (literals.length > mostValues) {
      this.report(name, `there are more than ${mostValues} values: ask in several queries.`, 'over-limit')
      return []
    }
    if (literals.some(({ kind, text }) => kind === 'number' || text === ''))
      this.report(name, "send texts in single quotes, ('a','b'), none of them empty.")
    return literals.map(({ text }) => text)
  }

  /** The one value of a parameter that has one; `kind` says that it must be quoted, both ways are fine without. */
  #single(name: string, kind?: 'string'): string | undefined {
    const slots = this.#slots.get(name)
    if (slots === undefined) return undefined
    const parsed = slots.flatMap((values) => this.#parse(name, values))
    const literals = parsed.flatMap((value) => value.literals)
    if (literals.length > 1) this.report(name, 'this parameter takes one value.', 'XDSStoredQueryParamNumber')
    else if (parsed.some(({ list }) => list)) this.report(name, 'this parameter takes one value, without parentheses.')
    const [literal] = literals
    if (literal && kind !== undefined && literal.kind !== kind) this.report(name, 'send the value in single quotes.')
    return literal?.text
  }

  #uuid(name: string, text: string): EntryUuid | undefined {
    const uuid = text.toLowerCase()
    if (isEntryUuid(uuid)) return uuid
    this.report(name, 'send each id as urn:uuid: and a UUID.')
    return undefined
  }

  #parse(name: string, values: readonly string[]): readonly ParameterValue[] {
    return values.flatMap((value) => {
      try {
        return [parseValue(value)]
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        this.report(name, error.message)
        return []
      }
    })
  }
}
