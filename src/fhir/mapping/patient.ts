/**
 * patientId ↔ subject, and sourcePatientId with sourcePatientInfo ↔ the contained Patient of context.sourcePatientInfo.
 * The source patient is as the source knew it at submission: never recomputed. The contained Patient shows PID-3, 5, 7, 8
 * and 11 to readers of FHIR; where reading it would not give back the same lines in the same order, the lines themselves
 * go along in extensions.
 */
import type { Address, HumanName, Patient, Reference } from '@medplum/fhirtypes'
import { dtmToIso, isDtm } from '../../metadata/dtm.ts'
import { type Cx, cxOf, formatCx, parseCx, patientKeyOf } from '../../metadata/hl7.ts'
import { isOid, type PatientKey, patientKey, splitPatientKey } from '../../metadata/identifiers.ts'
import { agrees, escaped, plain, readExact, writeExact } from './hl7v2.ts'
import { cxForm, oidOfUri, withOid, writeIdentifier } from './identifier.ts'
import { memoised } from './memo.ts'
import { readName, writeName } from './person.ts'
import { defined, extensionOf, extensionsOf, type Reading, some } from './reading.ts'
import { ext, isInsAuthority } from './terms.ts'

// --- patientId ------------------------------------------------------------------------------------------------------

/** A logical reference by identifier; with `Patient/{id}` too where the door has such an id. */
export function writeSubject(
  patientId: Cx,
  patientReference?: (patient: PatientKey) => string | undefined,
): Reference<Patient> {
  const key = patientKeyOf(patientId)
  return defined<Reference<Patient>>({
    reference: key && patientReference?.(key),
    type: 'Patient',
    identifier: writePatientId(patientId),
  })
}

const writePatientId = memoised((patientId: Cx) => writeExact(cxForm, patientId))

/**
 * The patientId of a subject: its identifier, `Patient?identifier=system|value`, a contained or resolvable Patient, or
 * what the door knows behind the reference. An INS gets the NH of CX.5 that FHIR does not say.
 */
export function readSubject(subject: Reference | undefined, location: string, reading: Reading): Cx | undefined {
  const { problems } = reading
  const { identifier, reference } = subject ?? {}
  if (identifier === undefined && reference === undefined)
    return problems.error(location, 'Send the patient: a reference, or an identifier with system and value.', {
      rule: 'CMPMETA4_1',
    })
  const referred = reference === undefined ? undefined : referredPatient(reference, location, reading)
  if (identifier === undefined)
    return (
      referred ??
      problems.error(
        location,
        'The reference leads to no known patient: send subject.identifier with the system and value of the patient.',
        { rule: 'SUBJ4_3', code: 'XDSUnknownPatientId' },
      )
    )
  const at = `${location}.identifier`
  const cx = readExact(cxForm, identifier, at, problems)
  if (cx === undefined || patientKeyOf(cx) === undefined)
    return problems.error(at, 'Send the system of the identifier as urn:oid:… and its value.', { rule: 'SUBJ4_3' })
  if (referred !== undefined && patientKeyOf(referred) !== patientKeyOf(cx))
    return problems.error(location, 'The reference and the identifier name different patients: send one of them.', {
      code: 'XDSPatientIdDoesNotMatch',
    })
  return cx
}

function referredPatient(reference: string, location: string, reading: Reading): Cx | undefined {
  const key = conditionalPatient(reference)
  if (key !== undefined) return patientIdOf(key)
  const found = reading.follow({ reference }, location)
  if (found?.resource.resourceType === 'Patient') {
    const cx = identifierOfPatient(found.resource, found.location, reading)
    if (cx !== undefined) return cx
  }
  const known = reading.options.resolvePatient?.(reference)
  return known && patientIdOf(known)
}

/** The patient of `Patient?identifier=system|value` (FHIR R4 http.html#trules), percent-encoded or not. */
export function conditionalPatient(reference: string): PatientKey | undefined {
  const query = /^Patient\?identifier=([^&]+)$/.exec(reference)?.[1]
  if (query === undefined) return undefined
  let token = query
  try {
    token = decodeURIComponent(query)
  } catch {
    return undefined
  }
  const [, oid = '', value = ''] = /^urn:oid:([^|]+)\|(.+)$/.exec(token) ?? []
  return isOid(oid) ? patientKey(oid, escaped(value)) : undefined
}

function patientIdOf(key: PatientKey): Cx {
  return cxOf(key, isInsAuthority(splitPatientKey(key).authority) ? 'NH' : undefined)
}

/** The INS of a Patient, else the first identifier that can be a patientId. */
function identifierOfPatient({ identifier }: Patient, location: string, reading: Reading): Cx | undefined {
  const ids = (identifier ?? []).flatMap(
    (each, index) => readExact(cxForm, each, `${location}.identifier[${index}]`, reading.problems) ?? [],
  )
  const usable = ids.filter((cx) => patientKeyOf(cx) !== undefined)
  return usable.find((cx) => isInsAuthority(cx.assigningAuthority?.universalId)) ?? usable[0]
}

// --- Source patient -------------------------------------------------------------------------------------------------

export interface SourcePatient {
  readonly sourcePatientId?: Cx
  readonly sourcePatientInfo: readonly string[]
}

/** The Patient to contain; undefined when nothing is known of the source patient. */
export function writeSourcePatient({ sourcePatientId, sourcePatientInfo }: SourcePatient): Patient | undefined {
  if (sourcePatientId === undefined && sourcePatientInfo.length === 0) return undefined
  return writeSource({ sourcePatientInfo, ...(sourcePatientId && { sourcePatientId }) })
}

const writeSource = memoised((source: SourcePatient): Patient => {
  const { sourcePatientId, sourcePatientInfo } = source
  const patient = patientOf(source)
  if (isSame(sourcePatientOf(patient), source)) return patient
  return {
    ...patient,
    extension: [
      ...(sourcePatientId ? [{ url: ext.sourcePatientId, valueString: formatCx(sourcePatientId) }] : []),
      ...sourcePatientInfo.map((line) => ({ url: ext.sourcePatientInfo, valueString: line })),
    ],
  }
})

function isSame(a: SourcePatient, b: SourcePatient): boolean {
  const form = ({ sourcePatientId: id, sourcePatientInfo: lines }: SourcePatient) =>
    [id ? formatCx(id) : '', ...lines].join('\n')
  return form(a) === form(b)
}

const genders: Readonly<Record<string, NonNullable<Patient['gender']>>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  U: 'unknown',
}
const sexes: Readonly<Record<string, string>> = { male: 'M', female: 'F', other: 'O', unknown: 'U' }
const nameUses: Readonly<Record<string, NonNullable<HumanName['use']>>> = {
  L: 'official',
  D: 'usual',
  N: 'nickname',
  M: 'maiden',
}
const nameTypes: Readonly<Record<string, string>> = { official: 'L', usual: 'D', nickname: 'N', maiden: 'M' }

function patientOf({ sourcePatientId, sourcePatientInfo }: SourcePatient): Patient {
  const own = sourcePatientId && formatCx(sourcePatientId)
  const listed = repetitions(sourcePatientInfo, 3).map((each) => withUri(parseCx(each)))
  const isOwn = (cx: Cx) => formatCx(withOid(cx)) === own
  const ids = [listed.find(isOwn) ?? sourcePatientId, ...listed.filter((each) => !isOwn(each))]
  const birth = repetitions(sourcePatientInfo, 7)[0]?.slice(0, 8) ?? ''
  return defined<Patient>({
    resourceType: 'Patient',
    identifier: some(ids.flatMap((each) => (each ? writeIdentifier(each) : [])).filter(isFull)),
    name: some(repetitions(sourcePatientInfo, 5).flatMap((each) => nameOf(each) ?? [])),
    gender: genders[repetitions(sourcePatientInfo, 8)[0] ?? ''],
    birthDate: isDtm(birth) ? dtmToIso(birth) : undefined,
    address: some(repetitions(sourcePatientInfo, 11).map(addressOf).filter(isFull)),
  })
}

/** PID-3 keeps a URI authority as the namespace beside its OID: `id^^^https://…&2.25.…&ISO`. */
function withNamespace(cx: Cx): Cx {
  const { assigningAuthority } = withOid(cx)
  const uri = cx.assigningAuthority?.universalId
  if (cx.assigningAuthority?.universalIdType !== 'URI' || uri === undefined) return cx
  return { ...cx, assigningAuthority: { namespaceId: uri, ...assigningAuthority } }
}

function withUri(cx: Cx): Cx {
  const { namespaceId, universalId } = cx.assigningAuthority ?? {}
  if (namespaceId === undefined || universalId !== oidOfUri(plain(namespaceId))) return cx
  return { ...cx, assigningAuthority: { universalId: namespaceId, universalIdType: 'URI' } }
}

function isFull(element: object): boolean {
  return Object.keys(element).length > 0
}

/** The repetitions of a PID field over all its lines. */
function repetitions(lines: readonly string[], field: number): readonly string[] {
  const prefix = `PID-${field}|`
  return lines
    .filter((line) => line.startsWith(prefix))
    .flatMap((line) => line.slice(prefix.length).split('~'))
    .filter((each) => each !== '')
}

function nameOf(xpn: string): HumanName | undefined {
  const [family, given, furtherGiven, suffix, prefix, , type] = parts(xpn)
  const name = writeName(defined({ family, given, furtherGiven, suffix, prefix }))
  const use = nameUses[type ?? '']
  return name && { ...(use && { use }), ...name }
}

function addressOf(xad: string): Address {
  const [street, other, city, state, postalCode, country] = parts(xad)
  return defined<Address>({
    line: some([street, other].flatMap((each) => plain(each) ?? [])),
    city: plain(city),
    state: plain(state),
    postalCode: plain(postalCode),
    country: plain(country),
  })
}

function parts(value: string): readonly (string | undefined)[] {
  return value.split('^').map((each) => each || undefined)
}

/** What a Patient of FHIR says of the source patient: its first identifier, and PID-3, 5, 7, 8 and 11. */
function sourcePatientOf({ identifier, name, birthDate, gender, address }: Patient): SourcePatient {
  const ids = (identifier ?? []).flatMap((each) => cxForm.read(each) ?? [])
  const names = (name ?? []).map((each) => {
    const { family, given, furtherGiven, suffix, prefix } = readName(each)
    return joined([family, given, furtherGiven, suffix, prefix, undefined, nameTypes[each.use ?? '']])
  })
  const addresses = (address ?? []).map(({ line, city, state, postalCode, country, text }) => {
    const [street, ...others] = line ?? (text === undefined ? [] : [text])
    return joined([street, others.join(' '), city, state, postalCode, country].map(escaped))
  })
  const lines = [
    [3, ids.map((each) => formatCx(withNamespace(each)))],
    [5, names],
    [7, birthDate === undefined ? [] : [birthDate.replaceAll('-', '')]],
    [8, gender === undefined ? [] : [sexes[gender] ?? 'U']],
    [11, addresses],
  ] as const
  return defined<SourcePatient>({
    sourcePatientId: ids[0] && withOid(ids[0]),
    sourcePatientInfo: lines.flatMap(([field, values]) => {
      const said = values.filter((each) => each !== '')
      return said.length === 0 ? [] : [`PID-${field}|${said.join('~')}`]
    }),
  })
}

function joined(components: readonly (string | undefined)[]): string {
  return components
    .map((each) => each ?? '')
    .join('^')
    .replace(/\^+$/, '')
}

/** The source patient of context.sourcePatientInfo: contained, resolvable, or by identifier alone. */
export function readSourcePatient(reference: Reference | undefined, location: string, reading: Reading): SourcePatient {
  const none = { sourcePatientInfo: [] }
  if (reference === undefined) return none
  const found = reading.follow(reference, location)
  const logical = found === undefined && reference.reference === undefined ? reference.identifier : undefined
  const resource = found?.resource ?? (logical && { resourceType: 'Patient' as const, identifier: [logical] })
  if (resource?.resourceType !== 'Patient') {
    const known =
      reference.reference === undefined ? undefined : referredPatient(reference.reference, location, reading)
    if (known !== undefined) return { sourcePatientId: known, sourcePatientInfo: [] }
    reading.problems.error(location, 'Contain the Patient as the source knows it, and refer to it as #id.', {
      rule: 'DR_7',
    })
    return none
  }
  const lines = extensionsOf(resource, ext.sourcePatientInfo).flatMap(({ valueString }) => valueString ?? [])
  const id = extensionOf(resource, ext.sourcePatientId)?.valueString
  if (id === undefined && lines.length === 0) return sourcePatientOf(resource)
  const source = defined<SourcePatient>({
    sourcePatientId: id === undefined ? undefined : parseCx(id),
    sourcePatientInfo: lines,
  })
  if (agrees(resource, patientOf(source))) return source
  reading.problems.error(
    found?.location ?? location,
    'The extensions of the source patient say something else than its elements: leave them out, or make them agree.',
  )
  return none
}
