import assert from 'node:assert/strict'
import type { CdaHeader } from '../../src/cda/index.ts'
import { entryOf, maxHeaderBytes, readCda } from '../../src/cda/index.ts'
import { formatCx, formatXcn, formatXon } from '../../src/metadata/hl7.ts'
import { newEntryUuid } from '../../src/metadata/identifiers.ts'
import { aCda, type HeaderElement, inMemory } from './mothers.ts'

async function headerOf(changes: Partial<Record<HeaderElement, string>> = {}, body?: string): Promise<CdaHeader> {
  const reading = await readCda(inMemory(aCda(changes, body)))
  assert.ok(reading.kind === 'header', JSON.stringify(reading))
  return reading.header
}

describe('the header of a CDA', () => {
  it('yields the metadata that CI-SIS links to it', async () => {
    const { authors, legalAuthenticator, patientId, sourcePatientId, referenceIds, ...rest } = await headerOf()
    assert.deepEqual(rest, {
      uniqueId: '1.2.250.1.213.1.4.10.99.7001',
      typeCode: {
        code: '11490-0',
        system: '2.16.840.1.113883.6.1',
        display: "Lettre de liaison à la sortie d'un établissement de soins",
      },
      title: 'Lettre de liaison',
      creationTime: '20261012063000',
      languageCode: 'fr-FR',
      confidentialityCodes: [{ code: 'N', system: '2.16.840.1.113883.5.25', display: 'Normal' }],
      formatCode: {
        code: 'urn:asip:ci-sis:ldl-ses:2017',
        system: '1.2.250.1.213.1.1.4.2.282',
        display: "Lettre de Liaison à la sortie de l'établissement de santé",
      },
      sourcePatientInfo: [
        'PID-3|260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH',
        'PID-5|LAURENT^Camille^^^^^L',
        'PID-7|19600514',
        'PID-8|F',
      ],
      serviceStartTime: '202610100515',
      serviceStopTime: '20261012',
      eventCodes: [{ code: 'YYYY600', system: '1.2.250.1.213.2.5', display: 'Supplément' }],
      healthcareFacilityTypeCode: {
        code: 'SA01',
        system: '1.2.250.1.71.4.2.4',
        display: 'Etablissement public de santé',
      },
      practiceSettingCode: {
        code: 'ETABLISSEMENT',
        system: '1.2.250.1.213.1.1.4.9',
        display: 'Etablissement de santé',
      },
      related: [{ type: 'RPLC', uniqueId: '1.2.250.1.213.1.4.10.99.7000' }],
    })
    assert.equal(patientId && formatCx(patientId), '260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH')
    assert.equal(sourcePatientId && formatCx(sourcePatientId), 'IPP-42^^^&1.2.3.4.567.8&ISO^PI')
    assert.deepEqual(referenceIds.map(formatCx), ['P-7^^^&1.2.3.4.567.9&ISO^urn:ihe:iti:xds:2013:order'])
    const signer = '899700000011^ROUX^Paul^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS'
    assert.equal(legalAuthenticator && formatXcn(legalAuthenticator), signer)
    const [author] = authors
    assert.equal(
      author?.person && formatXcn(author.person),
      '899700000010^LEROY^Claire^^^DR^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS',
    )
    assert.deepEqual(author?.institutions.map(formatXon), ['CH EXEMPLE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1010099999'])
    assert.deepEqual(author?.roles, ['Médecin traitant'])
    assert.deepEqual(author?.specialties, ['G15_10/SM03^Médecin - Biologie médicale (SM)^1.2.250.1.213.1.1.4.5'])
  })

  it('says nothing that the document does not say', async () => {
    const nothing = Object.fromEntries(
      ['id', 'code', 'title', 'effectiveTime', 'recordTarget', 'author', 'templateId', 'legalAuthenticator'].map(
        (element) => [element, ''],
      ),
    )
    const header = await headerOf({ ...nothing, documentationOf: '', componentOf: '', relatedDocument: '' })
    assert.deepEqual(
      Object.keys(header).sort(),
      [
        'authors',
        'confidentialityCodes',
        'eventCodes',
        'languageCode',
        'referenceIds',
        'related',
        'sourcePatientInfo',
      ].sort(),
    )
  })

  const ids: readonly (readonly [string, string, string | undefined])[] = [
    ['a root and an extension', '<id root="1.2.3.99" extension="A7"/>', '1.2.3.99^A7'],
    [
      'a UUID as its OID',
      '<id root="90E1C8EC-F951-4B26-A305-A34848818DD6"/>',
      '2.25.192581173443125350942149211714964524502',
    ],
    ['no root', '<id extension="A7"/>', undefined],
    ['a nullFlavor', '<id nullFlavor="UNK"/>', undefined],
    ['a root that is neither', '<id root="document-7"/>', undefined],
  ]
  for (const [what, xml, uniqueId] of ids)
    it(`reads an id of ${what} as ${uniqueId}`, async () => {
      assert.equal((await headerOf({ id: xml })).uniqueId, uniqueId)
    })

  const times: readonly (readonly [string, string | undefined])[] = [
    ['20261012083000+0200', '20261012063000'],
    ['20261012003000.123+0200', '20261011223000'],
    ['202610120830-0330', '202610121200'],
    ['2026101208+0200', '2026101206'],
    ['20261012', '20261012'],
    ['202610', '202610'],
    ['2026', '2026'],
    // Which instant a time without a zone is, nobody said
    ['20261012083000', '20261012'],
    ['20261312', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ]
  for (const [text, time] of times)
    it(`reads the time ${text || '(empty)'} as ${time}`, async () => {
      assert.equal((await headerOf({ effectiveTime: `<effectiveTime value="${text}"/>` })).creationTime, time)
    })

  it('names a device by its system and its model', async () => {
    const author = `<author><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="1010099999/77"/>
      <assignedAuthoringDevice><manufacturerModelName>Modèle 3</manufacturerModelName><softwareName>AUTOMATE</softwareName></assignedAuthoringDevice>
      </assignedAuthor></author>`
    const [{ person } = { person: undefined }] = (await headerOf({ author })).authors
    assert.equal(person && formatXcn(person), '1010099999/77^AUTOMATE^Modèle 3^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI')
  })

  it('keeps delimiters of HL7 v2 in a name from moving what follows', async () => {
    const author = `<author><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="899700000010"/>
      <assignedPerson><name><family>LE^ROY &amp; FILS</family></name></assignedPerson></assignedAuthor></author>`
    const [{ person } = { person: undefined }] = (await headerOf({ author })).authors
    assert.equal(
      person && formatXcn(person),
      '899700000010^LE\\S\\ROY \\T\\ FILS^^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS',
    )
  })

  const wrapped = [
    ['application/pdf', 'urn:ihe:iti:xds-sd:pdf:2008'],
    ['image/jpeg', 'urn:ihe:iti-fr:xds-sd:jpeg:2010'],
    ['text/rtf', 'urn:ihe:iti-fr:xds-sd:rtf:2010'],
  ] as const
  for (const [type, format] of wrapped)
    it(`gives a document that wraps ${type} the format ${format}`, async () => {
      const body = `<component><nonXMLBody><text mediaType="${type}" representation="B64">JVBERi0=</text></nonXMLBody></component>`
      assert.equal((await headerOf({}, body)).formatCode?.code, format)
    })
})

describe('reading a CDA', () => {
  it('stops at the body, whatever its size and however broken it is', async () => {
    const body = `<component><structuredBody>${'<section/>'.repeat(4096)}<unclosed`
    let read = 0
    const bytes = aCda({}, body)
    const reading = await readCda({
      size: bytes.length,
      async *stream(range) {
        assert.deepEqual(range, { start: 0, end: bytes.length - 1 })
        for (let at = 0; at < bytes.length; at += 1000) {
          read = at
          yield bytes.subarray(at, at + 1000)
        }
      },
    })
    assert.equal(reading.kind, 'header')
    assert.ok(read < 12_000, `${read} bytes were read`)
  })

  it('finds the document inside a style sheet that presents it', async () => {
    const inner = aCda()
      .toString('utf8')
      .replace(/^[\s\S]*?(?=<ClinicalDocument)/, '')
    const outer = `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">${inner}<xsl:template/></xsl:stylesheet>`
    const reading = await readCda(inMemory(Buffer.from(outer)))
    assert.ok(reading.kind === 'header' && reading.selfPresenting)
    assert.equal(reading.header.uniqueId, '1.2.250.1.213.1.4.10.99.7001')
  })

  const others: readonly (readonly [string, Buffer])[] = [
    ['text', Buffer.from('Compte rendu')],
    ['a PDF', Buffer.from('%PDF-1.4\n%âãÏÓ', 'latin1')],
    ['nothing', Buffer.alloc(0)],
    ['XML that is no CDA', Buffer.from('<Bundle xmlns="http://hl7.org/fhir"/>')],
    ['a ClinicalDocument of no namespace', Buffer.from('<ClinicalDocument/>')],
    [
      'a document type definition',
      Buffer.from('<!DOCTYPE ClinicalDocument []><ClinicalDocument xmlns="urn:hl7-org:v3"/>'),
    ],
  ]
  for (const [what, bytes] of others)
    it(`takes ${what} for no CDA`, async () => {
      assert.deepEqual(await readCda(inMemory(bytes)), { kind: 'other' })
    })

  it('says what is wrong with a header that breaks off', async () => {
    const reading = await readCda(inMemory(aCda().subarray(0, 900)))
    assert.ok(reading.kind === 'unreadable')
    assert.match(reading.why, /not well formed/)
  })

  it('gives up on a header without end', async () => {
    const padding = Buffer.from('<templateId root="1.2.3"/>'.repeat(Math.ceil(maxHeaderBytes / 26) + 10))
    const reading = await readCda(
      inMemory(Buffer.concat([Buffer.from('<ClinicalDocument xmlns="urn:hl7-org:v3">'), padding])),
    )
    assert.deepEqual(reading, {
      kind: 'unreadable',
      why: `the header does not end within ${maxHeaderBytes} bytes`,
    })
  })
})

describe('the entry of a CDA', () => {
  const entryFor = async (changes: Partial<Record<HeaderElement, string>>, sector?: string) =>
    entryOf(await headerOf(changes), {
      entryUuid: newEntryUuid(),
      mimeType: 'text/xml',
      ...(sector !== undefined && { sector }),
    })

  it('takes the setting of care from the caller where the header is silent, and tells', async () => {
    const { entry, issues } = await entryFor({ componentOf: '', documentationOf: '' }, 'SA07')
    assert.equal(entry?.healthcareFacilityTypeCode?.code, 'SA07')
    assert.equal(entry?.practiceSettingCode?.code, 'AMBULATOIRE')
    assert.deepEqual(
      issues.map(({ code, severity, location }) => [code, severity, location?.split('/')[1]]),
      [
        ['metadata-completed', 'warning', 'healthcareFacilityTypeCode'],
        ['metadata-completed', 'warning', 'practiceSettingCode'],
      ],
    )
  })

  it('supposes no setting for a caller whose sector does not tell it', async () => {
    const { entry } = await entryFor({ componentOf: '', documentationOf: '' }, 'SA26')
    assert.equal(entry?.healthcareFacilityTypeCode?.code, 'SA26')
    assert.equal(entry?.practiceSettingCode, undefined)
  })

  it('derives the class from the type, and gives a model of its own the format that says so', async () => {
    const { entry, issues } = await entryFor({ templateId: '<templateId root="1.2.3"/>' })
    assert.equal(entry?.classCode?.code, '10')
    assert.equal(entry?.formatCode?.code, 'urn:asipSante:modelesHorsProfils:2011')
    assert.deepEqual(issues, [])
  })

  it('is none without the id of the document or the patient', async () => {
    const { entry, issues } = await entryFor({ id: '', recordTarget: '' })
    assert.equal(entry, undefined)
    assert.deepEqual(
      issues.map(({ location }) => location),
      ['ClinicalDocument/id', 'ClinicalDocument/recordTarget/patientRole/id'],
    )
  })
})
