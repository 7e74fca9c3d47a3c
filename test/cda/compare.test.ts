import assert from 'node:assert/strict'
import { checkCda, entryOf, readCda } from '../../src/cda/index.ts'
import { type Dtm, newEntryUuid, type UniqueId } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { aPatientId, aProfessional, type Changes, codes } from '../mothers/metadata.ts'
import { aCda, inMemory } from './mothers.ts'

/** The entry that the document itself yields, with changes. */
async function entryWith(changes: Changes<DocumentEntry> = {}): Promise<DocumentEntry> {
  const reading = await readCda(inMemory(aCda()))
  assert.ok(reading.kind === 'header')
  const { entry } = entryOf(reading.header, { entryUuid: newEntryUuid(), mimeType: 'text/xml' })
  assert.ok(entry)
  return { ...entry, ...changes } as DocumentEntry
}

const check = async (changes: Changes<DocumentEntry>, bytes = aCda(), severity: 'warning' | 'error' = 'warning') => {
  const entry = await entryWith(changes)
  const issues = await checkCda(entry, inMemory(bytes), severity)
  return issues.map((issue) => ({ ...issue, location: issue.location?.replace(`${entry.entryUuid}/`, '') }))
}

describe('a CDA beside its metadata', () => {
  it('agrees with the metadata made of it', async () => {
    assert.deepEqual(await check({}), [])
  })

  const differing: readonly (readonly [string, Changes<DocumentEntry>, string])[] = [
    ['another uniqueId', { uniqueId: '1.2.3.4' as UniqueId }, 'uniqueId'],
    ['another patient', { patientId: aPatientId({ id: '160059999999911' }) }, 'patientId'],
    [
      'another author',
      { authors: [{ person: aProfessional(), institutions: [], roles: [], specialties: [], telecoms: [] }] },
      'author',
    ],
    ['another signer', { legalAuthenticator: aProfessional() }, 'legalAuthenticator'],
    ['another type', { typeCode: codes.bloodTest }, 'typeCode'],
    ['another format', { formatCode: codes.labFormat }, 'formatCode'],
    ['another facility', { healthcareFacilityTypeCode: codes.office }, 'healthcareFacilityTypeCode'],
    ['another setting', { practiceSettingCode: codes.outpatientCare }, 'practiceSettingCode'],
    ['no N', { confidentialityCodes: [codes.maskedToProfessionals] }, 'confidentialityCode'],
    ['another time of creation', { creationTime: '20261012083000' as Dtm }, 'creationTime'],
    ['another start', { serviceStartTime: '20261009' as Dtm }, 'serviceStartTime'],
    ['another end', { serviceStopTime: '20261013' as Dtm }, 'serviceStopTime'],
    ['another title', { title: 'Ordonnance' }, 'title'],
    ['another language', { languageCode: 'en-GB' }, 'languageCode'],
  ]
  for (const [what, changes, attribute] of differing)
    it(`differs by ${what}, and by nothing else`, async () => {
      const issues = await check(changes)
      assert.deepEqual(
        issues.map(({ code, severity, rule, location }) => [code, severity, rule, location]),
        [['InvalidDocumentContent', 'warning', 'CDA', attribute]],
      )
      assert.match(issues[0]?.detail ?? '', /[.:] ?(send|check)/i)
    })

  it('names every difference at once, as errors where differences refuse', async () => {
    const issues = await check({ title: 'Ordonnance', typeCode: codes.bloodTest }, aCda(), 'error')
    assert.deepEqual(
      issues.map(({ severity, location }) => [severity, location]),
      [
        ['error', 'typeCode'],
        ['error', 'title'],
      ],
    )
  })

  it('tells nobody’s name and no identifier of a person', async () => {
    const issues = await check({
      patientId: aPatientId({ id: '160059999999911' }),
      legalAuthenticator: aProfessional(),
      title: 'Compte rendu de Camille LAURENT',
    })
    assert.equal(issues.length, 3)
    assert.doesNotMatch(JSON.stringify(issues), /LAURENT|ROUX|EXEMPLE|8997|60059999999/)
  })

  const agreeing: readonly (readonly [string, Changes<DocumentEntry>])[] = [
    ['less exact times', { creationTime: '20261012' as Dtm, serviceStartTime: '2026' as Dtm }],
    ['more exact times', { serviceStopTime: '20261012110000' as Dtm }],
    [
      'the patient of the source',
      {
        patientId: aPatientId({
          id: 'IPP-42',
          assigningAuthority: { universalId: '1.2.3.4.567.8', universalIdType: 'ISO' },
        }),
      },
    ],
    ['further authors', { authors: undefined }],
    ['a language in other letters', { languageCode: 'FR-fr' }],
    ['attributes that are absent', { title: undefined, serviceStopTime: undefined, legalAuthenticator: undefined }],
  ]
  for (const [what, changes] of agreeing)
    it(`is not held against ${what}`, async () => {
      const entry = await entryWith()
      const more = {
        ...entry.authors[0],
        person: aProfessional(),
        institutions: [],
        roles: [],
        specialties: [],
        telecoms: [],
      }
      const given = 'authors' in changes ? { authors: [...entry.authors, more] } : changes
      assert.deepEqual(await check(given), [])
    })

  it('is not compared with codes the DMP does not have', async () => {
    const componentOf = `<componentOf><encompassingEncounter><location><healthCareFacility>
      <code code="HOSP" codeSystem="2.16.840.1.113883.5.111"/></healthCareFacility></location></encompassingEncounter></componentOf>`
    assert.deepEqual(await check({}, aCda({ componentOf })), [])
  })

  it('must be readable once it begins as a CDA', async () => {
    const [issue] = await check({}, aCda().subarray(0, 900))
    assert.equal(issue?.code, 'InvalidDocumentContent')
    assert.match(issue?.detail ?? '', /cannot be read/)
  })

  it('is looked into only where the metadata say XML, and only if it is a CDA', async () => {
    assert.deepEqual(await check({ mimeType: 'application/pdf', title: 'Ordonnance' }), [])
    assert.deepEqual(await check({ title: 'Ordonnance' }, Buffer.from('<a/>')), [])
  })
})
