import assert from 'node:assert/strict'
import type { DocumentReference } from '@medplum/fhirtypes'
import { newEntryUuid } from '../../../src/metadata/identifiers.ts'
import { codes, sha1 } from '../../mothers/metadata.ts'
import {
  aDocumentReference,
  coded,
  entryOf,
  entryUuid,
  insSystem,
  published,
  sent,
  withAttachment,
  withContext,
} from './published.ts'

const archivedUrl = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'

/** rule (or code), location of each error. */
function errorsOf(resource: DocumentReference, path?: string): string[] {
  return published(resource, path === undefined ? {} : { path })
    .issues.filter(({ severity }) => severity === 'error')
    .map(({ rule, code, location }) => `${rule ?? code} ${location}`)
}

describe('mapping/document-reference, as published', () => {
  it('gives the entry its assigned identity, version 1 and Approved, whatever ids the source sends', () => {
    const entry = entryOf(
      aDocumentReference({
        id: 'mine',
        identifier: [{ use: 'official', system: 'urn:ietf:rfc:3986', value: newEntryUuid() }],
      }),
    )
    assert.equal(entry.entryUuid, entryUuid)
    assert.equal(entry.logicalId, entryUuid)
    assert.equal(entry.version, 1)
    assert.equal(entry.availabilityStatus, 'Approved')
  })

  it('reports every violation at once, each with rule and location', () => {
    const resource = aDocumentReference({
      masterIdentifier: undefined,
      status: 'superseded',
      subject: {},
      type: { text: 'bilan' },
      author: [{ reference: '#nobody' }],
      content: [{ attachment: { hash: 'AAAA' } }],
      context: { sourcePatientInfo: { reference: '#nobody' } },
    })
    assert.deepEqual(errorsOf(resource, 'Bundle.entry[1].resource'), [
      'DR_10 Bundle.entry[1].resource.masterIdentifier',
      'DR_11 Bundle.entry[1].resource.status',
      'profile-violation Bundle.entry[1].resource.type',
      'CMPMETA4_1 Bundle.entry[1].resource.subject',
      'DR_8 Bundle.entry[1].resource.author[0]',
      'DR_3 Bundle.entry[1].resource.content[0].attachment.contentType',
      'profile-violation Bundle.entry[1].resource.content[0].attachment.hash',
      'DR_7 Bundle.entry[1].resource.context.sourcePatientInfo',
    ])
    assert.equal(published(resource).entry, undefined)
    for (const { detail } of published(resource).issues) assert.match(detail ?? '', /\w/)
  })

  it('refuses modifierExtension wherever it stands, and implicitRules', () => {
    const modifierExtension = [{ url: 'https://example.org/not', valueBoolean: true }]
    const resource = aDocumentReference()
    const [content] = resource.content
    const modified = sent({
      ...resource,
      modifierExtension,
      implicitRules: 'https://example.org/rules',
      contained: [{ ...resource.contained?.[0], modifierExtension }, resource.contained?.[1]],
      content: [{ ...content, modifierExtension }],
      context: { ...resource.context, modifierExtension },
      relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/1' }, modifierExtension }],
    } as DocumentReference)
    assert.deepEqual(errorsOf(modified), [
      'profile-violation DocumentReference.contained[0].modifierExtension',
      'profile-violation DocumentReference.modifierExtension',
      'profile-violation DocumentReference.implicitRules',
      'profile-violation DocumentReference.relatesTo[0].modifierExtension',
      'profile-violation DocumentReference.content[0].modifierExtension',
      'profile-violation DocumentReference.context.modifierExtension',
    ])
  })

  it('says what it does not keep', () => {
    const { issues, entry } = published(
      aDocumentReference({
        docStatus: 'final',
        extension: [{ url: 'https://example.org/colour', valueString: 'red' }],
      }),
    )
    assert.ok(entry)
    assert.deepEqual(
      issues.map(({ severity, code, location }) => [severity, code, location]),
      [
        ['warning', 'XDSExtraMetadataNotSaved', 'DocumentReference.extension[0]'],
        ['warning', 'XDSExtraMetadataNotSaved', 'DocumentReference.docStatus'],
      ],
    )
    assert.deepEqual(errorsOf(aDocumentReference({ docStatus: 'entered-in-error' })), [
      'profile-violation DocumentReference.docStatus',
    ])
  })

  it('accepts the hash as base64 of the bytes or of the hexadecimal digits, and nothing else', () => {
    const digits = sha1(Buffer.from('Hello'))
    for (const hash of [Buffer.from(digits, 'hex'), Buffer.from(digits), Buffer.from(digits.toUpperCase())])
      assert.equal(entryOf(withAttachment({ hash: hash.toString('base64') })).hash, digits)
    const sha256 = Buffer.alloc(32, 1).toString('base64')
    assert.deepEqual(errorsOf(withAttachment({ hash: sha256 })), [
      'profile-violation DocumentReference.content[0].attachment.hash',
    ])
  })

  it('takes creationTime from date or attachment.creation, from either alone', () => {
    assert.equal(entryOf(aDocumentReference({ date: undefined })).creationTime, '20260512081530')
    assert.equal(entryOf(withAttachment({ creation: undefined })).creationTime, '20260512081530')
  })

  it('takes the more precise of two times that agree, without a word', () => {
    const { entry, issues } = published(withAttachment({ creation: '2026-05-12' }))
    assert.equal(entry?.creationTime, '20260512081530')
    assert.deepEqual(issues, [])
    // the same local day, the day before in UTC
    const night = { ...withAttachment({ creation: '2026-05-12' }), date: '2026-05-12T00:30:00+02:00' }
    assert.deepEqual(published(night).issues, [])
    assert.equal(published(night).entry?.creationTime, '20260511223000')
  })

  it('takes attachment.creation where date says another time, and warns', () => {
    const { entry, issues } = published(withAttachment({ creation: '2026-05-11T08:00:00Z' }))
    assert.equal(entry?.creationTime, '20260511080000')
    assert.deepEqual(
      issues.map(({ severity, location }) => [severity, location]),
      [['warning', 'DocumentReference.date']],
    )
  })

  it('derives the class from the type in ci-sis only, and only when none is sent', () => {
    const resource = aDocumentReference({ category: undefined })
    assert.deepEqual(entryOf(resource).classCode, codes.report)
    assert.equal(entryOf(resource, { profile: 'ihe' }).classCode, undefined)
    const sentClass = aDocumentReference({ category: [coded('urn:oid:1.2.250.1.213.1.1.4.1', '11')] })
    assert.equal(entryOf(sentClass).classCode?.code, '11')
  })

  it('reads the masterIdentifier as root and extension too, and refuses a system no uniqueId can have', () => {
    const identified = (system: string, value: string) => aDocumentReference({ masterIdentifier: { system, value } })
    assert.equal(entryOf(identified('urn:oid:1.2.250.1.999.5', 'A7')).uniqueId, '1.2.250.1.999.5^A7')
    assert.deepEqual(errorsOf(identified('https://hospital.example.org/documents', '7')), [
      'DR_10 DocumentReference.masterIdentifier',
    ])
  })

  it('refuses two contents, two classes, and an archived publication', () => {
    const { content } = aDocumentReference()
    assert.deepEqual(errorsOf(aDocumentReference({ content: [...content, ...content] })), [
      'DR_1 DocumentReference.content',
    ])
    const category = [coded('urn:oid:1.2.250.1.213.1.1.4.1', '11'), coded('urn:oid:1.2.250.1.213.1.1.4.1', '10')]
    assert.deepEqual(errorsOf(aDocumentReference({ category })), ['profile-violation DocumentReference.category'])
    const extension = [{ url: archivedUrl, valueBoolean: true }]
    assert.deepEqual(errorsOf(aDocumentReference({ extension })), ['DR_11 DocumentReference.status'])
  })

  it('treats a simplified publication as limited metadata unless it is complete, and a minimal one always', () => {
    const base = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.'
    const simplified = { profile: [`${base}SimplifiedPublish.DocumentReference`] }
    const limited = (changes: Parameters<typeof aDocumentReference>[0]) =>
      entryOf(aDocumentReference(changes)).limitedMetadata
    assert.equal(limited({ meta: simplified }), false)
    assert.equal(limited({ meta: simplified, securityLabel: undefined }), true)
    assert.equal(limited({ meta: { profile: [`${base}Minimal.DocumentReference`] } }), true)
    assert.equal(limited({ securityLabel: undefined }), false)
    assert.equal(entryOf(aDocumentReference(), { limitedMetadata: true }).limitedMetadata, true)
  })

  it('finds an extension that contradicts the elements beside it', () => {
    const hl7v2 = 'https://dmp-gateway.example.org/fhir/StructureDefinition/hl7v2-value'
    const forged = aDocumentReference({
      subject: {
        identifier: {
          extension: [{ url: hl7v2, valueString: '160059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH' }],
          system: insSystem,
          value: '260059999999999',
        },
      },
    })
    assert.equal(published(forged).entry, undefined)
    assert.match(errorsOf(forged).join(), /DocumentReference\.subject\.identifier/)
  })

  it('refuses a slot whose name belongs to IHE: those have elements of their own', () => {
    const slot = (name: string) =>
      aDocumentReference({
        extension: [
          {
            url: 'https://dmp-gateway.example.org/fhir/StructureDefinition/slot',
            extension: [
              { url: 'name', valueString: name },
              { url: 'value', valueString: '1' },
            ],
          },
        ],
      })
    assert.deepEqual(entryOf(slot('urn:exemple:a')).extra, [{ name: 'urn:exemple:a', values: ['1'] }])
    for (const name of ['urn:ihe:iti:xds:2013:referenceIdList', 'creationTime'])
      assert.deepEqual(errorsOf(slot(name)), ['profile-violation DocumentReference.extension'])
  })

  it('refuses a time that does not exist', () => {
    assert.deepEqual(errorsOf(withContext({ period: { start: '2026-02-30' } })), [
      'profile-violation DocumentReference.context.period.start',
    ])
  })

  it('returns the custodian beside the entry, and does not refuse one it cannot read', () => {
    const custodian = {
      identifier: { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1010099999' },
      display: 'CH EXEMPLE',
    }
    assert.deepEqual(published(aDocumentReference({ custodian })).custodian, {
      id: '1010099999',
      assigningAuthority: { universalId: '1.2.250.1.71.4.2.2', universalIdType: 'ISO' },
      idType: 'IDNST',
      name: 'CH EXEMPLE',
    })
    const { entry, issues } = published(aDocumentReference({ custodian: { reference: 'Organization/elsewhere' } }))
    assert.ok(entry)
    assert.deepEqual(
      issues.map(({ severity, location }) => [severity, location]),
      [['warning', 'DocumentReference.custodian']],
    )
  })
})
