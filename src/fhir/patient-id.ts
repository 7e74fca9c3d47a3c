/**
 * Patient ids. The door stores no patients: an id has to lead back to `authority|value` by itself.
 *
 * In `ci-sis` the value is an INS, personal data that must not stand in a URL: the id is the INS encrypted as one AES
 * block under a key that only this gateway has. It tells nothing, changes under another key, cannot be made up (five zero
 * bytes are checked), and is the same each time under the same key. Only INS authorities have ids there.
 *
 * In `ihe` (conformance mode, no real patients) the id is `OID-value` where that is a FHIR id, otherwise a digest that
 * is remembered, as are the values, so that a search by value alone finds its authority as FHIR token search wants.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { isOid, type PatientKey, patientKey, splitPatientKey } from '../metadata/identifiers.ts'

export interface PatientIds {
  /** Undefined when this patient has no id here: a logical identifier is used then. */
  toId(patient: PatientKey): string | undefined
  fromId(id: string): PatientKey | undefined
  /** Patients opened through this door with this value, whatever the authority; known in `ihe` only. */
  withValue(value: string): readonly PatientKey[]
  /** A patient was opened through this door. */
  remember(patient: PatientKey): void
}

/** Authorities of the INS: NIR, NIA, and those of test (DMP-FACTS §2). */
const insAuthorities = ['8', '9', '10', '11'].map((last) => `1.2.250.1.213.1.4.${last}`)
const insBytes = 10
const spare = 16 - 1 - insBytes

export function createPatientIds(profile: 'ci-sis' | 'ihe', key?: Uint8Array): PatientIds {
  return profile === 'ihe' ? plainIds() : sealedIds(key ?? randomBytes(16))
}

function sealedIds(key: Uint8Array): PatientIds {
  return {
    toId(patient) {
      const { authority, id } = splitPatientKey(patient)
      const index = insAuthorities.indexOf(authority)
      if (index < 0 || !/^[0-9A-Z]{15}$/.test(id)) return undefined
      const block = Buffer.alloc(16)
      block[0] = index
      // 36^15 < 2^80
      block.write(
        number36(id)
          .toString(16)
          .padStart(insBytes * 2, '0'),
        1,
        'hex',
      )
      const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
      return cipher.update(block).toString('hex')
    },
    fromId(id) {
      if (!/^[0-9a-f]{32}$/.test(id)) return undefined
      const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
      const block = decipher.update(Buffer.from(id, 'hex'))
      const authority = insAuthorities[block[0] ?? -1]
      if (authority === undefined || !block.subarray(16 - spare).equals(Buffer.alloc(spare))) return undefined
      const value = BigInt(`0x${block.toString('hex', 1, 1 + insBytes)}`)
        .toString(36)
        .toUpperCase()
        .padStart(15, '0')
      return value.length === 15 ? patientKey(authority, value) : undefined
    },
    withValue: () => [],
    remember: () => {},
  }
}

function number36(text: string): bigint {
  let number = 0n
  for (const character of text) number = number * 36n + BigInt(Number.parseInt(character, 36))
  return number
}

/** Patients remembered; the oldest are forgotten. A conformance run makes some thousands. */
const mostRemembered = 100_000

function plainIds(): PatientIds {
  const digests = new Map<string, PatientKey>()
  const byValue = new Map<string, Set<PatientKey>>()
  const toId = (patient: PatientKey): string => {
    const { authority, id } = splitPatientKey(patient)
    const plain = `${authority}-${id}`
    return /^[0-9.]+-[A-Za-z0-9.-]+$/.test(plain) && plain.length <= 64 ? plain : digestOf(patient)
  }
  return {
    toId,
    fromId(id) {
      const dash = id.indexOf('-')
      const authority = id.slice(0, Math.max(0, dash))
      if (isOid(authority) && dash < id.length - 1) return patientKey(authority, id.slice(dash + 1))
      return digests.get(id)
    },
    withValue: (value) => [...(byValue.get(value) ?? [])],
    remember(patient) {
      if (!isOid(toId(patient).split('-')[0] ?? '')) keep(digests, digestOf(patient), patient)
      const { id } = splitPatientKey(patient)
      keep(byValue, id, (byValue.get(id) ?? new Set()).add(patient))
    },
  }
}

/** No dash: never taken for `OID-value`. */
function digestOf(patient: PatientKey): string {
  return `p${createHash('sha256').update(patient).digest('hex').slice(0, 40)}`
}

function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > mostRemembered && oldest !== undefined) map.delete(oldest)
}
