import fc from 'fast-check'
import type { Caller } from '../../src/access/caller.ts'
import type { Dtm, EntryUuid } from '../../src/metadata/identifiers.ts'
import type { Code, DocumentEntry } from '../../src/metadata/model.ts'
import type { StoredChange } from '../../src/operations/ports.ts'
import { thePatient } from '../dmp/mothers.ts'
import {
  aHospital,
  aNurse,
  anAdministrator,
  aPatient,
  aPhysician,
  aRepresentative,
  aSecretary,
} from '../mothers/access.ts'
import { aDocumentEntry, anAuthor, aProfessional, codes } from '../mothers/metadata.ts'

export const author = aPhysician({ person: { id: '899700000001', name: 'EXEMPLE Anne' } })
export const other = aPhysician({
  person: { id: '899700000077', name: 'EXEMPLE Yann' },
  structure: { id: '1020099999' },
})
const bound = { patient: thePatient }

/** Who asks: by person, by certificate, bound to the patient or not. */
export const callers: Readonly<Record<string, Caller>> = {
  author,
  'author, bound': { ...author, ...bound },
  colleague: aPhysician(),
  'colleague, bound': aPhysician(bound),
  'colleague, emergency': aPhysician({ purposeOfUse: 'bris_de_glace', reason: 'patient inconscient' }),
  nurse: aNurse(),
  'nurse, bound': aNurse(bound),
  patient: aPatient(),
  representative: aRepresentative(),
  structure: aHospital(),
  'structure, bound': aHospital(bound),
  staff: aSecretary(),
}
export const administrator = anAdministrator()

/** One document of a record, by what decides who sees it. */
export interface Planned {
  readonly type: keyof typeof types
  readonly by: 'author' | 'other'
  readonly fedBy: 'author' | 'other'
  readonly visibility: keyof typeof visibilities
  readonly fate: 'kept' | 'archived' | 'deleted' | 'masked later' | 'replaced'
  readonly lot: number
  readonly day: number
}

const types = {
  bloodTest: { typeCode: codes.bloodTest, classCode: codes.report },
  summary: { typeCode: codes.summaryType, classCode: codes.summary },
  prescription: { typeCode: codes.prescriptionType, classCode: codes.prescription },
  /** Closed to nurses by the matrix. */
  certificate: {
    typeCode: { code: '89601-9', system: '2.16.840.1.113883.6.1', display: 'Certificat médical' },
    classCode: { code: '52', system: '1.2.250.1.213.1.1.4.1', display: 'Certificat, déclaration' },
  },
}

const secret: Code = { ...codes.hiddenFromPatient, code: 'INVISIBLE_REPRESENTANTS_LEGAUX' }
export const visibilities = {
  open: [codes.normal],
  masked: [codes.normal, codes.maskedToProfessionals],
  invisible: [codes.normal, codes.hiddenFromPatient],
  secret: [codes.normal, secret],
}

export const plans: fc.Arbitrary<readonly Planned[]> = fc.array(
  fc.record({
    type: fc.constantFrom<Planned['type'][]>('bloodTest', 'summary', 'prescription', 'certificate'),
    by: fc.constantFrom('author', 'other'),
    fedBy: fc.constantFrom('author', 'other'),
    visibility: fc.constantFrom('open', 'open', 'masked', 'masked', 'invisible', 'secret'),
    fate: fc.constantFrom('kept', 'kept', 'archived', 'deleted', 'masked later', 'replaced'),
    lot: fc.nat(2),
    day: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1, maxLength: 7 },
)

/** What the patient has settled before anyone asks: mostly nothing, which lets most be seen. */
export const choices: fc.Arbitrary<readonly StoredChange[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 2,
    arbitrary: fc.subarray<StoredChange>([
      { kind: 'choice', choice: 'maskedInEmergencyPermitted', value: true },
      { kind: 'choice', choice: 'consultationOpposed', value: true },
      { kind: 'choice', choice: 'breakGlassPermitted', value: false },
      { kind: 'block', person: '899700000060' },
      { kind: 'designate', role: 'administrator', person: '899700000010' },
    ]),
  },
)

/** What is fed, in order: the same objects go to both records. */
export interface Fed {
  readonly entry: DocumentEntry
  readonly plan: Planned
  readonly lot: number
  readonly replaces?: EntryUuid
}

export function fedOf(planned: readonly Planned[]): readonly Fed[] {
  return planned.flatMap((plan, index): Fed[] => {
    const make = (title: string): DocumentEntry =>
      aDocumentEntry({
        ...types[plan.type],
        authors: [anAuthor({ person: aProfessional({ id: plan.by === 'author' ? '899700000001' : '899700000077' }) })],
        confidentialityCodes: visibilities[plan.visibility],
        creationTime: `2026051${plan.day}0815` as Dtm,
        title,
      })
    const entry = make(`Document ${index}`)
    const next = { entry: make(`Document ${index} bis`), plan: { ...plan, fate: 'kept' as const }, lot: 100 + index }
    const own = { entry, plan, lot: plan.lot }
    return plan.fate === 'replaced' ? [own, { ...next, replaces: entry.entryUuid }] : [own]
  })
}

/** The same in both records. */
export function laterVersion(id: EntryUuid): EntryUuid {
  return id.replace(/..$/, 'ff') as EntryUuid
}
