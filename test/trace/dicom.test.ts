import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import type { AccessRecord } from '../../src/operations/ports.ts'
import { operationWords } from '../../src/operations/wording.ts'
import { writeAuditMessage } from '../../src/trace/index.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { loadSchema, type XmlSchema } from '../../src/xml/schema.ts'
import { attribute, type XmlElement } from '../../src/xml/tree.ts'
import { anAccessRecord, aProfessionalCaller } from '../dmp/mothers.ts'
import { aDocumentEntry, aUniqueId } from '../mothers/metadata.ts'

const origin = { client: '192.0.2.7', server: 'https://dmp.exemple.fr:8443/xds/registry' }
const document = { logicalId: aDocumentEntry().entryUuid, uniqueId: aUniqueId() }
const about = (changes: Partial<AccessRecord>): AccessRecord =>
  anAccessRecord({ origin, documents: [document], ...changes })
const write = (record: AccessRecord, sequence = 7): string =>
  writeAuditMessage({ sequence, record }, { id: '1.2.250.1.999.1', site: 'CH EXEMPLE' })

interface Read {
  readonly root: XmlElement
  all(name: string): readonly XmlElement[]
}

function read(xml: string): Read {
  const root = parseXml(xml)
  const all = (element: XmlElement, name: string): XmlElement[] => [
    ...(element.local === name ? [element] : []),
    ...element.children.flatMap((child) => all(child, name)),
  ]
  return { root, all: (name) => all(root, name) }
}

const codeOf = (element: XmlElement | undefined): string | undefined => element && attribute(element, 'csd-code')
const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString()

describe('a DICOM audit message', () => {
  it('says what happened, when, with what outcome and for which purpose', () => {
    const at = '2026-11-21T22:40:00.000Z'
    const { all } = read(
      write(
        about({
          at,
          operation: 'TD3.2',
          transaction: 'ITI-43',
          door: 'xds',
          purpose: 'bris_de_glace',
          reason: 'Patient inconscient',
        }),
      ),
    )
    const [event] = all('EventIdentification')
    assert.ok(event)
    assert.deepEqual(
      ['EventActionCode', 'EventOutcomeIndicator', 'EventDateTime'].map((name) => attribute(event, name)),
      ['R', '0', at],
    )
    assert.equal(codeOf(all('EventID')[0]), '110106')
    assert.deepEqual(all('EventTypeCode').map(codeOf), ['ITI-43', 'TD3.2'])
    assert.equal(codeOf(all('PurposeOfUse')[0]), 'bris_de_glace')
    assert.equal(all('EventOutcomeDescription')[0]?.text, 'autorisé – motif : Patient inconscient')
  })

  it('says why something was refused', () => {
    const { all } = read(write(about({ outcome: 'refused', rule: 'BL1', reasonCode: 'professional-blocked' })))
    const [event] = all('EventIdentification')
    assert.equal(event && attribute(event, 'EventOutcomeIndicator'), '8')
    assert.equal(all('EventOutcomeDescription')[0]?.text, 'refusé – Le patient a bloqué l’accès de ce professionnel.')
    const details = all('ParticipantObjectDetail').map((each) => [
      attribute(each, 'type'),
      decoded(attribute(each, 'value')),
    ])
    assert.deepEqual(
      details.filter(([type]) => type === 'rule' || type === 'reasonCode'),
      [
        ['rule', 'BL1'],
        ['reasonCode', 'professional-blocked'],
      ],
    )
  })

  it('names both ends of the connection, which change places when documents leave', () => {
    const roles = (changes: Partial<AccessRecord>) =>
      read(write(about(changes)))
        .all('ActiveParticipant')
        .map((each) => [attribute(each, 'UserID'), codeOf(each.children[0])])
        .filter(([, code]) => code?.startsWith('1101'))
    assert.deepEqual(roles({ operation: 'TD2.1' }), [
      [origin.client, '110153'],
      [origin.server, '110152'],
    ])
    assert.deepEqual(roles({ operation: 'TD3.2' }), [
      [origin.client, '110152'],
      [origin.server, '110153'],
    ])
  })

  it('names the person with profession and token, and the structure beside', () => {
    const caller = aProfessionalCaller({ person: { id: '899700000001', name: 'EXEMPLE Anne' }, tokenId: '_a1' })
    const participants = read(write(about({ caller }))).all('ActiveParticipant')
    const person = participants.find((each) => attribute(each, 'UserID') === '899700000001')
    assert.ok(person)
    assert.equal(attribute(person, 'UserName'), 'EXEMPLE Anne')
    assert.equal(attribute(person, 'AlternativeUserID'), '_a1')
    assert.equal(codeOf(person.children[0]), '10')
    const place = participants.find((each) => codeOf(each.children[0]) === 'PROV')
    assert.equal(place && attribute(place, 'UserIsRequestor'), 'false')
  })

  it('names the patient, the submission, the documents and the query', () => {
    const query = '<AdhocQuery xmlns="urn:x" id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"/>'
    const submissionSet = { entryUuid: document.logicalId, uniqueId: aUniqueId() }
    const objects = read(
      write(about({ operation: 'TD3.1a', transaction: 'ITI-18', submissionSet, origin: { ...origin, query } })),
    ).all('ParticipantObjectIdentification')
    const told = objects.map((each) => [
      attribute(each, 'ParticipantObjectTypeCode'),
      attribute(each, 'ParticipantObjectTypeCodeRole'),
      attribute(each, 'ParticipantObjectID'),
    ])
    assert.deepEqual(told.slice(0, 4), [
      ['1', '1', '260059999999999^^^&1.2.250.1.213.1.4.10&ISO'],
      ['2', '20', submissionSet.uniqueId],
      ['2', '3', document.uniqueId],
      ['2', '24', 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d'],
    ])
    const asked = objects[3]?.children.find(({ local }) => local === 'ParticipantObjectQuery')
    assert.equal(decoded(asked?.text), query)
  })

  it('carries its place in the trace and its own identifier, so that a second one can be told', () => {
    const record = about({})
    const objects = read(write(record, 42)).all('ParticipantObjectIdentification')
    const last = objects.at(-1)
    assert.equal(last && attribute(last, 'ParticipantObjectID'), record.id)
    const sequence = last?.children.find((each) => attribute(each, 'type') === 'sequence')
    assert.equal(decoded(sequence && attribute(sequence, 'value')), '42')
  })

  describe('against the schema of DICOM', () => {
    const file = path.resolve('..', 'shared', 'samples', 'atna', 'dicom2017c.xsd')
    let schema: XmlSchema
    before(function () {
      if (!existsSync(file)) return this.skip()
      schema = loadSchema({ 'dicom.xsd': readFileSync(file) }, 'dicom.xsd')
    })
    after(() => schema?.dispose())

    it('is valid for every operation, outcome and door', () => {
      const operations = Object.keys(operationWords) as AccessRecord['operation'][]
      for (const operation of operations)
        for (const outcome of ['permitted', 'refused', 'failed'] as const)
          for (const door of ['fhir', 'xds', 'cli'] as const) {
            const { origin: _none, ...bare } = about({ operation, outcome, door, transaction: operation })
            for (const record of [about({ operation, outcome, door }), bare as AccessRecord])
              assert.deepEqual(schema.validate(write(record)), [])
          }
    })

    it('is valid whatever people, places and reasons are called', () => {
      const text = fc.string({ unit: 'binary', maxLength: 40 })
      fc.assert(
        fc.property(text, text, text, text, (name, place, reason, query) => {
          const caller = aProfessionalCaller({
            person: { id: '899700000001', name },
            structure: { id: '1010099999', name: place },
            tokenId: name,
          })
          const xml = write(about({ caller, reason, origin: { ...origin, query }, operation: 'TD3.1a' }))
          assert.deepEqual(schema.validate(xml), [])
        }),
        { numRuns: 80 },
      )
    })

    it('is held to: the schema refuses what lacks a part', () => {
      assert.notDeepEqual(schema.validate(write(about({})).replace(/<EventID [^>]*\/>/, '')), [])
    })
  })
})
