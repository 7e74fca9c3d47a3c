/**
 * Identifiers of the DMP's resources as the ids of metadata. MHD and PDSm have the entryUUID as the official identifier
 * and leave the id of a resource to the server: one that is no UUID gets a UUID made of its address (RFC 9562 5.5), the
 * same each time, so that what refers to it is found again.
 */
import { createHash } from 'node:crypto'
import type { Identifier, Meta } from '@medplum/fhirtypes'
import { systems } from '../../fhir/mapping/index.ts'
import { type EntryUuid, isEntryUuid } from '../../metadata/identifiers.ts'

interface Stored {
  readonly resourceType: string
  readonly id?: string
  readonly meta?: Meta
  readonly identifier?: Identifier[]
}

/** Name space for URLs (RFC 9562 appendix A). */
const urlSpace = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')

/** A UUID of a name: version 5. */
export function derivedUuid(name: string): EntryUuid {
  const bytes = createHash('sha1').update(urlSpace).update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as EntryUuid
}

/** The logicalId of a resource by its id at the DMP. */
export function logicalIdOf(base: string, type: string, id: string): EntryUuid {
  const own = `urn:uuid:${id.toLowerCase()}`
  return isEntryUuid(own) ? own : derivedUuid(`${base}/${type}/${id}`)
}

/** versionId of the gateway's own door: the metadata version, and after a point the changes of status since. */
const ownVersion = /^([1-9]\d{0,8})(?:\.(\d{1,9}))?$/

/** Changes of status since the version was made; undefined where the versionId does not say. */
export function revisionOf(versionId: string | undefined): number | undefined {
  const revision = ownVersion.exec(versionId ?? '')?.[2]
  return revision === undefined ? undefined : Number(revision)
}

/** The resource as the mapping reads stored ones: a UUID for its id, one entryUUID, a number for its version. */
export function identified<T extends Stored>(resource: T, base: string): T {
  const { resourceType, id = '', meta, identifier = [] } = resource
  const logicalId = logicalIdOf(base, resourceType, id)
  const given = identifier
    .filter(({ use, value }) => use === 'official' && isEntryUuid(value?.toLowerCase() ?? ''))
    .map(({ value }) => value?.toLowerCase())
  const [, number] = ownVersion.exec(meta?.versionId ?? '') ?? []
  const version = number ?? '1'
  const named = `${base}/${resourceType}/${id}/_history/${meta?.versionId ?? ''}`
  const value = given[0] ?? (version === '1' ? logicalId : derivedUuid(named))
  const kept = identifier.filter(({ use }) => use !== 'official' && use !== 'secondary')
  return {
    ...resource,
    id: logicalId.slice('urn:uuid:'.length),
    meta: { ...meta, versionId: version },
    identifier: [{ use: 'official', system: systems.uri, value }, ...kept],
  }
}
