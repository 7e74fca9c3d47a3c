/** What stands in the registry, as far as a command that refers to it must know. Asked while planning, by the writer. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { GatewayError } from '../../errors.ts'
import type { AvailabilityStatus, RegistryObject } from '../../metadata/model.ts'

/** A registry object that a command refers to. */
export interface Referred {
  readonly no: number
  readonly uuid: string
  readonly kind: RegistryObject['kind']
  readonly patientNo: number
  readonly uniqueId: string | null
  readonly status: AvailabilityStatus
  /** Of an entry. */
  readonly onDemand: boolean
  /** Number of the first version of this object: its own, or another's. */
  readonly logicalNo: number
  readonly version: number
  /** No later version exists. */
  readonly latest: boolean
}

/** Stored objects by entryUUID. */
export type Referrals = ReadonlyMap<string, Referred>

export interface Registry {
  /** Throws GatewayError `dmp-unknown`. */
  patientNo(key: string): number
  isUsed(uuid: string): boolean
  /** Objects of every kind and version under a uniqueId. */
  withUniqueId(uniqueId: string): readonly { readonly kind: string; readonly hash: string | undefined }[]
  find(uuid: string): Referred | undefined
  /** The current version of a logical object. */
  current(logicalId: string): Referred | undefined
}

export function createRegistry(db: DatabaseSync): Registry {
  const patient = db.prepare('SELECT no FROM patient WHERE key = ?')
  const used = db.prepare('SELECT 1 FROM object WHERE uuid = ?')
  const uniqueId = db.prepare('SELECT kind, hash FROM object WHERE unique_id = ?')
  const referred = `SELECT o.no, o.uuid, o.kind, o.patient_no, o.unique_id, coalesce(e.status, o.status) AS status, e.on_demand,
      coalesce(o.logical_no, o.no) AS logical_no, o.version,
      NOT EXISTS (SELECT 1 FROM object l WHERE l.logical_no = coalesce(o.logical_no, o.no) AND l.no > o.no) AS latest
    FROM object o LEFT JOIN document_entry e
    ON e.patient_no = o.patient_no AND e.created = o.created AND e.entry_uuid = o.uuid`
  const byUuid = db.prepare(`${referred} WHERE o.uuid = ?`)
  const last = db.prepare(`${referred} WHERE o.logical_no = ? ORDER BY o.no DESC LIMIT 1`)
  const find = (uuid: string): Referred | undefined => referredOf(byUuid.get(uuid))
  return {
    patientNo(key) {
      const no = patient.get(key)?.no
      if (typeof no !== 'number') throw new GatewayError('dmp-unknown')
      return no
    },
    isUsed: (uuid) => used.get(uuid) !== undefined,
    withUniqueId: (id) =>
      uniqueId
        .all(id)
        .map(({ kind, hash }) => ({ kind: String(kind), hash: hash === null ? undefined : String(hash) })),
    find,
    current(logicalId) {
      const first = find(logicalId)
      if (first === undefined || first.logicalNo !== first.no) return undefined
      return first.latest ? first : referredOf(last.get(first.no))
    },
  }
}

function referredOf(row: Record<string, SQLOutputValue> | undefined): Referred | undefined {
  if (row === undefined) return undefined
  return {
    no: Number(row.no),
    uuid: String(row.uuid),
    kind: row.kind as Referred['kind'],
    patientNo: Number(row.patient_no),
    uniqueId: row.unique_id === null ? null : String(row.unique_id),
    status: row.status as AvailabilityStatus,
    onDemand: row.on_demand === 1,
    logicalNo: Number(row.logical_no),
    version: Number(row.version),
    latest: row.latest === 1,
  }
}
