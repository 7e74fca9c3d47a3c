import assert from 'node:assert/strict'
import { statusOperation, unmodifiable, visibilityOperations } from '../../src/access/updates.ts'
import { newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { AvailabilityStatus } from '../../src/metadata/model.ts'
import { aDocumentEntry, anAuthor, codes } from '../mothers/metadata.ts'

describe('a change of metadata in DMP terms', () => {
  it('is masking, unmasking or making visible, or several of them', () => {
    assert.deepEqual(visibilityOperations(['N'], ['N', 'MASQUE_PS']), ['TD3.3a.mask'])
    assert.deepEqual(visibilityOperations(['N', 'MASQUE_PS'], ['N']), ['TD3.3a.unmask'])
    assert.deepEqual(visibilityOperations(['N', 'INVISIBLE_PATIENT'], ['N']), ['TD3.3b'])
    assert.deepEqual(visibilityOperations(['N', 'INVISIBLE_PATIENT'], ['N', 'MASQUE_PS']), ['TD3.3a.mask', 'TD3.3b'])
    assert.deepEqual(visibilityOperations(['N'], ['N', 'INVISIBLE_REPRESENTANTS_LEGAUX']), ['TD3.3b'])
    assert.deepEqual(visibilityOperations(['N', 'MASQUE_PS'], ['MASQUE_PS', 'N']), [])
  })

  it('is deletion or archiving, and nothing brings a deleted document back', () => {
    const statuses: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived', 'Deleted']
    const possible = statuses.flatMap((from) =>
      statuses.flatMap((to) => {
        const operation = statusOperation(from, to)
        return operation === undefined ? [] : [`${from} → ${to}: ${operation}`]
      }),
    )
    assert.deepEqual(possible, [
      'Approved → Archived: TD3.3d',
      'Approved → Deleted: TD3.3c',
      'Deprecated → Deleted: TD3.3c',
      'Archived → Approved: TD3.3d',
      'Archived → Deleted: TD3.3c',
    ])
  })

  it('may change confidentialityCode and nothing else (UP8), and names what it may not', () => {
    const stored = aDocumentEntry()
    const version = {
      ...stored,
      entryUuid: newEntryUuid(),
      version: 2,
      confidentialityCodes: [codes.normal, codes.maskedToProfessionals],
    }
    assert.deepEqual(unmodifiable(stored, version), [])
    const { title: _, hash: __, ...without } = { ...version, authors: [anAuthor({ roles: [] })] }
    assert.deepEqual(
      unmodifiable(stored, without).map(({ code, rule, location }) => [code, rule, location]),
      [
        ['attribute-not-modifiable', 'UP8', `${version.entryUuid}/author`],
        ['attribute-not-modifiable', 'UP8', `${version.entryUuid}/title`],
      ],
    )
    assert.equal(unmodifiable(stored, { ...version, hash: '0'.repeat(40) })[0]?.location, `${version.entryUuid}/hash`)
  })
})
