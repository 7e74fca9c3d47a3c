/**
 * A structure masks by replacement (TD2.1b): its certificate changes no metadata and reads no document at the DMP
 * (PDT-INF-526, column of the structure certificate), so that the site, which has the bytes, sends them again.
 */
import assert from 'node:assert/strict'
import type { DocumentReference } from '@medplum/fhirtypes'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { codes } from '../../mothers/metadata.ts'
import { replacementOf } from '../../support/documents.ts'
import {
  aDocument,
  declared,
  newOid,
  people,
  type Stored,
  submissionOf,
  type TestDocument,
} from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'
import { simplifiedPublish } from '../../support/resources.ts'

const { structure, author } = people
const consent = declared.informed
const masked = { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }

describe('masking by the certificate of a structure, at the national DMP', () => {
  let gateway: NationalGateway
  before(async () => {
    gateway = await openNationalGateway()
  })
  after(() => gateway.close())

  const calls = async <T>(act: () => Promise<T>) => {
    const before = gateway.farEnd.calls.length
    const result = await act()
    return { result, calls: gateway.farEnd.calls.slice(before) }
  }
  /** A document fed by the structure, and the same bytes again under a new uniqueId, masked. */
  const given = async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    const { stored, ...fed } = await gateway.fhirDoor.feed(structure, document, { consent })
    assert.ok(fed.ok && stored, fed.text)
    const { entry, bytes } = document
    const again: TestDocument = { entry: aDocument(patient, { ...masked, uniqueId: newOid() }, bytes).entry, bytes }
    return { patient, document, stored, again, of: entry }
  }
  const atFarEnd = async ({ uniqueId }: Pick<DocumentEntry, 'uniqueId'>) => {
    const { dmp } = gateway.farEnd.embedded
    const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] })
    const [facts] = documents
    assert.ok(facts, 'it is at the far end')
    return facts
  }
  const isReplaced = async (before: Pick<DocumentEntry, 'uniqueId'>, { entry }: TestDocument) => {
    const [old, now] = [await atFarEnd(before), await atFarEnd(entry)]
    assert.equal(old.availabilityStatus, 'Deprecated')
    assert.deepEqual([now.availabilityStatus, now.confidentiality], ['Approved', ['N', 'MASQUE_PS']])
    const { associations } = await gateway.farEnd.embedded.dmp.find({ kind: 'GetAssociations', ids: [now.entryUuid] })
    const links = associations.filter(({ type }) => type === 'RPLC')
    assert.deepEqual(
      links.map(({ source, target }) => [source, target]),
      [[now.entryUuid, old.entryUuid]],
      'the DMP was given its own reference',
    )
  }

  it('is refused as a change of metadata, saying what to send, and nothing is changed', async () => {
    const { patient, stored, of } = await given()
    const { result, calls: asked } = await calls(() =>
      gateway.fhir.call(
        { ...structure, ins: patient.ins },
        'PATCH',
        `/DocumentReference/${stored.logicalId.slice(9)}`,
        {
          headers: { 'Content-Type': 'application/json-patch+json' },
          body: JSON.stringify([
            { op: 'add', path: '/securityLabel/0', value: { coding: [{ system: masking, code: 'MASQUE_PS' }] } },
          ]),
        },
      ),
    )
    assert.equal(result.outcome.code, 'use-replacement')
    assert.deepEqual(
      asked.map(({ td }) => td),
      ['TD3.1b'],
    )
    assert.deepEqual((await atFarEnd(of)).confidentiality, ['N'])
  })

  const ways: Readonly<
    Record<string, (it: { stored: Stored; of: DocumentEntry; again: TestDocument }) => Promise<{ ok: boolean }>>
  > = {
    'by the id that feeding gave (ITI-105)': ({ stored, again }) =>
      gateway.fhirDoor.feed(structure, again, { consent, replaces: stored }),
    'by its uniqueId (ITI-105)': async ({ of, again }) => {
      const resource: DocumentReference = {
        ...simplifiedPublish(again),
        relatesTo: [
          {
            code: 'replaces',
            target: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:${of.uniqueId}` } },
          },
        ],
      }
      return (await gateway.fhir.publish(structure, resource, { consent })).outcome
    },
    'by the entryUUID that it was sent with (ITI-41)': async ({ stored, again }) => {
      const submission = submissionOf([again], [replacementOf(stored, again)])
      return (await gateway.xds.provide(structure, submission, [again], { consent })).outcome
    },
    'by the entryUUID that the DMP gave it (ITI-41)': async ({ of, again }) => {
      const submission = submissionOf([again], [replacementOf(await atFarEnd(of), again)])
      return (await gateway.xds.provide({ ...structure }, submission, [again], { consent })).outcome
    },
  }
  for (const [way, replace] of Object.entries(ways)) {
    // What the DMP itself has named needs no look-up
    const lookedUp = !way.includes('DMP gave')
    it(`is a replacement that names the document ${way}: ${lookedUp ? 'its reference and the lot, two calls' : 'the lot, one call'}`, async () => {
      const { patient, stored, of, again } = await given()
      const { result, calls: asked } = await calls(() => replace({ stored, of, again }))
      assert.ok(result.ok, JSON.stringify(result))
      assert.deepEqual(
        asked.map(({ td, mode }) => [td, mode]),
        [...(lookedUp ? [['TD3.1b', 'INDIRECTE']] : []), ['TD2.1', 'INDIRECTE']],
      )
      await isReplaced(of, again)
      const found = await gateway.fhirDoor.find(people.nurse, patient, { consent: declared.careTeam })
      assert.deepEqual(found.entries, [], 'others see neither the one nor the other')
      const own = await gateway.fhirDoor.find(author, patient, { consent: declared.careTeam })
      assert.deepEqual(
        own.entries.map(({ uniqueId }) => uniqueId),
        [again.entry.uniqueId],
      )
    })
  }

  it('replaces nothing of another structure, nor what is not there', async () => {
    const patient = await gateway.patient()
    const again = aDocument(patient, masked)
    const absent: DocumentReference = {
      ...simplifiedPublish(again),
      relatesTo: [
        { code: 'replaces', target: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:${newOid()}` } } },
      ],
    }
    const { result, calls: asked } = await calls(() => gateway.fhir.publish(structure, absent, { consent }))
    assert.ok(!result.outcome.ok)
    assert.ok(!asked.some(({ td }) => td === 'TD2.1'), 'nothing was fed')
  })
})

const masking = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'
