/** What DocumentReference and List have in common: identifiers, versions, extra slots, profiles. */
import type { Extension, Identifier, Meta } from '@medplum/fhirtypes'
import { type EntryUuid, isEntryUuid, type UniqueId } from '../../metadata/identifiers.ts'
import type { Slot } from '../../metadata/model.ts'
import { readExact, writeExact } from './hl7v2.ts'
import { uniqueIdForm } from './identifier.ts'
import { defined, extensionsOf, type Reading } from './reading.ts'
import { ext, profiles, systems } from './terms.ts'

const URN_UUID = 'urn:uuid:'

export interface Identity {
  readonly entryUuid: EntryUuid
  readonly logicalId: EntryUuid
  readonly version: number
}

export function idOf({ logicalId }: Identity): string {
  return logicalId.slice(URN_UUID.length)
}

/**
 * versionId is the metadata version. A change of status makes no version in XDS, and is one to FHIR: the changes of status
 * since the version was made are counted after a point.
 */
export function writeMeta(
  { version }: Identity,
  { updatedAt, revision = 0 }: { readonly updatedAt?: string | undefined; readonly revision?: number | undefined },
  profile: string | undefined,
): Meta {
  return defined<Meta>({
    versionId: revision === 0 ? String(version) : `${version}.${revision}`,
    lastUpdated: updatedAt,
    profile: profile === undefined ? undefined : [profile],
  })
}

/** entryUUID (`official`) and logicalID (`secondary`). */
export function writeIds({ entryUuid, logicalId }: Identity): Identifier[] {
  return [
    { use: 'official', system: systems.uri, value: entryUuid },
    { use: 'secondary', system: systems.uri, value: logicalId },
  ]
}

interface Stored {
  readonly id?: string
  readonly meta?: Meta
  readonly identifier?: readonly Identifier[]
}

/** The identity of a resource that this gateway wrote: the way back of `idOf`, `writeIds` and `writeMeta`. */
export function readIdentity({ id, meta, identifier }: Stored, reading: Reading): Identity | undefined {
  const uuid = (use: Identifier['use']) => identifier?.find((each) => each.use === use)?.value ?? ''
  const entryUuid = uuid('official')
  const logicalId = id === undefined ? uuid('secondary') : `${URN_UUID}${id}`
  const version = Number(meta?.versionId?.replace(/\.\d+$/, ''))
  if (isEntryUuid(entryUuid) && isEntryUuid(logicalId) && Number.isInteger(version) && version > 0)
    return { entryUuid, logicalId, version }
  return reading.problems.error(
    `${reading.path}.identifier`,
    'A stored resource has id, meta.versionId and its entryUUID as the official identifier.',
  )
}

export function writeUniqueId(uniqueId: string): Identifier {
  return writeExact(uniqueIdForm, uniqueId)
}

export function readUniqueId(
  identifier: Identifier,
  location: string,
  reading: Reading,
  rule: string,
): UniqueId | undefined {
  const id = readExact(uniqueIdForm, identifier, location, reading.problems)
  return id === undefined || id === ''
    ? reading.problems.error(location, 'Send system urn:ietf:rfc:3986 and a value urn:oid:… or urn:uuid:…', { rule })
    : (id as UniqueId)
}

export function writeSlots(slots: readonly Slot[]): Extension[] {
  return slots.map(({ name, values }) => ({
    url: ext.slot,
    extension: [{ url: 'name', valueString: name }, ...values.map((value) => ({ url: 'value', valueString: value }))],
  }))
}

export function readSlots(
  element: { readonly extension?: readonly Extension[] },
  location: string,
  reading: Reading,
): readonly Slot[] {
  return extensionsOf(element, ext.slot).flatMap((each) => {
    const name = extensionsOf(each, 'name')[0]?.valueString
    const values = extensionsOf(each, 'value').flatMap(({ valueString }) => valueString ?? [])
    if (name?.startsWith('urn:') && !name.startsWith('urn:ihe:')) return { name, values }
    const detail = 'A slot has values and a name that begins with urn:, not with urn:ihe:, whose slots have elements.'
    return reading.problems.error(`${location}.extension`, detail) ?? []
  })
}

/** Whether the resource claims the minimal profile of MHD: limited metadata (MHD 3:4.5.1). */
export function claimsMinimal(meta: Meta | undefined, kind: keyof typeof profiles.minimal): boolean {
  return meta?.profile?.some((each) => each.split('|')[0] === profiles.minimal[kind]) ?? false
}
