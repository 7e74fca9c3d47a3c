/** fast-check arbitraries of text, identifiers, times and HL7 types; metadata.ts states the limits and exports them all. */
import fc from 'fast-check'
import { type Cx, formatXcn, type Hd, type Xcn, type Xon, type Xtn } from '../../src/metadata/hl7.ts'
import type { Dtm, EntryUuid, Oid, UniqueId } from '../../src/metadata/identifiers.ts'

export type Profile = 'ihe' | 'ci-sis'
export type Arb<T> = fc.Arbitrary<T>

/** fc.record whose values have the ordinary prototype, so that assert.deepEqual (strict) compares them with ours. */
export function record<T extends object, K extends keyof T = keyof T>(
  model: { [P in keyof T]: Arb<T[P]> },
  requiredKeys?: readonly K[],
): Arb<{ [P in K]: T[P] } & { [P in Exclude<keyof T, K>]?: T[P] }> {
  const constraints = { noNullPrototype: true as const, ...(requiredKeys && { requiredKeys: [...requiredKeys] }) }
  return fc.record(model, constraints) as unknown as Arb<{ [P in K]: T[P] } & { [P in Exclude<keyof T, K>]?: T[P] }>
}

// --- Text -----------------------------------------------------------------------------------------------------------

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éèêëàâäçùûüîïôöœæÉÈÀÇŒ'
const characterInComponent = fc.constantFrom(...letters, ...'\'’-.,;:()/"<>%_+*=#@!?°€', 'ß', 'Ж', '漢', '🩺')
const character = fc.oneof({ weight: 12, arbitrary: characterInComponent }, fc.constantFrom(...'^~&|\\'))

function words(of: Arb<string>, maxLength: number): Arb<string> {
  return fc
    .array(fc.string({ unit: of, minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 })
    .map((list) => clip(list.join(' '), maxLength))
}

/** Counted in UTF-16 units as the rules do, and never in the middle of a character. */
function clip(value: string, maxLength: number): string {
  let kept = ''
  for (const each of value) {
    if (kept.length + each.length > maxLength) break
    kept += each
  }
  return kept.trimEnd()
}

/** Free text: a title, a display. */
export const text: Arb<string> = words(character, 120)
/** Text that may stand inside an HL7 component. */
export const component: Arb<string> = words(characterInComponent, 24)
/** A single word of letters and digits. */
export const token: Arb<string> = fc.string({
  unit: fc.constantFrom(...letters.slice(0, 62)),
  minLength: 1,
  maxLength: 12,
})

// --- Identifiers and times ------------------------------------------------------------------------------------------

const arc = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 99 }), fc.integer({ min: 100, max: 999_999 }))

export const oid: Arb<Oid> = fc
  .tuple(
    fc.constantFrom('1.2.250.1', '2.16.840.1', '2.25', '1.3.6.1.4.1', '2.999'),
    fc.array(arc, { minLength: 1, maxLength: 6 }),
  )
  .map(([root, arcs]) => [root, ...arcs].join('.') as Oid)

export const entryUuid: Arb<EntryUuid> = fc.uuid().map((uuid) => `urn:uuid:${uuid}` as EntryUuid)

/** An OID, an OID with an extension, a 2.25 OID made from a UUID, or a `urn:uuid:`. */
export const uniqueId: Arb<UniqueId> = fc
  .oneof(
    { weight: 4, arbitrary: oid },
    fc.tuple(oid, token).map(([root, extension]) => `${root}^${extension}`),
    fc.uuid().map((uuid) => `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`),
    entryUuid,
  )
  .map((id) => id as UniqueId)

const seconds = fc.date({
  min: new Date('1900-01-01T00:00:00Z'),
  max: new Date('2099-12-31T23:59:59Z'),
  noInvalidDate: true,
})

/** 4 to 14 digits. */
export const dtm: Arb<Dtm> = fc
  .tuple(seconds, fc.constantFrom(4, 6, 8, 10, 12, 14, 14, 14))
  .map(([date, length]) => date.toISOString().replace(/\D/g, '').slice(0, length) as Dtm)

/** Start and stop in order. */
export const period: Arb<readonly [Dtm, Dtm]> = fc.tuple(dtm, dtm).map(([a, b]) => (a < b ? [a, b] : [b, a]))

// --- HL7 types ------------------------------------------------------------------------------------------------------

/** `&OID&ISO` */
export const authority: Arb<Hd> = oid.map((universalId) => ({ universalId, universalIdType: 'ISO' }))

/** Any HD, namespace included: for the codecs. */
export const hd: Arb<Hd> = record(
  { namespaceId: component, universalId: component, universalIdType: component },
  [],
).filter((value) => Object.keys(value).length > 0)

/** Components by number, none of those that have a name. */
function restExcept(...named: readonly number[]): Arb<Record<number, string>> {
  const numbers = Array.from({ length: 23 }, (_, index) => index + 1).filter((number) => !named.includes(number))
  return fc.dictionary(fc.constantFrom(...numbers.map(String)), component, {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  })
}

/** Any CX, XCN, XON and XTN, `rest` included: for the codecs. */
export const anyCx: Arb<Cx> = record(
  { id: component, assigningAuthority: hd, typeCode: component, rest: restExcept(1, 4, 5) },
  ['id'],
)
export const anyXcn: Arb<Xcn> = record(
  {
    id: component,
    family: component,
    given: component,
    furtherGiven: component,
    suffix: component,
    prefix: component,
    assigningAuthority: hd,
    nameType: component,
    idType: component,
    rest: restExcept(1, 2, 3, 4, 5, 6, 9, 10, 13),
  },
  [],
)
export const anyXon: Arb<Xon> = record(
  { name: component, assigningAuthority: hd, idType: component, id: component, rest: restExcept(1, 6, 7, 10) },
  ['name'],
)
export const anyXtn: Arb<Xtn> = record(
  { use: component, type: component, email: component, unformatted: component, rest: restExcept(2, 3, 4, 12) },
  [],
)

const insAuthorities = ['1.2.250.1.213.1.4.8', '1.2.250.1.213.1.4.9', '1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.11']
export const frenchPatientId: Arb<Cx> = fc
  .tuple(fc.integer({ min: 0, max: 99_999_999 }), fc.constantFrom(...insAuthorities))
  // 2 60 05 99: no département 99 gives a NIR like these.
  .map(([number, universalId]) => ({
    id: `2600599${String(number).padStart(8, '0')}`,
    assigningAuthority: { universalId, universalIdType: 'ISO' },
    typeCode: 'NH',
  }))
export const localPatientId: Arb<Cx> = record(
  { id: component, assigningAuthority: authority, typeCode: fc.constantFrom('PI', 'NH', 'MR') },
  ['id', 'assigningAuthority'],
)

/** patientId: an INS in `ci-sis`, any authority otherwise. */
export function patientIdFor(profile: Profile): Arb<Cx> {
  return profile === 'ci-sis' ? frenchPatientId : fc.oneof(frenchPatientId, localPatientId)
}

/** A referenceIdList entry: CX.5 always, CX.4 with an OID. */
export const cxi: Arb<Cx> = record({
  id: component,
  assigningAuthority: authority,
  typeCode: fc.constantFrom(
    'urn:ihe:iti:xds:2013:accession',
    'urn:ihe:iti:xds:2013:order',
    'urn:ihe:iti:xds:2016:studyInstanceUID',
  ),
})

const persons = { universalId: '1.2.250.1.71.4.2.1', universalIdType: 'ISO' }
const professionalId = fc.integer({ min: 0, max: 99 }).map((number) => `8997000000${String(number).padStart(2, '0')}`)
const professional: Arb<Xcn> = record(
  {
    id: professionalId,
    family: component,
    given: component,
    furtherGiven: component,
    suffix: component,
    prefix: component,
    assigningAuthority: fc.constant(persons),
    nameType: fc.constant('D'),
    idType: fc.constantFrom('IDNPS', 'EI'),
    rest: restExcept(1, 2, 3, 4, 5, 6, 9, 10, 13),
  },
  ['id', 'family', 'given', 'assigningAuthority', 'nameType', 'idType'],
)
const device: Arb<Xcn> = record(
  {
    id: component,
    family: component,
    given: component,
    assigningAuthority: fc.constant(persons),
    nameType: fc.constant('U'),
    idType: fc.constantFrom('RI', 'EI'),
  },
  ['id', 'family', 'assigningAuthority', 'nameType', 'idType'],
)
const patientPerson: Arb<Xcn> = fc
  .tuple(frenchPatientId, component, component)
  .map(([{ id, assigningAuthority }, family, given]) => ({
    id,
    family,
    given,
    ...(assigningAuthority && { assigningAuthority }),
    nameType: 'D',
    idType: 'NH',
  }))
const foreignPerson: Arb<Xcn> = fc.oneof(
  record({ family: component, given: component, prefix: component }, ['family']),
  record({ id: component, family: component, given: component, assigningAuthority: authority }, ['id']),
)

/** authorPerson, legalAuthenticator: professional, device or patient; in `ihe` also a bare name. */
export function xcnFor(profile: Profile): Arb<Xcn> {
  const french = [{ weight: 6, arbitrary: professional }, device, patientPerson] as const
  const any = profile === 'ci-sis' ? fc.oneof(...french) : fc.oneof(...french, foreignPerson)
  return any.filter((xcn) => formatXcn(xcn).length <= 256)
}

const frenchStructure: Arb<Xon> = fc.oneof(
  {
    weight: 4,
    arbitrary: record({
      name: component,
      assigningAuthority: fc.constant({ universalId: '1.2.250.1.71.4.2.2', universalIdType: 'ISO' }),
      idType: fc.constant('IDNST'),
      id: fc.integer({ min: 0, max: 99_999 }).map((number) => `10100${String(number).padStart(5, '0')}`),
    }),
  },
  record({
    name: component,
    assigningAuthority: fc.constant({ universalId: '1.3.2', universalIdType: 'ISO' }),
    idType: fc.constant('SIREN'),
    id: fc.integer({ min: 0, max: 999_999 }).map((number) => `999${String(number).padStart(6, '0')}`),
  }),
)
const foreignStructure: Arb<Xon> = fc.oneof(
  record({ name: component, id: oid }, ['name']),
  record({ name: component, assigningAuthority: authority, id: token }),
)

export function xonFor(profile: Profile): Arb<Xon> {
  return profile === 'ci-sis' ? frenchStructure : fc.oneof({ weight: 3, arbitrary: frenchStructure }, foreignStructure)
}

export const xtn: Arb<Xtn> = fc.oneof(
  record(
    {
      use: fc.constant('NET'),
      type: fc.constant('Internet'),
      email: fc.tuple(token, token).map(([a, b]) => `${a}@${b}.example`),
    },
    ['type', 'email'],
  ),
  record(
    {
      use: fc.constantFrom('WPN', 'PRN', 'EMR'),
      type: fc.constantFrom('PH', 'CP'),
      unformatted: fc.integer({ min: 0, max: 99_999_999 }).map((number) => `+339${String(number).padStart(8, '0')}`),
    },
    ['type', 'unformatted'],
  ),
)
