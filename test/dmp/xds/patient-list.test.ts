import assert from 'node:assert/strict'
import type { Bundle, OperationOutcome, Patient } from '@medplum/fhirtypes'
import { readPatientList } from '../../../src/dmp/xds/patient-list.ts'
import { GatewayError } from '../../../src/errors.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { people } from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'
import { type Front, openFront } from './front.ts'

const patients = 'urn:si-dmp-patients'

/** Rows as DMP-SERVICES §2.5 describes them; the prefix is another than ours on purpose. */
const row = (changes: { identifiers?: string; birth?: string; mt?: string; access?: string; more?: string } = {}) => {
  const { identifiers = id('260059999999999'), birth = '19850412', mt = 'false', access = '20260112090000' } = changes
  return `<p:patientlistData>${identifiers}<p:lastName>CARPENTIER</p:lastName>${changes.more ?? ''}<p:firstName>LUCIE</p:firstName><p:dateOfBirth>${birth}</p:dateOfBirth><p:MT>${mt}</p:MT><p:message>false</p:message><p:lastAccessDate>${access}</p:lastAccessDate><p:lastUpdateDate>20260112085500</p:lastUpdateDate><p:lastAddDate>20260112085455</p:lastAddDate></p:patientlistData>`
}
const id = (ins: string, authority = '1.2.250.1.213.1.4.10') =>
  `<p:patientIdentifier><p:nationalId>${ins}</p:nationalId><p:nationalIdType>${authority}</p:nationalIdType></p:patientIdentifier>`
const answer = (rows: string, status = 'DMPOk', context = '') =>
  `<p:patientListResponse xmlns:p="${patients}"><p:output>${rows}<p:status>${status}</p:status>${context}</p:output></p:patientListResponse>`

describe('what the DMP answers to patientList', () => {
  const read = (xml: string) => readPatientList(parseXml(xml))
  const refuses = (xml: string, code: string) =>
    assert.throws(
      () => read(xml),
      (error) => error instanceof GatewayError && error.code === code,
    )
  const dates = {
    lastAccess: '2026-01-12T09:00:00Z',
    lastUpdate: '2026-01-12T08:55:00Z',
    lastAdd: '2026-01-12T08:54:55Z',
  }

  it('tells of each record who it is, who treats, and when something happened', () => {
    const more = '<p:patronymicalName>VASSEUR</p:patronymicalName><p:civility>MME</p:civility>'
    const inOrder = row({ mt: 'true' })
      .replace('</p:lastName>', '</p:lastName><p:patronymicalName>VASSEUR</p:patronymicalName>')
      .replace('</p:firstName>', '</p:firstName><p:civility>MME</p:civility>')
    for (const [rows, treatingPhysician] of [
      [inOrder, true],
      [row({ more }), false],
    ] as const)
      assert.deepEqual(read(answer(rows)), {
        records: [
          {
            patient: '1.2.250.1.213.1.4.10|260059999999999',
            demographics: {
              family: 'CARPENTIER',
              birthFamily: 'VASSEUR',
              given: ['LUCIE'],
              prefix: 'MME',
              birthDate: '1985-04-12',
            },
            treatingPhysician,
            ...dates,
          },
        ],
        judged: true,
        unidentified: 0,
      })
    assert.deepEqual(read(answer('')).records, [], 'an empty list is a list')
  })

  it('takes the INS of several identities, and counts what has none', () => {
    const several = id('1234567890123456789012', '1.2.250.1.213.1.4.2') + id('285045999999997', '1.2.250.1.213.1.4.8')
    const { records, unidentified } = read(
      answer(row({ identifiers: several }) + row({ identifiers: '' }) + row({ identifiers: id('1', '1.2.3') })),
    )
    assert.deepEqual(
      [records.map(({ patient }) => patient), unidentified],
      [['1.2.250.1.213.1.4.8|285045999999997'], 2],
    )
  })

  it('has no birth date where the day is not known, and no date where none is said', () => {
    const [found] = read(answer(row({ birth: '19850400', access: '' }))).records
    assert.equal(found?.demographics.birthDate, undefined)
    assert.equal(found?.lastAccess, undefined)
  })

  it('is not used at all when one row breaks the shape, and refused when it is no success', () => {
    for (const bad of [{ birth: '12 avril' }, { mt: 'oui' }, { access: '2026' }])
      refuses(answer(row() + row(bad)), 'dmp-answer-invalid')
    refuses('<x/>', 'dmp-answer-invalid')
    refuses(answer('', 'DMPError', '<p:context>non</p:context>'), 'dmp-refused')
  })
})

describe('the list of authorised DMPs of the national DMP', () => {
  let gateway: NationalGateway
  let front: Front
  let told = answer('')
  before(async () => {
    gateway = await openNationalGateway(async (farEnd) => {
      front = await openFront(farEnd, ({ service }) => (service === 'patientsSpecific' ? told : undefined))
      return { baseUrl: front.baseUrl }
    })
  })
  after(async () => {
    await gateway.close()
    await front.close()
  })

  const list = async (who: object, query = 'since=2026-01-01T01:00:00%2B01:00') => {
    const { status, json, outcome } = await gateway.fhir.call(who, 'GET', `/Patient/$authorised?${query}`)
    return { status, outcome, bundle: json as unknown as Bundle, asked: front.asked.at(-1) }
  }

  it('is asked once, as the person, about no patient, and given as Patients', async () => {
    told = answer(
      row({ mt: 'true' }).replace('</p:lastName>', '</p:lastName><p:patronymicalName>VASSEUR</p:patronymicalName>'),
    )
    const before = front.asked.length
    let reply: Awaited<ReturnType<typeof list>> | undefined
    const seen = await gateway.asked(async () => {
      reply = await list(people.author)
    })
    assert.deepEqual(seen, [], 'nothing else is asked')
    assert.equal(front.asked.length, before + 1)
    const { asked, bundle } = reply ?? assert.fail()
    assert.equal(asked?.action, `${patients}:PatientSpecificEndPoint:patientList`)
    assert.deepEqual([asked.body.ns, asked.body.local], [patients, 'patientList'])
    assert.deepEqual(
      asked.body.children.map(({ ns, local, text }) => [ns, local, text]),
      [
        [patients, 'startDate', '20260101000000'],
        [patients, 'dateType', 'LASTAUTORIZATION'],
      ],
    )
    const { NameID, Authentification_mode: mode, ...others } = asked.vihf
    assert.deepEqual([NameID, mode], [people.author.id, 'INDIRECTE_RENFORCEE'])
    assert.ok(!('urn:oasis:names:tc:xacml:2.0:resource:resource-id' in others), 'no patient')
    assert.equal(bundle.total, 1)
    const patient = bundle.entry?.[0]?.resource as Patient
    assert.deepEqual(patient.identifier, [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: '260059999999999' }])
    assert.deepEqual(
      patient.name?.map(({ use, family, given }) => [use, family, given]),
      [
        ['usual', 'CARPENTIER', ['LUCIE']],
        ['official', 'VASSEUR', ['LUCIE']],
      ],
    )
    assert.deepEqual(
      patient.extension?.map(({ url, valueBoolean, valueDateTime }) => [
        url.split('/').at(-1),
        valueBoolean ?? valueDateTime,
      ]),
      [
        ['dmp-medecin-traitant', true],
        ['dmp-dernier-acces', '2026-01-12T09:00:00Z'],
        ['dmp-derniere-modification', '2026-01-12T08:55:00Z'],
        ['dmp-dernier-ajout', '2026-01-12T08:54:55Z'],
      ],
    )
  })

  it('goes by the last document where that is asked, and by authorisation behind the certificate of the structure', async () => {
    told = answer('')
    const byDocument = await list(people.author, 'since=2026-01-01T00:00:00Z&by=document')
    assert.equal(byDocument.asked?.body.children[1]?.text, 'LASTDOC')
    assert.equal(byDocument.bundle.total, 0)
    const structure = await list(people.structure)
    assert.equal(structure.status, 200)
    assert.equal(structure.asked?.vihf.Authentification_mode, 'INDIRECTE')
    const already = front.asked.length
    assert.equal((await list(people.structure, 'since=2026-01-01T00:00:00Z&by=document')).status, 403)
    assert.equal((await list(people.stranger)).outcome.code, 'not-permitted-for-role')
    assert.equal(front.asked.length, already, 'what is refused is not asked')
  })

  it('says how many records it could not name', async () => {
    told = answer(row() + row({ identifiers: '' }))
    const { bundle } = await list(people.author)
    assert.deepEqual([bundle.total, bundle.entry?.length], [1, 2])
    const [first] = bundle.entry ?? []
    assert.equal(first?.search?.mode, 'outcome')
    assert.match((first.resource as OperationOutcome).issue[0]?.details?.text ?? '', /^1 DMP sans identifiant/)
  })

  it('is refused with the words of the DMP', async () => {
    told = answer('', 'DMPRights', '<p:context>Droits insuffisants</p:context>')
    const { status, outcome } = await list(people.author)
    assert.equal(status, 422)
    assert.match(outcome.text, /Droits insuffisants/)
    const { traceFeed } = gateway.embedded
    const [last] = await traceFeed.after((await traceFeed.head()) - 1, 1)
    assert.ok(last && 'operation' in last.record)
    const { operation, outcome: done, reasonCode, patient } = last.record
    assert.deepEqual([operation, done, reasonCode, patient], ['TD0.4', 'failed', 'dmp-refused', undefined])
  })
})
