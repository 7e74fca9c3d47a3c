import assert from 'node:assert/strict'
import type { Resource } from '@medplum/fhirtypes'
import { formatXcn, formatXon } from '../../../src/metadata/hl7.ts'
import type { Author } from '../../../src/metadata/model.ts'
import { aDevice, aDocumentEntry, anAuthor, aPatientPerson, aProfessional, aStructure } from '../../mothers/metadata.ts'
import { aDocumentReference, coded, entryOf, professionals, published, served, structures } from './published.ts'

const none: Author = { institutions: [], roles: [], specialties: [], telecoms: [] }

function roundTrip(authors: readonly Author[]): readonly Author[] {
  return entryOf(served(aDocumentEntry({ authors }))).authors
}

/** The types of the contained resources that the author references lead to. */
function typesOf(authors: readonly Author[]): (string | undefined)[] {
  const { author, contained } = served(aDocumentEntry({ authors }))
  return author?.map(({ reference }) => contained?.find(({ id }) => `#${id}` === reference)?.resourceType) ?? []
}

/** What a source publishes as its only author. */
function authorOf(author: object, contained: readonly object[] = [], resolve?: (reference: string) => Resource) {
  const { contained: own = [] } = aDocumentReference()
  const resource = aDocumentReference({ author: [author], contained: [...own, ...contained] })
  return entryOf(resource, resolve ? { resolve } : {}).authors[0]
}

describe('mapping/author, as served', () => {
  for (const [name, author, type] of [
    ['a professional in a structure, with role and specialty', anAuthor(), 'PractitionerRole'],
    ['a professional alone', { ...none, person: aProfessional() }, 'Practitioner'],
    ['an institution alone', { ...none, institutions: [aStructure()] }, 'Organization'],
    ['a device of a structure', anAuthor({ person: aDevice(), roles: [] }), 'Device'],
    ['the patient', { ...none, person: aPatientPerson() }, 'Patient'],
    ['the patient with a role and a specialty', anAuthor({ person: aPatientPerson() }), 'Patient'],
    ['an e-mail address alone', { ...none, telecoms: [{ type: 'Internet', email: 'a@b.example' }] }, 'Practitioner'],
    [
      'a service (SIREN)',
      {
        ...none,
        institutions: [
          aStructure({
            assigningAuthority: { universalId: '1.3.2', universalIdType: 'ISO' },
            idType: 'SIREN',
            id: '999000111',
          }),
        ],
      },
      'Organization',
    ],
    [
      'a person known by name alone',
      { ...none, person: { family: 'EXEMPLE', given: 'Zoé', prefix: 'Dr' } },
      'Practitioner',
    ],
  ] as const)
    it(`writes ${name} as ${type} and reads the same back`, () => {
      assert.deepEqual(typesOf([author]), [type])
      assert.deepEqual(roundTrip([author]), [author])
    })

  it('keeps several authors in order, and the parts of each together', () => {
    const authors = [
      anAuthor({ institutions: [aStructure({ name: 'CH UN' })] }),
      anAuthor({ person: aProfessional({ id: '899700000002' }), institutions: [aStructure({ name: 'CH DEUX' })] }),
      anAuthor({ person: aDevice() }),
    ]
    assert.deepEqual(roundTrip(authors), authors)
  })

  it('keeps every institution of one author', () => {
    const authors = [
      anAuthor({ institutions: [aStructure({ name: 'A' }), aStructure({ name: 'B' }), aStructure({ name: 'C' })] }),
      { ...none, institutions: [aStructure({ name: 'A' }), aStructure({ name: 'B' })] },
      { ...none, person: aDevice(), institutions: [aStructure({ name: 'A' }), aStructure({ name: 'B' })] },
    ]
    assert.deepEqual(roundTrip(authors), authors)
  })

  it('keeps equal identifiers with different names apart, and contains equal resources once', () => {
    const authors = [
      { ...none, person: aProfessional({ family: 'EXEMPLE' }) },
      { ...none, person: aProfessional({ family: 'AUTRE' }) },
      { ...none, person: aProfessional({ family: 'EXEMPLE' }) },
    ]
    const { author, contained } = served(
      aDocumentEntry({ authors, legalAuthenticator: aProfessional({ family: 'AUTRE' }) }),
    )
    assert.equal(contained?.filter(({ resourceType }) => resourceType === 'Practitioner').length, 2)
    assert.equal(new Set(author?.map(({ reference }) => reference)).size, 2)
    assert.deepEqual(roundTrip(authors), authors)
  })

  it('writes French identifiers plainly: the components that go without saying need no extension', () => {
    const { contained } = served(aDocumentEntry({ authors: [anAuthor()], sourcePatientInfo: [] }))
    const persons = contained?.filter(({ resourceType }) => resourceType !== 'Patient')
    assert.doesNotMatch(JSON.stringify(persons), /hl7v2-value|v2-0203/)
  })

  it('carries the HL7 value beside the elements where they cannot say it all, and only there', () => {
    for (const person of [
      aProfessional({ rest: { 7: 'MD' } }),
      aProfessional({
        assigningAuthority: { namespaceId: 'ASIP', universalId: '1.2.250.1.71.4.2.1', universalIdType: 'ISO' },
      }),
      aProfessional({ family: 'DUPONT&van&DUPONT' }),
      aProfessional({ nameType: 'M' }),
      aProfessional({ idType: 'interne' }),
    ]) {
      const authors = [{ ...none, person }]
      assert.match(JSON.stringify(served(aDocumentEntry({ authors })).contained), /hl7v2-value/)
      assert.equal(formatXcn(roundTrip(authors)[0]?.person ?? {}), formatXcn(person))
    }
  })

  it('shows HL7 escapes as the characters they stand for', () => {
    const authors = [{ ...none, institutions: [aStructure({ name: 'DURAND \\T\\ FILS' })] }]
    const [organization] = served(aDocumentEntry({ authors })).contained ?? []
    assert.equal(organization?.resourceType === 'Organization' && organization.name, 'DURAND & FILS')
    assert.deepEqual(roundTrip(authors), authors)
  })

  it('writes any legalAuthenticator as a Practitioner: FHIR allows no Patient or Device there', () => {
    for (const legalAuthenticator of [aProfessional(), aPatientPerson(), aDevice()]) {
      const resource = served(aDocumentEntry({ authors: [], legalAuthenticator }))
      const target = resource.contained?.find(({ id }) => `#${id}` === resource.authenticator?.reference)
      assert.equal(target?.resourceType, 'Practitioner')
      assert.equal(formatXcn(entryOf(resource).legalAuthenticator ?? {}), formatXcn(legalAuthenticator))
    }
  })
})

describe('mapping/author, as published', () => {
  it('adds XCN.10 D and XCN.13 IDNPS to a PS_IdNat, XON.7 IDNST to a Struct_IdNat', () => {
    const author = authorOf({ reference: '#role' }, [
      {
        resourceType: 'PractitionerRole',
        id: 'role',
        practitioner: { reference: '#author' },
        organization: { reference: '#org' },
      },
      {
        resourceType: 'Organization',
        id: 'org',
        identifier: [{ system: structures, value: '1010099999' }],
        name: 'CH EXEMPLE',
      },
    ])
    assert.equal(formatXcn(author?.person ?? {}), '899700000001^EXEMPLE^Anne^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS')
    assert.deepEqual(author?.institutions.map(formatXon), ['CH EXEMPLE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1010099999'])
  })

  it('takes a RPPS for the PS_IdNat and a FINESS for the Struct_IdNat that they make', () => {
    const rpps = { system: 'https://rpps.esante.gouv.fr', value: '99700000001' }
    const finess = { system: 'https://finess.esante.gouv.fr', value: '010099999' }
    const person = authorOf({ type: 'Practitioner', identifier: rpps })?.person
    assert.equal(formatXcn(person ?? {}), '899700000001^^^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS')
    const [structure] =
      authorOf({ type: 'Organization', identifier: finess, display: 'CH EXEMPLE' })?.institutions ?? []
    assert.deepEqual(structure, aStructure())
    const both = aDocumentReference({
      author: [{ reference: '#x' }],
      authenticator: undefined,
      context: undefined,
      contained: [
        { resourceType: 'Practitioner', id: 'x', identifier: [rpps, { system: professionals, value: '899700000001' }] },
      ],
    })
    assert.deepEqual(published(both).issues, [])
  })

  it('gives an authority that is another URI the OID made of it: XDS takes only OIDs', () => {
    const identifier = { system: 'https://hospital.example.org/staff', value: '42' }
    const person = authorOf({ type: 'Practitioner', identifier })?.person
    assert.match(person?.assigningAuthority?.universalId ?? '', /^2\.25\.\d+$/)
    assert.deepEqual(authorOf({ type: 'Practitioner', identifier })?.person, person)
  })

  it('combines a profession and a savoir-faire of the annuaire into the specialty of JDV_J01', () => {
    const role = (specialty: object[]) =>
      authorOf({ reference: '#role' }, [
        {
          resourceType: 'PractitionerRole',
          id: 'role',
          practitioner: { reference: '#author' },
          code: [coded('https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante', '10')],
          ...(specialty.length > 0 && { specialty }),
        },
      ])
    const savoirFaire = coded(
      'https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale',
      'SM26',
    )
    assert.deepEqual(role([savoirFaire])?.specialties, [
      'G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5',
    ])
    assert.deepEqual(role([savoirFaire])?.roles, [])
    assert.deepEqual(role([])?.specialties, ['G15_10^Médecin^1.2.250.1.213.1.1.4.5'])
  })

  it('takes a role of JDV_J47 by its display, another as code^^^&OID&ISO, a text as it is', () => {
    const author = authorOf({ reference: '#role' }, [
      {
        resourceType: 'PractitionerRole',
        id: 'role',
        practitioner: { reference: '#author' },
        code: [
          coded('urn:oid:2.16.840.1.113883.5.88', 'PCP'),
          coded('urn:oid:1.2.250.1.999.6', 'X1'),
          { text: 'Remplaçant' },
        ],
        specialty: [coded('http://snomed.info/sct', '394802001'), coded('urn:oid:1.2.250.1.213.1.1.4.6', 'DISPOSITIF')],
      },
    ])
    assert.deepEqual(author?.roles, ['Médecin traitant', 'X1^^^&1.2.250.1.999.6&ISO', 'Remplaçant'])
    assert.deepEqual(author?.specialties, [
      '394802001^^^&2.16.840.1.113883.6.96&ISO',
      'DISPOSITIF^Dispositif médical^1.2.250.1.213.1.1.4.6',
    ])
  })

  it('reads a role of the annuaire that carries the PS_IdNat itself', () => {
    const author = authorOf({ reference: '#role' }, [
      { resourceType: 'PractitionerRole', id: 'role', identifier: [{ system: professionals, value: '899700000009' }] },
    ])
    assert.equal(author?.person?.id, '899700000009')
  })

  it('reads uncontained authors that can be resolved, and logical references', () => {
    const known: Resource = { resourceType: 'Practitioner', name: [{ family: 'AILLEURS' }] }
    assert.equal(authorOf({ reference: 'Practitioner/7' }, [], () => known)?.person?.family, 'AILLEURS')
    const identifier = { system: professionals, value: '899700000001' }
    assert.equal(authorOf({ identifier, display: 'EXEMPLE Anne' })?.person?.family, 'EXEMPLE Anne')
    const structure = { identifier: { system: structures, value: '1010099999' }, display: 'CH EXEMPLE' }
    assert.deepEqual(authorOf(structure)?.institutions, [aStructure()])
    assert.equal(authorOf({ type: 'Device', identifier: { value: 'D1' }, display: 'AUTOMATE' })?.person?.nameType, 'U')
  })

  it('refuses an author that leads nowhere, or that says nothing', () => {
    const errors = (author: object, contained: object[] = []) =>
      published(
        aDocumentReference({ author: [author], authenticator: undefined, context: undefined, contained }),
      ).issues.map(({ rule, location }) => `${rule} ${location}`)
    assert.deepEqual(errors({ reference: 'Practitioner/7' }), ['DR_8 DocumentReference.author[0]'])
    assert.deepEqual(errors({ reference: '#x' }, [{ resourceType: 'Practitioner', id: 'x' }]), [
      'DR_8 DocumentReference.author[0]',
    ])
    assert.deepEqual(errors({ identifier: { value: '1' } }), ['DR_8 DocumentReference.author[0]'])
  })

  it('shows an Organization without a name by its identifier and warns; without either it is refused', () => {
    const publish = (organization: object) =>
      published(
        aDocumentReference({
          author: [{ reference: '#org' }],
          authenticator: undefined,
          context: undefined,
          contained: [{ resourceType: 'Organization', id: 'org', ...organization }],
        }),
      )
    const { entry, issues } = publish({ identifier: [{ system: structures, value: '1010099999' }] })
    assert.equal(entry?.authors[0]?.institutions[0]?.name, '1010099999')
    assert.deepEqual(
      issues.map(({ severity }) => severity),
      ['warning'],
    )
    assert.equal(publish({ alias: ['CHE'] }).entry, undefined)
  })

  it('keeps delimiters of HL7 inside the component they are typed in', () => {
    const author = authorOf({ reference: '#x' }, [
      {
        resourceType: 'Practitioner',
        id: 'x',
        identifier: [{ system: professionals, value: '8997^EVIL' }],
        name: [{ family: 'A^B&C|D' }],
      },
    ])
    assert.equal(author?.person?.id, '8997\\S\\EVIL')
    assert.equal(author?.person?.family, 'A\\S\\B\\T\\C\\F\\D')
  })

  it('keeps e-mail addresses and telephones, and says that other telecoms are not kept', () => {
    const telecom = [
      { system: 'email', value: 'a@b.example', use: 'work' },
      { system: 'phone', value: '+33 9 00 00 00 01', use: 'work' },
      { system: 'phone', value: '+33 9 00 00 00 02', use: 'mobile' },
      { system: 'url', value: 'https://b.example' },
    ]
    const { entry, issues } = published(
      aDocumentReference({
        author: [{ reference: '#x' }],
        authenticator: undefined,
        context: undefined,
        contained: [{ resourceType: 'Practitioner', id: 'x', name: [{ family: 'A' }], telecom }],
      }),
    )
    assert.deepEqual(entry?.authors[0]?.telecoms, [
      { type: 'Internet', email: 'a@b.example' },
      { use: 'WPN', type: 'PH', unformatted: '+33 9 00 00 00 01' },
      { type: 'CP', unformatted: '+33 9 00 00 00 02' },
    ])
    assert.deepEqual(
      issues.map(({ location }) => location),
      ['DocumentReference.contained[0].telecom[3]'],
    )
  })
})
