import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  isEntryUuid,
  isOid,
  newEntryUuid,
  patientKey,
  splitPatientKey,
  toEntryUuid,
  toOid,
} from '../../src/metadata/identifiers.ts'
import { component, entryUuid, oid } from '../arbitraries/metadata.ts'

describe('identifiers', () => {
  it('are OIDs of at most 64 characters under the roots 0 to 2, without leading zeros', () => {
    for (const good of ['1.2', '2.999.0', '0.9.2342', `1.${'2'.repeat(62)}`]) assert.equal(toOid(good), good)
    for (const bad of ['', '1', '3.4.5', '1.02', '1.2.', '.1.2', 'urn:oid:1.2', `1.${'2'.repeat(63)}`]) {
      assert.ok(!isOid(bad))
      assert.throws(() => toOid(bad), RangeError)
    }
  })

  it('are entryUUIDs in lower case', () => {
    const uuid = 'urn:uuid:0a1b2c3d-0000-4000-8000-00000000000f'
    assert.equal(toEntryUuid(uuid), uuid)
    for (const bad of [uuid.toUpperCase(), uuid.slice(9), `${uuid} `, 'urn:uuid:', 'Document01']) {
      assert.ok(!isEntryUuid(bad))
      assert.throws(() => toEntryUuid(bad), RangeError)
    }
  })

  it('are made new each time', () => {
    const made = Array.from({ length: 100 }, () => newEntryUuid())
    assert.ok(made.every(isEntryUuid))
    assert.equal(new Set(made).size, 100)
  })

  it('come as the arbitraries make them', () => {
    fc.assert(fc.property(oid, entryUuid, (a, b) => assert.ok(isOid(a) && isEntryUuid(b))))
  })

  it('join a patient to its authority, and part again whatever the identifier', () => {
    fc.assert(
      fc.property(oid, fc.oneof(component, fc.constant('a|b')), (authority, id) => {
        assert.deepEqual(splitPatientKey(patientKey(authority, id)), { authority, id })
      }),
    )
  })
})
