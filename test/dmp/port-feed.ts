import assert from 'node:assert/strict'
import type { Dtm } from '../../src/metadata/identifiers.ts'
import { newEntryUuid, toOid } from '../../src/metadata/identifiers.ts'
import { parseXml } from '../../src/xml/reader.ts'
import type { XmlElement } from '../../src/xml/tree.ts'
import {
  aDevice,
  aFolder,
  aMembership,
  anAuthor,
  aProfessional,
  aStructure,
  aSubmission,
  aSubmissionSet,
  codes,
  sha1,
} from '../mothers/metadata.ts'
import { aDocument, aText, newOid, replacementOf, submissionOf } from '../support/documents.ts'
import { aPatient } from '../support/people.ts'
import { refused } from './mothers.ts'
import type { PortRules } from './port-suite.ts'
import {
  bytesOf,
  carried,
  everyStatus,
  factsOf,
  fed,
  feed,
  found,
  opened,
  readAll,
  recordOf,
  refusedAsOneOf,
  storedOf,
} from './port-support.ts'

/** TD2.1 and TD2.1b. */
export function feedRules(rules: PortRules): void {
  describe('feeding', () => {
    const port = opened(rules)

    it('stores a document that is found, read and given back as the bytes it was', async () => {
      const patient = await port().patient()
      const document = aDocument(patient)
      const receipt = await feed(port().feeder, patient, [document])
      assert.deepEqual(
        receipt.entries.map(({ uniqueId, hash, size }) => [uniqueId, hash, size]),
        [[document.entry.uniqueId, sha1(document.bytes), document.bytes.length]],
      )
      const stored = await storedOf(port().reader, patient, document.entry.uniqueId)
      assert.deepEqual(carried(stored), carried(document.entry))
      assert.deepEqual([stored.availabilityStatus, stored.version], ['Approved', 1])
      assert.equal(stored.logicalId, stored.entryUuid)
      assert.deepEqual(await bytesOf(await port().reader.content(stored.entryUuid)), document.bytes)
    })

    const owned = rules.can('sourceIds')
      ? 'keeps the id of the source'
      : `gives an id of its own: ${rules.why('sourceIds')}`
    it(`${owned}; that of the source leads to the document`, async () => {
      const patient = await port().patient()
      const { document, stored } = await fed(port(), patient)
      assert.equal(stored.entryUuid === document.entry.entryUuid, rules.can('sourceIds'))
      const ids = [document.entry.entryUuid]
      const { documents } = await port().reader.find({ kind: 'GetDocuments', by: 'any', ids })
      assert.deepEqual(
        documents.map(({ uniqueId }) => uniqueId),
        [document.entry.uniqueId],
      )
    })

    it('stores several documents of one submission, each with its own bytes', async () => {
      const patient = await port().patient()
      const large = aText('x'.repeat(400_000))
      const documents = [aDocument(patient), aDocument(patient, {}, large), aDocument(patient)]
      await feed(port().feeder, patient, documents)
      for (const { entry, bytes } of documents) {
        const { entryUuid } = await factsOf(port().reader, patient, entry.uniqueId)
        assert.deepEqual(await bytesOf(await port().reader.content(entryUuid)), bytes)
      }
      assert.equal((await found(port().reader, patient)).length, 3)
    })

    it('gives a part of a document by its range', async () => {
      const patient = await port().patient()
      const { document, stored } = await fed(port(), patient)
      const content = await port().reader.content(stored.entryUuid)
      const chunks: Buffer[] = []
      for await (const chunk of content?.stream({ start: 5, end: 12 }) ?? []) chunks.push(chunk as Buffer)
      assert.deepEqual(Buffer.concat(chunks), document.bytes.subarray(5, 13))
    })

    it('carries the French forms out and back exactly', async () => {
      // A minor: documents may be hidden from the representatives
      const patient = await port().patient({ given: [], birthDate: '2015-06-01' })
      const registre = { universalId: '1.3.2', universalIdType: 'ISO' }
      const person = { universalId: '1.2.250.1.71.4.2.1', universalIdType: 'ISO' }
      const { document, stored } = await fed(port(), patient, {
        title: 'Échographie du cœur à l’effort — suivi « été » & <œdème>',
        comments: 'Résultats transmis à Mme Noëlle D’Àrçon ; 37,5 °C',
        sourcePatientId: {
          id: 'IPP-0042',
          assigningAuthority: { universalId: '1.2.250.1.999.1.7', universalIdType: 'ISO' },
          typeCode: 'PI',
        },
        authors: [
          anAuthor({ institutions: [aStructure()] }),
          anAuthor({
            person: aProfessional({ id: '899700000009', family: 'LE GUÉNNEC', given: 'Maëlle' }),
            institutions: [
              aStructure({ name: 'SCM DE L’ÎLE', assigningAuthority: registre, idType: 'SIREN', id: '999999990' }),
            ],
            specialties: ['G15_10/SM44^Médecin - Radio-diagnostic (SM)^1.2.250.1.213.1.1.4.5'],
            roles: [],
          }),
          anAuthor({ person: aDevice({ assigningAuthority: person }), specialties: [], roles: [] }),
        ],
        confidentialityCodes: [codes.normal, codes.hiddenFromRepresentatives, codes.hiddenFromPatient],
        eventCodes: [
          { code: 'ZBQK002', system: '1.2.250.1.215.300.1', display: 'Radiographie du thorax' },
          { code: 'J18.9', system: '2.16.840.1.113883.6.3', display: 'Pneumopathie, sans précision' },
        ],
        referenceIds: [
          {
            id: 'ACC-7',
            assigningAuthority: { universalId: '1.2.250.1.999.1.8', universalIdType: 'ISO' },
            typeCode: 'urn:ihe:iti:xds:2013:accession',
          },
        ],
        creationTime: '20260512081530' as Dtm,
        serviceStartTime: '202605120700' as Dtm,
        serviceStopTime: '2026051207' as Dtm,
      })
      assert.deepEqual(carried(stored), carried(document.entry))
      const facts = await factsOf(port().reader, patient, document.entry.uniqueId)
      assert.deepEqual(
        [facts.confidentiality, facts.authorPersons, facts.classCode, facts.typeCode, facts.creationTime],
        [
          ['N', 'INVISIBLE_REPRESENTANTS_LEGAUX', 'INVISIBLE_PATIENT'],
          ['899700000001', '899700000009'],
          '10',
          '11502-2',
          '20260512081530',
        ],
      )
      assert.equal(facts.patient, patient.key)
    })

    it('replaces: the target becomes Deprecated and stays, and the relation is known', async () => {
      const patient = await port().patient()
      const { stored: old } = await fed(port(), patient)
      const document = aDocument(patient)
      await feed(port().feeder, patient, [document], submissionOf([document], [replacementOf(old, document)]))
      const recent = await storedOf(port().reader, patient, document.entry.uniqueId)
      const all = await found(port().reader, patient, {}, everyStatus)
      assert.deepEqual(
        new Map(all.map(({ uniqueId, availabilityStatus }) => [uniqueId, availabilityStatus])),
        new Map([
          [old.uniqueId, 'Deprecated'],
          [recent.uniqueId, 'Approved'],
        ]),
      )
      assert.deepEqual(
        (await found(port().reader, patient)).map(({ uniqueId }) => uniqueId),
        [recent.uniqueId],
      )
      const { associations } = await port().reader.find({ kind: 'GetAssociations', ids: [recent.entryUuid] })
      const relation = associations.find(({ type }) => type === 'RPLC')
      assert.deepEqual([relation?.source, relation?.target], [recent.entryUuid, old.entryUuid])
      assert.ok(await port().reader.content(old.entryUuid), 'the bytes of the old one are still there')
    })

    it('refuses a second replacement of one document', async () => {
      const patient = await port().patient()
      const { stored: old } = await fed(port(), patient)
      const replace = () => {
        const document = aDocument(patient)
        return feed(port().feeder, patient, [document], submissionOf([document], [replacementOf(old, document)]))
      }
      await replace()
      await assert.rejects(replace(), refused('XDSRegistryDeprecatedDocumentError'))
    })

    it('refuses a uniqueId that is registered, and a target that is not, and stores nothing then', async () => {
      const patient = await port().patient()
      const { document } = await fed(port(), patient)
      const again = aDocument(patient, { uniqueId: document.entry.uniqueId }, document.bytes)
      await assert.rejects(feed(port().feeder, patient, [again]), refused('XDSDuplicateUniqueIdInRegistry'))
      const lost = aDocument(patient)
      const replacement = submissionOf([lost], [replacementOf({ entryUuid: newEntryUuid() }, lost)])
      await assert.rejects(feed(port().feeder, patient, [lost], replacement), refused('UnresolvedReferenceException'))
      assert.equal((await found(port().reader, patient, {}, everyStatus)).length, 1)
    })

    it('refuses all of a submission of which one part is wrong', async () => {
      const patient = await port().patient()
      const { document } = await fed(port(), patient)
      const documents = [aDocument(patient), aDocument(patient, { uniqueId: document.entry.uniqueId }, document.bytes)]
      await assert.rejects(feed(port().feeder, patient, documents), refused('XDSDuplicateUniqueIdInRegistry'))
      assert.equal((await found(port().reader, patient, {}, everyStatus)).length, 1)
    })

    it('refuses to feed where there is no DMP', async () => {
      const patient = aPatient()
      const feeding = feed(port().feeder, patient, [aDocument(patient)])
      await assert.rejects(feeding, refusedAsOneOf('dmp-unknown', 'XDSUnknownPatientId'))
    })

    it('keeps submissions apart that come at once', async () => {
      const patient = await port().patient()
      const documents = Array.from({ length: 6 }, () => aDocument(patient))
      await Promise.all(documents.map((document) => feed(port().feeder, patient, [document])))
      const stored = new Set((await found(port().reader, patient)).map(({ uniqueId }) => uniqueId))
      assert.deepEqual(stored, new Set(documents.map(({ entry }) => entry.uniqueId)))
    })

    const pdf = Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(1000, 0x41), Buffer.from('\n%%EOF\n')])
    const aPdf = async () => {
      const patient = await port().patient()
      const document = aDocument(patient, { mimeType: 'application/pdf', formatCode: codes.pdfFormat }, pdf)
      await feed(port().feeder, patient, [document])
      const { entryUuid, mimeType } = await storedOf(port().reader, patient, document.entry.uniqueId)
      return { mimeType, bytes: await bytesOf(await port().reader.content(entryUuid)) }
    }
    if (rules.can('anyDocument'))
      it('keeps a PDF as it is', async () => {
        assert.deepEqual(await aPdf(), { mimeType: 'application/pdf', bytes: pdf })
      })
    else
      it(`gives a PDF back inside a CDA: ${rules.why('anyDocument')}`, async () => {
        const { mimeType, bytes } = await aPdf()
        assert.equal(mimeType, 'text/xml')
        const body = within(parseXml(bytes ?? ''), 'component')
        assert.deepEqual(Buffer.from(within(body, 'text')?.text ?? '', 'base64'), pdf)
      })

    const folders = async () => {
      const patient = await port().patient()
      const [document, folder] = [aDocument(patient), aFolder({ patientId: aDocument(patient).entry.patientId })]
      const submission = aSubmission({
        entries: [document.entry],
        folders: [folder],
        submissionSet: aSubmissionSet({ patientId: document.entry.patientId, uniqueId: newOid() }),
      })
      const withFolder = {
        ...submission,
        associations: [...submission.associations, aMembership(folder.entryUuid, document.entry.entryUuid)],
      }
      await feed(port().feeder, patient, [document], withFolder)
      return (await port().reader.find({ kind: 'GetFolders', by: 'entryUuid', ids: [folder.entryUuid] })).folders
    }
    const metadataAlone = async () => {
      const patient = await port().patient()
      const { entry } = aDocument(patient, { repositoryUniqueId: toOid('1.2.250.1.999.7') })
      const submission = aSubmission({
        entries: [entry],
        submissionSet: aSubmissionSet({ patientId: entry.patientId, uniqueId: newOid() }),
      })
      await port().feeder.feed(submission, new Map(), recordOfRegistry(patient), { register: true })
      return readAll(port().reader, [entry.entryUuid])
    }
    const recordOfRegistry = (patient: Awaited<ReturnType<ReturnType<typeof port>['patient']>>) =>
      ({ ...recordOf(patient), operation: 'registry' }) as const
    if (rules.can('registry')) {
      it('keeps folders', async () => assert.equal((await folders()).length, 1))
      it('registers metadata alone', async () => assert.equal((await metadataAlone()).length, 1))
    } else {
      it(`refuses folders: ${rules.why('registry')}`, () => assert.rejects(folders(), refused('not-a-dmp-operation')))
      it(`refuses metadata alone: ${rules.why('registry')}`, () =>
        assert.rejects(metadataAlone(), refused('not-a-dmp-operation')))
      it(`refuses removals: ${rules.why('registry')}`, async () => {
        const patient = await port().patient()
        const { stored } = await fed(port(), patient)
        for (const kind of ['objects', 'contents'] as const)
          await assert.rejects(
            port().feeder.remove({ kind, ids: [stored.entryUuid] }, recordOfRegistry(patient)),
            refused('not-a-dmp-operation'),
          )
      })
    }
  })
}

/** The first element with this local name, wherever it stands. */
function within(element: XmlElement | undefined, local: string): XmlElement | undefined {
  if (element === undefined || element.local === local) return element
  for (const child of element.children) {
    const inner = within(child, local)
    if (inner) return inner
  }
  return undefined
}
