/**
 * HL7 v2 data types as XDS metadata carries them: CX, CXi, XCN, XON, XTN, HD.
 * Each type is a plain object with the components that have a meaning in the field's profiles by name, and every other
 * component kept by number in `rest`, so that formatting a parsed value gives back the same characters (trailing empty
 * components aside, which HL7 v2 does not count). Escape sequences are kept as received. Nothing here decides whether a value is
 * allowed: rules.ts does.
 */
import { type PatientKey, patientKey, splitPatientKey } from './identifiers.ts'

/** Components without a name of ours, by component number (1-based), as received (sub-components included). */
export type Rest = Readonly<Record<number, string>>

/** Hierarchic designator: `namespaceId&universalId&universalIdType`. */
export interface Hd {
  readonly namespaceId?: string
  readonly universalId?: string
  readonly universalIdType?: string
}

/** Extended composite id: a patient identifier or a referenceIdList entry (CXi), `id^^^authority^typeCode^homeCommunity`. */
export interface Cx {
  /** CX.1 */
  readonly id: string
  /** CX.4 */
  readonly assigningAuthority?: Hd
  /** CX.5, `NH` for a French INS, a `urn:` for CXi */
  readonly typeCode?: string
  readonly rest?: Rest
}

/** Extended composite name and id number of a person or device. */
export interface Xcn {
  /** XCN.1, PS_IdNat of a French professional */
  readonly id?: string
  /** XCN.2 */
  readonly family?: string
  /** XCN.3 */
  readonly given?: string
  /** XCN.4 */
  readonly furtherGiven?: string
  /** XCN.5 */
  readonly suffix?: string
  /** XCN.6 */
  readonly prefix?: string
  /** XCN.9 */
  readonly assigningAuthority?: Hd
  /** XCN.10: D (person), U (device) */
  readonly nameType?: string
  /** XCN.13: IDNPS, EI, RI, NH */
  readonly idType?: string
  readonly rest?: Rest
}

/** Extended composite name and id of an organization. */
export interface Xon {
  /** XON.1 */
  readonly name: string
  /** XON.6 */
  readonly assigningAuthority?: Hd
  /** XON.7: IDNST, SIREN */
  readonly idType?: string
  /** XON.10: Struct_IdNat */
  readonly id?: string
  readonly rest?: Rest
}

/** Extended telecommunication number. */
export interface Xtn {
  /** XTN.2 */
  readonly use?: string
  /** XTN.3: Internet, PH, CP */
  readonly type?: string
  /** XTN.4 */
  readonly email?: string
  /** XTN.12 */
  readonly unformatted?: string
  readonly rest?: Rest
}

const SUBCOMPONENTS: readonly (keyof Hd)[] = ['namespaceId', 'universalId', 'universalIdType']

/**
 * `namespaceId&universalId&universalIdType`, as it stands inside a component. Nothing present gives an empty object;
 * trailing empty sub-components are dropped; undefined when there are more than three sub-components: that is no HD.
 */
export function parseHd(text: string): Hd | undefined {
  const parts = dropTrailingEmpty(text.split('&'))
  if (parts.length > SUBCOMPONENTS.length) return undefined
  const hd: { -readonly [K in keyof Hd]: Hd[K] } = {}
  for (const [index, name] of SUBCOMPONENTS.entries()) {
    const part = parts[index]
    if (part) hd[name] = part
  }
  return hd
}

export function formatHd(hd: Hd): string {
  return dropTrailingEmpty(SUBCOMPONENTS.map((name) => escapeInside(hd[name] ?? '', /[&^]/g))).join('&')
}

/** `id^^^authority^typeCode^homeCommunity`: patientId, sourcePatientId, PID-3, and CXi of referenceIdList. */
export function parseCx(text: string): Cx {
  const fields = new Components(text)
  const id = fields.take(1) ?? ''
  return { id, ...present({ assigningAuthority: fields.takeHd(4), typeCode: fields.take(5), rest: fields.rest() }) }
}

export function formatCx(cx: Cx): string {
  return join({ ...cx.rest, 1: cx.id, 4: hdComponent(cx.assigningAuthority, cx.rest?.[4]), 5: cx.typeCode })
}

/** `id^family^given^further^suffix^prefix^^^authority^nameType^^^idType`: a person or a device. */
export function parseXcn(text: string): Xcn {
  const fields = new Components(text)
  return present({
    id: fields.take(1),
    family: fields.take(2),
    given: fields.take(3),
    furtherGiven: fields.take(4),
    suffix: fields.take(5),
    prefix: fields.take(6),
    assigningAuthority: fields.takeHd(9),
    nameType: fields.take(10),
    idType: fields.take(13),
    rest: fields.rest(),
  })
}

export function formatXcn(xcn: Xcn): string {
  return join({
    ...xcn.rest,
    1: xcn.id,
    2: xcn.family,
    3: xcn.given,
    4: xcn.furtherGiven,
    5: xcn.suffix,
    6: xcn.prefix,
    9: hdComponent(xcn.assigningAuthority, xcn.rest?.[9]),
    10: xcn.nameType,
    13: xcn.idType,
  })
}

/** `name^^^^^authority^idType^^^id`: an organization. */
export function parseXon(text: string): Xon {
  const fields = new Components(text)
  const name = fields.take(1) ?? ''
  return {
    name,
    ...present({
      assigningAuthority: fields.takeHd(6),
      idType: fields.take(7),
      id: fields.take(10),
      rest: fields.rest(),
    }),
  }
}

export function formatXon(xon: Xon): string {
  return join({
    ...xon.rest,
    1: xon.name,
    6: hdComponent(xon.assigningAuthority, xon.rest?.[6]),
    7: xon.idType,
    10: xon.id,
  })
}

/** `^use^type^email^…^unformatted`: an electronic address or a telephone number. */
export function parseXtn(text: string): Xtn {
  const fields = new Components(text)
  return present({
    use: fields.take(2),
    type: fields.take(3),
    email: fields.take(4),
    unformatted: fields.take(12),
    rest: fields.rest(),
  })
}

export function formatXtn(xtn: Xtn): string {
  return join({ ...xtn.rest, 2: xtn.use, 3: xtn.type, 4: xtn.email, 12: xtn.unformatted })
}

const DOTTED_NUMBER = /^(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+$/

/**
 * A dotted number of at most 64 characters. ISO knows the roots 0 to 2 only (`isOid`), but authorities and sources such
 * as 3.4.5 and 129.6.58.92.1.1 are in common use in test data.
 */
export function isDottedNumber(text: string): boolean {
  return text.length <= 64 && DOTTED_NUMBER.test(text)
}

/** Whether an HD is `&OID&ISO`, any dotted number passing as OID (ITI TF-3 table 4.2.3.1.7-2). */
export function isIsoAuthority(hd: Hd | undefined): hd is Hd & { readonly universalId: string } {
  return (
    hd !== undefined &&
    hd.namespaceId === undefined &&
    hd.universalIdType === 'ISO' &&
    hd.universalId !== undefined &&
    isDottedNumber(hd.universalId)
  )
}

/**
 * The patient a CX names; undefined unless CX.1 is there and CX.4 is `&OID&ISO` (ITI TF-3 table 4.2.3.1.7-2). CX.5 and
 * the further components have no part in it: `…^NH`, `…^PI` and a bare CX of the same authority are the same patient.
 */
export function patientKeyOf(cx: Cx): PatientKey | undefined {
  if (cx.id === '' || !isIsoAuthority(cx.assigningAuthority)) return undefined
  return patientKey(cx.assigningAuthority.universalId, cx.id)
}

/** The CX of a patient: `id^^^&OID&ISO`, with CX.5 when `typeCode` is given (`NH` for an INS). */
export function cxOf(key: PatientKey, typeCode?: string): Cx {
  const { authority, id } = splitPatientKey(key)
  return {
    id,
    assigningAuthority: { universalId: authority, universalIdType: 'ISO' },
    ...present({ typeCode }),
  }
}

/** The components of one value, taken out one by one; what is left over is `rest`. */
class Components {
  readonly #left = new Map<number, string>()

  constructor(text: string) {
    for (const [index, component] of text.split('^').entries()) {
      if (component !== '') this.#left.set(index + 1, component)
    }
  }

  take(number: number): string | undefined {
    const component = this.#left.get(number)
    this.#left.delete(number)
    return component
  }

  /** An HD; a component that is no HD stays in `rest` so that nothing of it is lost. */
  takeHd(number: number): Hd | undefined {
    const component = this.#left.get(number)
    if (component === undefined) return undefined
    const hd = parseHd(component)
    if (hd === undefined) return undefined
    this.#left.delete(number)
    return Object.keys(hd).length === 0 ? undefined : hd
  }

  rest(): Rest | undefined {
    return this.#left.size === 0 ? undefined : Object.fromEntries(this.#left)
  }
}

function hdComponent(hd: Hd | undefined, asReceived: string | undefined): string | undefined {
  return hd === undefined ? asReceived : formatHd(hd)
}

function join(components: Readonly<Record<number, string | undefined>>): string {
  const parts: string[] = []
  for (const [number, component] of Object.entries(components)) {
    if (component === undefined) continue
    // The HD of formatHd carries its own `&`; any other text keeps its sub-components as received.
    parts[Number(number) - 1] = escapeInside(component, /\^/g)
  }
  return dropTrailingEmpty(Array.from(parts, (part) => part ?? '')).join('^')
}

const ESCAPES: Readonly<Record<string, string>> = { '^': '\\S\\', '&': '\\T\\' }

/**
 * A delimiter inside a component can only come from text that never was HL7 (a FHIR name): unescaped it would move
 * everything behind it into another component, an identifier or its authority included.
 */
function escapeInside(text: string, delimiters: RegExp): string {
  return text.replace(delimiters, (delimiter) => ESCAPES[delimiter] ?? delimiter)
}

function dropTrailingEmpty(parts: readonly string[]): readonly string[] {
  const last = parts.findLastIndex((part) => part !== '')
  return parts.slice(0, last + 1)
}

/** The same object without its undefined properties: absent and undefined are not the same thing here. */
function present<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
