import assert from 'node:assert/strict'
import type { Submission } from '../../../src/metadata/model.ts'
import { type ReadSubmission, readSubmission } from '../../../src/xds/ebrim/reader.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aSubmission,
  aSubmissionSet,
} from '../../mothers/metadata.ts'
import { submitObjects } from '../support.ts'

const classCode = 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a'
const setNode = 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd'

/** A submission of one document, its ids symbolic and its children numbered, so that a test can edit it as text. */
function aMessage(submission: Submission = aSubmission()): string {
  const { submissionSet, entries } = submission
  return submitObjects(submission)
    .replaceAll(entries[0]?.entryUuid ?? '-', 'Document01')
    .replaceAll(submissionSet.entryUuid, 'Set01')
    .replaceAll(submission.associations[0]?.entryUuid ?? '-', 'as01')
}

const read = (xml: string): ReadSubmission => readSubmission(parseXml(xml))

/** Rule and place of each issue. */
const issuesOf = (xml: string): readonly string[] => read(xml).issues.map(({ rule, location }) => `${rule} ${location}`)

/** What is said of the message once `pattern` in it is replaced. */
function edited(pattern: string | RegExp, replacement: string, message = aMessage()): readonly string[] {
  const changed = message.replace(pattern, replacement)
  assert.notEqual(changed, message, 'the edit found nothing to change')
  return issuesOf(changed)
}

const slot = (name: string, ...values: readonly string[]): string =>
  `<rim:Slot name="${name}"><rim:ValueList>${values.map((value) => `<rim:Value>${value}</rim:Value>`).join('')}</rim:ValueList></rim:Slot>`
const firstSlot = /<rim:Slot /

describe('reading a SubmitObjectsRequest', () => {
  it('finds nothing wrong with a good one', () => {
    const { issues, submission } = read(aMessage())
    assert.deepEqual(issues, [])
    assert.equal(submission?.entries.length, 1)
  })

  describe('ids (C1, C4)', () => {
    it('are there, on objects and on what they hold', () => {
      assert.deepEqual(edited(/(<rim:ExternalIdentifier )id="[^"]*"/, '$1'), ['C1 Document01/patientId'])
      assert.deepEqual(edited(/(<rim:Classification )id="[^"]*"( classificationScheme="urn:uuid:41a)/, '$1$2'), [
        'C1 Document01/classCode',
      ])
      assert.deepEqual(edited('id="as01" lid="as01"', ''), ['C1 Association'])
    })

    it('are lower-case UUIDs when they are UUIDs', () => {
      const upper = 'urn:uuid:0D8F0F5E-0000-4000-8000-00000000000A'
      assert.deepEqual(edited('id="as01" lid="as01"', `id="${upper}"`), [`C1 ${upper}`])
      assert.deepEqual(edited('targetObject="Document01"', `targetObject="${upper}"`), ['C1 as01/targetObject'])
    })

    it('are used once in the message', () => {
      assert.deepEqual(edited('id="as01" lid="as01"', 'id="Set01"'), ['C4 Set01'])
      const ids = [...aMessage().matchAll(/<rim:Classification id="([^"]*)"/g)].map(([, id]) => id)
      assert.ok(ids.length > 5)
      const message = aMessage()
      const [first, second] = [...message.matchAll(/<rim:Classification id="([^"]*)"/g)].map(([, id]) => id ?? '')
      assert.deepEqual(edited(`id="${second}"`, `id="${first}"`, message), ['C4 Document01/classCode'])
    })
  })

  describe('slots (C5)', () => {
    it('have names, known or beginning urn:', () => {
      assert.deepEqual(edited('name="languageCode"', 'name="language"'), ['C5 Document01/language'])
      assert.deepEqual(edited('name="languageCode"', 'name="urn:x:language"'), [])
      assert.deepEqual(edited('name="languageCode"', ''), ['C5 Document01'])
      assert.deepEqual(edited('name="authorRole"', 'name="authorRank"'), ['C5 Document01/author[0]/authorRank'])
    })

    it('appear once', () => {
      assert.deepEqual(edited(firstSlot, `${slot('size', '3')}$&`), ['C5 Document01/size'])
    })

    it('of single value have one', () => {
      assert.deepEqual(edited(/(name="languageCode"><rim:ValueList>)/, '$1<rim:Value>fr</rim:Value>'), [
        'C5 Document01/languageCode',
      ])
      assert.deepEqual(edited(/(name="authorPerson"><rim:ValueList>)/, '$1<rim:Value>^X</rim:Value>'), [
        'C5 Document01/author[0]/authorPerson',
      ])
    })

    it('without a value count as absent', () => {
      const emptied = aMessage().replace(
        /(name="serviceStopTime"><rim:ValueList>).*?(<\/rim:ValueList>)/,
        '$1<rim:Value> </rim:Value>$2',
      )
      const { issues, submission } = read(emptied)
      assert.deepEqual(issues, [])
      assert.equal(submission?.entries[0]?.serviceStopTime, undefined)
    })
  })

  describe('classifications (C6, C7, C8)', () => {
    it('are of a known scheme', () => {
      assert.deepEqual(edited(classCode, 'urn:uuid:00000000-0000-4000-8000-000000000000'), [
        'C6 Document01/Classification',
      ])
      assert.deepEqual(edited(`classificationScheme="${classCode}"`, ''), ['C6 Document01/Classification'])
    })

    it('appear once where the attribute has one value', () => {
      const message = aMessage()
      const [whole] = new RegExp(
        `<rim:Classification id="[^"]*" classificationScheme="${classCode}".*?</rim:Classification>`,
      ).exec(message) ?? ['-']
      assert.deepEqual(edited(whole, `${whole}${whole.replace(/ id="[^"]*"/, ' id="again"')}`, message), [
        'C6 Document01/classCode',
      ])
    })

    it('say which object they are of', () => {
      assert.deepEqual(edited(/(41a5887f[^>]*) classifiedObject="Document01"/, '$1 classifiedObject="Set01"'), [
        'C7 Document01/classCode',
      ])
      assert.deepEqual(edited(/(41a5887f[^>]*) classifiedObject="Document01"/, '$1'), ['C7 Document01/classCode'])
    })

    it('hold code and code system', () => {
      assert.deepEqual(edited(/(41a5887f[^>]*) nodeRepresentation="[^"]*"/, '$1 nodeRepresentation=""'), [
        'C7 Document01/classCode',
      ])
      assert.deepEqual(edited(/(41a5887f[^>]*>)<rim:Slot.*?<\/rim:Slot>/, '$1'), ['C7 Document01/classCode'])
    })

    it('name the code they hold', () => {
      const name = new RegExp(`(classificationScheme="${classCode}"(?:(?!<rim:Name>).)*)<rim:Name>.*?</rim:Name>`)
      assert.deepEqual(edited(name, '$1'), ['C7 Document01/classCode'])
    })

    it('of authors have no nodeRepresentation', () => {
      assert.deepEqual(edited(/(93606bcf[^>]*) nodeRepresentation=""/, '$1 nodeRepresentation="x"'), [
        'C8 Document01/author[0]/',
      ])
    })
  })

  describe('external identifiers (C9)', () => {
    it('are those of the object, each once, with a value', () => {
      const patientId = /<rim:ExternalIdentifier [^>]*58a6f841.*?<\/rim:ExternalIdentifier>/
      assert.deepEqual(edited(patientId, ''), ['C9 Document01/patientId'])
      assert.deepEqual(edited(/(58a6f841[^>]*) value="[^"]*"/, '$1 value=" "'), [
        'C9 Document01/patientId',
        'C9 Document01/patientId',
      ])
      assert.deepEqual(edited('58a6f841', '00000000'), ['C9 Document01/ExternalIdentifier', 'C9 Document01/patientId'])
      const message = aMessage()
      const [whole] = patientId.exec(message) ?? ['-']
      assert.deepEqual(edited(whole, `${whole}${whole.replace(/ id="[^"]*"/, ' id="again"')}`, message), [
        'C9 Document01/patientId',
      ])
    })

    it('name what they are', () => {
      assert.deepEqual(
        edited(/<rim:Name><rim:LocalizedString[^>]*value="XDSDocumentEntry.uniqueId"\/><\/rim:Name>/, ''),
        ['C9 Document01/uniqueId'],
      )
    })

    it('say which object they are of', () => {
      assert.deepEqual(edited('registryObject="Document01"', 'registryObject="Set01"'), ['C7 Document01/patientId'])
    })
  })

  describe('attributes of a DocumentEntry (D1, D2, D7, D8)', () => {
    it('are of a known objectType and have a mimeType', () => {
      assert.deepEqual(edited('7edca82f', '00000000'), ['D1 Document01/objectType'])
      assert.deepEqual(edited('mimeType="text/xml"', ''), ['D2 Document01/mimeType'])
    })

    for (const [name, value] of [
      ['creationTime', '20260231'],
      ['serviceStartTime', '2026-05-12'],
      ['hash', 'abc'],
      ['size', '-1'],
      ['repositoryUniqueId', 'urn:oid:1.2'],
    ] as const)
      it(`are in form: ${name} is not ${value}`, () => {
        assert.deepEqual(edited(new RegExp(`(name="${name}"><rim:ValueList><rim:Value>)[^<]*`), `$1${value}`), [
          `D7 Document01/${name}`,
        ])
      })

    it('know two availabilities', () => {
      assert.deepEqual(edited(firstSlot, `${slot('documentAvailability', 'Online')}$&`), [
        'D8 Document01/documentAvailability',
      ])
    })

    it('come in UTF-8', () => {
      assert.deepEqual(edited('charset="UTF-8"', 'charset="ISO-8859-1"'), ['D7 Document01/title'])
    })

    it('hold a URI in pieces of at most 256 characters, none of them empty (M3, C5)', () => {
      assert.deepEqual(edited(firstSlot, `${slot('URI', `http://x/${'y'.repeat(256)}`)}$&`), ['M3 Document01/URI'])
      assert.deepEqual(edited(firstSlot, `${slot('URI', '')}$&`), ['C5 Document01/URI'])
    })

    it('take a hash in capitals and a size with leading zeros', () => {
      const capitals = aMessage()
        .replace(
          /(name="hash"><rim:ValueList><rim:Value>)([^<]*)/,
          (_, before: string, hash: string) => before + hash.toUpperCase(),
        )
        .replace(/(name="size"><rim:ValueList><rim:Value>)/, '$100')
      const { issues, submission } = read(capitals)
      const [expected] = aSubmission().entries
      assert.deepEqual(issues, [])
      assert.deepEqual([submission?.entries[0]?.hash, submission?.entries[0]?.size], [expected?.hash, expected?.size])
    })
  })

  describe('the submission (T1, T2, T5, R8)', () => {
    it('has exactly one SubmissionSet', () => {
      const two = aMessage().replace('</rim:RegistryObjectList>', '')
      const other = submitObjects({ submissionSet: aSubmissionSet(), entries: [], folders: [], associations: [] })
      const [second] = /<rim:RegistryPackage.*<\/rim:RegistryPackage>/.exec(other) ?? ['']
      const message = two.replace('</lcm:Submit', `${second}</rim:RegistryObjectList></lcm:Submit`)
      assert.deepEqual(issuesOf(message), ['T1 RegistryObjectList'])
      assert.equal(read(message).submission, undefined)
    })

    it('has packages that are a SubmissionSet or a Folder', () => {
      const lost = `<rim:Classification [^>]*${setNode}[^>]*/>`
      assert.deepEqual(edited(new RegExp(lost), ''), ['T2 Set01', 'T1 RegistryObjectList'])
    })

    it('may classify its packages from outside', () => {
      const message = aMessage()
      const [node] = new RegExp(`<rim:Classification [^>]*${setNode}[^>]*/>`).exec(message) ?? ['-']
      const moved = message.replace(node, '').replace('</rim:RegistryObjectList>', `${node}</rim:RegistryObjectList>`)
      assert.deepEqual(issuesOf(moved), [])
      assert.ok(read(moved).submission)
      assert.deepEqual(
        issuesOf(moved.replace('classifiedObject="Set01"/></rim:Reg', 'classifiedObject="Set02"/></rim:Reg')),
        ['C6 Set02', 'T2 Set01', 'T1 RegistryObjectList'],
      )
      assert.ok(
        issuesOf(
          moved.replace('classifiedObject="Set01"/></rim:Reg', 'classifiedObject="Document01"/></rim:Reg'),
        ).includes('C6 Document01'),
      )
    })

    it('resolves symbolic ids only to its own objects', () => {
      const message = edited('targetObject="Document01"', 'targetObject="Document02"')
      assert.deepEqual(message, ['T5 as01/targetObject'])
      assert.equal(
        read(aMessage().replace('targetObject="Document01"', 'targetObject="Document02"')).submission,
        undefined,
      )
      assert.deepEqual(edited('targetObject="Document01"', ''), ['A1 as01/targetObject'])
    })

    it('has associations of a known type', () => {
      assert.deepEqual(edited('AssociationType:HasMember', 'AssociationType:Has'), ['A2 as01/associationType'])
      assert.deepEqual(edited('>Original<', '>original<'), ['A4 as01/SubmissionSetStatus'])
    })

    it('has objects whose children stand in the order of the schema', () => {
      const [name] = /<rim:Name>.*?<\/rim:Name>/.exec(aMessage()) ?? ['-']
      const message = aMessage().replace(name, '')
      assert.deepEqual(issuesOf(message.replace('</rim:ExtrinsicObject>', `${name}</rim:ExtrinsicObject>`)), [
        'R8 Document01',
      ])
      assert.deepEqual(edited('</rim:ExtrinsicObject>', '<rim:Extra/></rim:ExtrinsicObject>'), ['R8 Document01'])
      assert.deepEqual(edited('</rim:RegistryObjectList>', '<rim:Extra/></rim:RegistryObjectList>'), [
        'R8 RegistryObjectList',
      ])
      assert.deepEqual(edited('</rim:RegistryObjectList>', '<rim:ObjectRef id="urn:x"/></rim:RegistryObjectList>'), [])
    })

    it('is a SubmitObjectsRequest with a RegistryObjectList', () => {
      assert.deepEqual(issuesOf(`<a xmlns="${ns.lcm}"/>`), ['R8 a'])
      assert.deepEqual(
        readSubmission(undefined).issues.map(({ rule }) => rule),
        ['R8'],
      )
    })

    it('has first versions: no lid but the id itself', () => {
      const entry = aDocumentEntry({ logicalId: aDocumentEntry().entryUuid })
      assert.deepEqual(issuesOf(submitObjects(aSubmission({ entries: [entry] }))), [`T12 ${entry.entryUuid}/lid`])
    })

    it('is Approved, its folders too, whatever else is said of them (M11, M47)', () => {
      const approved = 'status="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"'
      const deprecated = approved.replace('Approved', 'Deprecated')
      const set = new RegExp(`(<rim:RegistryPackage id="Set01"[^>]*)${approved}`)
      assert.deepEqual(edited(set, `$1${deprecated}`), ['M11 Set01/status'])
      const folder = aFolder()
      const message = aMessage(aSubmission({ folders: [folder] }))
      const package_ = new RegExp(`(<rim:RegistryPackage id="${folder.entryUuid}"[^>]*)${approved}`)
      assert.deepEqual(edited(package_, `$1${deprecated}`, message), [`M47 ${folder.entryUuid}/status`])
    })

    it('takes state from no sender: what is new is Approved and version 1', () => {
      const entry = aDocumentEntry({ availabilityStatus: 'Deleted', version: 7 })
      const [read1] = read(submitObjects(aSubmission({ entries: [entry] }))).submission?.entries ?? []
      assert.deepEqual([read1?.availabilityStatus, read1?.version], ['Approved', 1])
    })

    it('reads relationships to stored documents, folders and memberships', () => {
      const entry = aDocumentEntry()
      const folder = aFolder()
      const submissionSet = aSubmissionSet()
      const associations = [
        aMembership(submissionSet.entryUuid, entry.entryUuid, 'Original'),
        aMembership(folder.entryUuid, entry.entryUuid),
        anAssociation({ type: 'IsSnapshotOf', source: entry.entryUuid }),
      ]
      const sent = { submissionSet, entries: [entry], folders: [folder], associations }
      const xml = submitObjects(sent)
      assert.deepEqual(read(xml).submission, sent)
      // Some editions of the Technical Framework write it with 2007
      assert.deepEqual(read(xml.replace('2010:AssociationType:IsSnap', '2007:AssociationType:IsSnap')).submission, sent)
    })
  })

  it('names every fault of a message at once', () => {
    const message = aMessage()
      .replace('name="languageCode"', 'name="language"')
      .replace(/(name="size"><rim:ValueList><rim:Value>)[^<]*/, '$1large')
      .replace('7edca82f', '00000000')
      .replace('AssociationType:HasMember', 'AssociationType:Has')
    assert.deepEqual(issuesOf(message), [
      'C5 Document01/language',
      'D1 Document01/objectType',
      'D7 Document01/size',
      'A2 as01/associationType',
    ])
  })
})
