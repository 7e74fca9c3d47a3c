import assert from 'node:assert/strict'
import {
  associationTypeFromUri,
  associationTypeUri,
  associationTypeUris,
  statusFromUri,
  statusUri,
  statusUris,
} from '../../src/metadata/uris.ts'

describe('URNs of the registry', () => {
  it('name the association types of ITI TF-3 4.2.2', () => {
    assert.equal(associationTypeUri('HasMember'), 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember')
    for (const type of ['RPLC', 'APND', 'XFRM', 'XFRM_RPLC', 'signs'] as const) {
      assert.equal(associationTypeUri(type), `urn:ihe:iti:2007:AssociationType:${type}`)
    }
    for (const type of ['IsSnapshotOf', 'UpdateAvailabilityStatus', 'SubmitAssociation'] as const) {
      assert.equal(associationTypeUri(type), `urn:ihe:iti:2010:AssociationType:${type}`)
    }
  })

  it('name the four French statuses', () => {
    assert.equal(statusUri('Approved'), 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')
    assert.equal(statusUri('Deprecated'), 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')
    assert.equal(statusUri('Archived'), 'urn:asip:ci-sis:2010:StatusType:Archived')
    assert.equal(statusUri('Deleted'), 'urn:asip:ci-sis:2010:StatusType:Deleted')
  })

  it('lead back to what they name', () => {
    for (const [type, uri] of Object.entries(associationTypeUris)) assert.equal(associationTypeFromUri(uri), type)
    for (const [status, uri] of Object.entries(statusUris)) assert.equal(statusFromUri(uri), status)
  })

  it('are taken to the letter', () => {
    assert.equal(associationTypeFromUri('RPLC'), undefined)
    assert.equal(associationTypeFromUri('urn:ihe:iti:2010:AssociationType:RPLC'), undefined)
    assert.equal(associationTypeFromUri('constructor'), undefined)
    assert.equal(statusFromUri('Approved'), undefined)
    assert.equal(statusFromUri('urn:oasis:names:tc:ebxml-regrep:StatusType:Archived'), undefined)
  })
})
