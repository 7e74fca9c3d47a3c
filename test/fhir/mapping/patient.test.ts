import assert from 'node:assert/strict'
import type { Patient, Resource } from '@medplum/fhirtypes'
import { conditionalPatient, toDocumentReference } from '../../../src/fhir/mapping/index.ts'
import { type Cx, formatCx } from '../../../src/metadata/hl7.ts'
import { patientKey } from '../../../src/metadata/identifiers.ts'
import { aDocumentEntry, aPatientId, ins } from '../../mothers/metadata.ts'
import { aDocumentReference, baseUrl, entryOf, insSystem, published, served, withContext } from './published.ts'

const key = patientKey('1.2.250.1.213.1.4.10', ins)
const cx = `${ins}^^^&1.2.250.1.213.1.4.10&ISO^NH`

function subjectOf(subject: object, options: Parameters<typeof published>[1] = {}, contained?: object[]): string {
  const { contained: own = [] } = aDocumentReference()
  const resource = aDocumentReference({ subject, contained: [...own, ...(contained ?? [])] })
  return formatCx(entryOf(resource, options).patientId)
}

describe('mapping/patient: subject', () => {
  it('adds the NH of CX.5 to an INS, in every form a subject can have', () => {
    const patient: Patient = {
      resourceType: 'Patient',
      id: 'p',
      identifier: [
        { system: 'urn:oid:1.2.250.1.999.1', value: 'IPP1' },
        { system: insSystem, value: ins },
      ],
    }
    const token = `${insSystem}|${ins}`
    assert.equal(subjectOf({ identifier: { system: insSystem, value: ins } }), cx)
    assert.equal(subjectOf({ reference: `Patient?identifier=${token}` }), cx)
    assert.equal(subjectOf({ reference: `Patient?identifier=${encodeURIComponent(token)}` }), cx)
    assert.equal(subjectOf({ reference: '#p' }, {}, [patient]), cx)
    const resolve = (reference: string): Resource | undefined => (reference === 'urn:uuid:1' ? patient : undefined)
    assert.equal(subjectOf({ reference: 'urn:uuid:1' }, { resolve }), cx)
    assert.equal(subjectOf({ reference: 'Patient/7' }, { resolvePatient: () => key }), cx)
  })

  it('takes the French name of the type, INS-NIR, for NH, and keeps any other type', () => {
    const typed = (code: string, system = insSystem) =>
      subjectOf({
        identifier: {
          type: { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code }] },
          system,
          value: ins,
        },
      })
    assert.equal(typed('INS-NIR'), cx)
    assert.equal(typed('PI', 'urn:oid:1.2.250.1.999.1'), `${ins}^^^&1.2.250.1.999.1&ISO^PI`)
  })

  it('gives back every CX as it was: with or without CX.5, of any authority', () => {
    const authority = (universalId: string) => ({ universalId, universalIdType: 'ISO' })
    const ids: Cx[] = [
      aPatientId(),
      aPatientId({ typeCode: undefined }),
      aPatientId({ typeCode: 'PI' }),
      aPatientId({ rest: { 7: '20260101' } }),
      { id: 'A-1', assigningAuthority: authority('1.2.250.1.999.1') },
      { id: 'A-1', assigningAuthority: authority('1.2.250.1.999.1'), typeCode: 'PI' },
    ]
    for (const patientId of ids) assert.deepEqual(entryOf(served(aDocumentEntry({ patientId }))).patientId, patientId)
  })

  it('serves a logical identifier, and a reference where the door has an id for the patient', () => {
    const entry = aDocumentEntry()
    const identifier = { system: insSystem, value: ins }
    assert.deepEqual(served(entry).subject, { type: 'Patient', identifier })
    const { subject } = toDocumentReference(entry, { baseUrl, patientReference: () => 'Patient/7' })
    assert.deepEqual(subject, { reference: 'Patient/7', type: 'Patient', identifier })
  })

  it('refuses an unknown patient, an identifier without authority, and two different patients', () => {
    const issue = (subject: object, options = {}) => {
      const [first] = published(aDocumentReference({ subject }), options).issues
      return `${first?.code} ${first?.rule} ${first?.location}`
    }
    assert.equal(issue({ reference: 'Patient/unknown' }), 'XDSUnknownPatientId SUBJ4_3 DocumentReference.subject')
    assert.equal(issue({ reference: 'Patient?identifier=' }), 'XDSUnknownPatientId SUBJ4_3 DocumentReference.subject')
    assert.equal(issue({ display: 'someone' }), 'profile-violation CMPMETA4_1 DocumentReference.subject')
    assert.equal(
      issue({ identifier: { value: ins } }),
      'profile-violation SUBJ4_3 DocumentReference.subject.identifier',
    )
    const both = { reference: 'Patient/7', identifier: { system: insSystem, value: ins } }
    const other = { resolvePatient: () => patientKey('1.2.250.1.213.1.4.10', '160059999999999') }
    assert.equal(issue(both, other), 'XDSPatientIdDoesNotMatch undefined DocumentReference.subject')
    assert.equal(issue(both, { resolvePatient: () => key }), 'undefined undefined undefined')
  })

  it('reads a conditional reference only when it names one identifier under an OID', () => {
    assert.equal(conditionalPatient(`Patient?identifier=${insSystem}|${ins}`), key)
    for (const wrong of [
      'Patient?identifier=',
      `Patient?identifier=${insSystem}|`,
      `Patient?identifier=|${ins}`,
      `Patient?identifier=http://x|${ins}`,
      `Patient?name=x&identifier=${insSystem}|${ins}`,
      'Patient?identifier=%E0%A4%A|1',
    ])
      assert.equal(conditionalPatient(wrong), undefined, wrong)
  })
})

describe('mapping/patient: source patient', () => {
  const sourcePatientId: Cx = {
    id: 'IPP-1',
    assigningAuthority: { universalId: '1.2.250.1.999.1', universalIdType: 'ISO' },
  }

  function sourceOf(entry: ReturnType<typeof aDocumentEntry>): Patient | undefined {
    const { contained, context } = served(entry)
    const found = contained?.find(({ id }) => `#${id}` === context?.sourcePatientInfo?.reference)
    return found?.resourceType === 'Patient' ? found : undefined
  }

  it('shows what a reader of FHIR looks for', () => {
    const patient = sourceOf(
      aDocumentEntry({
        sourcePatientId,
        sourcePatientInfo: [
          'PID-3|IPP-1^^^&1.2.250.1.999.1&ISO~B2^^^&1.2.250.1.999.2&ISO',
          'PID-5|PATIENTE^Zoé^^^^^L',
          'PID-7|20000229',
          'PID-8|F',
          'PID-11|1 rue de l’Exemple^^Ville^^75999^FRA',
        ],
      }),
    )
    assert.deepEqual(patient?.identifier, [
      { system: 'urn:oid:1.2.250.1.999.1', value: 'IPP-1' },
      { system: 'urn:oid:1.2.250.1.999.2', value: 'B2' },
    ])
    assert.deepEqual(patient?.name, [{ use: 'official', family: 'PATIENTE', given: ['Zoé'] }])
    assert.equal(patient?.birthDate, '2000-02-29')
    assert.equal(patient?.gender, 'female')
    assert.deepEqual(patient?.address, [
      { line: ['1 rue de l’Exemple'], city: 'Ville', postalCode: '75999', country: 'FRA' },
    ])
    assert.equal(patient?.extension, undefined)
  })

  it('gives back the same lines in the same order, whatever they say', () => {
    for (const sourcePatientInfo of [
      ['PID-8|F', 'PID-5|PATIENTE^Zoé^^^^^L', 'PID-3|IPP-1^^^&1.2.250.1.999.1&ISO'],
      ['PID-5|Doe^John^^^', 'PID-5|Roe^John^^^', 'PID-7|19560527', 'PID-8|M'],
      ['PID-13|^PRN^PH^^^^0900000001', 'PID-99|x', 'not a PID line'],
      ['PID-7|20000229083000'],
      ['PID-3|', 'PID-8|X'],
      [],
    ])
      for (const id of [sourcePatientId, undefined]) {
        const entry = aDocumentEntry({ sourcePatientId: id, sourcePatientInfo })
        const read = entryOf(served(entry), { profile: 'ihe' })
        assert.deepEqual(read.sourcePatientInfo, sourcePatientInfo)
        assert.deepEqual(read.sourcePatientId, id)
      }
  })

  it('makes the lines from a Patient, the first identifier being the sourcePatientId', () => {
    const contained = [
      {
        resourceType: 'Patient',
        id: 's',
        identifier: [
          { system: 'urn:oid:1.2.250.1.999.1', value: 'IPP-1' },
          { system: insSystem, value: ins },
        ],
        name: [{ use: 'official', family: 'PATIENTE', given: ['Zoé', 'Marie', 'Ève'] }],
        gender: 'female',
        birthDate: '2000-02',
      },
    ]
    const { author, authenticator, ...resource } = withContext({ sourcePatientInfo: { reference: '#s' } })
    const entry = entryOf({ ...resource, contained } as never)
    assert.deepEqual(entry.sourcePatientId, sourcePatientId)
    assert.deepEqual(entry.sourcePatientInfo, [
      `PID-3|IPP-1^^^&1.2.250.1.999.1&ISO~${cx}`,
      'PID-5|PATIENTE^Zoé^Marie Ève^^^^L',
      'PID-7|200002',
      'PID-8|F',
    ])
  })

  it('takes the INS of the subject as sourcePatientId in ci-sis when a source sends no source patient', () => {
    const resource = withContext({ sourcePatientInfo: undefined })
    assert.equal(formatCx(entryOf(resource).sourcePatientId ?? { id: '' }), cx)
    assert.equal(entryOf(resource, { profile: 'ihe' }).sourcePatientId, undefined)
  })

  it('gives a URI that is no OID the OID made of it, as XDS wants, and keeps the URI beside it', () => {
    const contained = [
      { resourceType: 'Patient', id: 's', identifier: [{ system: 'http://h.example/ids', value: '7' }] },
    ]
    const { author, authenticator, ...resource } = withContext({ sourcePatientInfo: { reference: '#s' } })
    const entry = entryOf({ ...resource, contained } as never)
    assert.match(formatCx(entry.sourcePatientId ?? { id: '' }), /^7\^\^\^&2\.25\.\d+&ISO$/)
    assert.match(entry.sourcePatientInfo[0] ?? '', /^PID-3\|7\^\^\^http:\/\/h\.example\/ids&2\.25\.\d+&ISO$/)
    assert.deepEqual(sourceOf(entry)?.identifier, [{ system: 'http://h.example/ids', value: '7' }])
    assert.equal(sourceOf(entry)?.extension, undefined)
    assert.deepEqual(entryOf(served(entry)), entry)
  })

  it('refuses extensions that contradict the Patient beside them', () => {
    const resource = served(aDocumentEntry({ authors: [], legalAuthenticator: undefined }))
    const [patient] = resource.contained ?? []
    const forged = { ...resource, contained: [{ ...patient, birthDate: '1999-01-01' }] }
    const { issues } = published(forged as typeof resource)
    assert.deepEqual(
      issues.map(({ location }) => location),
      ['DocumentReference.contained[0]'],
    )
  })
})
