import assert from 'node:assert/strict'
import type { Xcn, Xon, Xtn } from '../../../src/metadata/hl7.ts'
import type { Author, DocumentEntry } from '../../../src/metadata/model.ts'
import type { Profile } from '../../../src/metadata/rules.ts'
import { aDevice, anAuthor, aPatientPerson, aProfessional, aStructure, type Changes } from '../../mothers/metadata.ts'
import { authority, both, entryIssues, type Row, refuseEach, tooLong } from './refusals.ts'

const author = (changes: Changes<Author>) => ({ authors: [anAuthor(changes)] })
const person = (changes: Changes<Xcn>) => author({ person: aProfessional(changes) })
const bare = (value: Xcn) => author({ person: value })
const institution = (changes: Changes<Xon>) => author({ institutions: [aStructure(changes)] })
const house = (value: Xon) => author({ institutions: [value] })
const telecom = (...telecoms: Xtn[]) => author({ telecoms })
const phone = { type: 'PH', unformatted: '+33199000000' }
const mail = { type: 'Internet', email: 'a@b.example' }
const at = (part: string) => `author[0].${part}`
const [who, where, reach] = [at('authorPerson'), at('authorInstitution[0]'), at('authorTelecommunication[0]')]
const french: readonly Profile[] = ['ci-sis']
const abroad: readonly Profile[] = ['ihe']

const rows: readonly Row<DocumentEntry>[] = [
  ['whose person has neither name nor identifier', bare({ given: 'Anne' }), 'C8', who, abroad],
  ['whose person has an empty family name', bare({ family: '&de' }), 'C8', who, abroad],
  ['whose authority of the person stands alone', person({ id: undefined }), 'C8', who, abroad],
  [
    'whose authority is no OID',
    bare({ id: '1', assigningAuthority: { ...authority, universalId: 'x' } }),
    'C8',
    who,
    abroad,
  ],
  ['whose authority has too many parts', bare({ id: '1', rest: { 9: 'a&b&c&d' } }), 'C8', who, abroad],
  ['whose person has no authority', person({ assigningAuthority: undefined }), 'CS3', who, french],
  ['whose person has no type of name', person({ nameType: undefined }), 'CS3', who, french],
  ['whose person has another type of name', person({ nameType: 'L' }), 'CS3', who, french],
  ['without person', author({ person: undefined }), 'CS2', who, french],
  ['without anything', author({ person: undefined, institutions: [] }), 'M7', 'author[0]', abroad],
  ['whose person is too long', person({ family: tooLong }), 'M3', who],
  ['whose institution has no name', institution({ name: '' }), 'C8', where],
  ['whose institution has components between', institution({ rest: { 2: 'x' } }), 'C8', where],
  [
    'whose institution has an authority that is none',
    house({ name: 'X', rest: { 6: 'a&b&c&d' } }),
    'C8',
    where,
    abroad,
  ],
  ['whose institution has an identifier of nobody', house({ name: 'X', id: 'X1' }), 'C8', where, abroad],
  ['whose institution is known to IHE only', house({ name: 'X', id: '1.2.3' }), 'CS4', where, french],
  ['whose institution has no type of identifier', institution({ idType: undefined }), 'CS4', where, french],
  ['whose institution has a SIREN of the structures', institution({ idType: 'SIREN' }), 'CS4', where, french],
  [
    'with two institutions',
    author({ institutions: [aStructure(), aStructure()] }),
    'CS5',
    at('authorInstitution'),
    french,
  ],
  ['with two specialties', author({ specialties: ['A', 'B'] }), 'CS5', at('authorSpecialty'), french],
  ['with an empty role', author({ roles: ['Correspondant', ' '] }), 'C8', at('authorRole[1]')],
  ['with an empty specialty', author({ specialties: [''] }), 'C8', at('authorSpecialty[0]')],
  ['with a role that is too long', author({ roles: [tooLong] }), 'M3', at('authorRole[0]')],
  ['with a fax number', telecom({ type: 'FX', unformatted: '1' }), 'C8', reach],
  ['with a mail address without @', telecom({ type: 'Internet', email: 'anne' }), 'C8', reach],
  ['with a mail address for work', telecom({ ...mail, use: 'WPN' }), 'C8', reach],
  ['with a mail address and a number', telecom({ ...mail, unformatted: '1' }), 'C8', reach],
  [
    'with a telephone with an address',
    telecom(phone, { ...phone, email: 'a@b' }),
    'C8',
    at('authorTelecommunication[1]'),
  ],
  ['with a telephone of the net', telecom({ ...phone, use: 'NET' }), 'C8', reach],
  ['with a telephone without number', telecom({ type: 'CP' }), 'C8', reach],
  ['with a telephone with two numbers', telecom({ ...phone, rest: { 7: '1' } }), 'C8', reach],
  ['with a telephone of more components', telecom({ ...phone, rest: { 13: '1' } }), 'C8', reach],
]

const siren = { assigningAuthority: { ...authority, universalId: '1.3.2' }, idType: 'SIREN', id: '999000000' }
const accepted: readonly (readonly [string, Changes<DocumentEntry>, (readonly Profile[])?])[] = [
  ['who is a device', author({ person: aDevice() })],
  ['who is the patient', author({ person: aPatientPerson(), institutions: [] })],
  ['of a service with a SIREN', institution(siren)],
  ['who has only a name', bare({ family: 'Smitty', given: 'Gerald' }), abroad],
  ['who is an institution', author({ person: undefined }), abroad],
  ['beside another', { authors: [anAuthor(), anAuthor({ person: aDevice() })] }],
  ['with a particle in the name', person({ family: 'DE LA TOUR&DE LA&TOUR' })],
  ['who can be reached', telecom(phone, { ...mail, use: 'NET' }, { type: 'CP', rest: { 5: '33', 7: '1' } })],
  ['with a specialty as free text', author({ specialties: ['Cardiologie'] })],
  ['with a role as a code', author({ roles: ['ATTPHYS^^^&2.16.840.1.113883.5.88&ISO'] })],
]

describe('rules of an author', () => {
  for (const [case_, changes, profiles = both] of accepted) {
    for (const profile of profiles) {
      it(`accept one ${case_} (${profile})`, () => assert.deepEqual(entryIssues(changes, profile)[0], []))
    }
  }

  refuseEach(rows, entryIssues)
})
