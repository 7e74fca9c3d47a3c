/**
 * Object mothers of the guard: a nurse at an invented hospital, an active record of an adult, a document of somebody else.
 * A test changes one field; `undefined` takes it away.
 */
import type { Caller, ConsentDeclaration } from '../../src/access/caller.ts'
import type { AccessRequest, DocumentFacts, Operation, Policy, RecordFacts } from '../../src/access/types.ts'
import { strictPolicy } from '../../src/access/types.ts'
import { newEntryUuid, type PatientKey, patientKey, type UniqueId } from '../../src/metadata/identifiers.ts'
import type { Code } from '../../src/metadata/model.ts'
import { type Changes, ins, insAuthority } from './metadata.ts'

export const patient: PatientKey = patientKey(insAuthority, ins)
export const otherPatient: PatientKey = patientKey(insAuthority, '160059999999988')
export const nurseId = '899700000060'
export const structureId = '1010099999'

const G15 = '1.2.250.1.71.1.2.7'
const systems: readonly (readonly [RegExp, string])[] = [
  [/^GENR/, '1.2.250.1.213.1.6.1.19'],
  [/^4[1-7]$/, '1.2.250.1.213.1.6.1.4'],
]

/** A profession: TRE_R22 for GENR…, TRE_R94 for 41 to 47, TRE_G15 otherwise. */
export function profession(code: string): Code {
  return { code, system: systems.find(([form]) => form.test(code))?.[1] ?? G15 }
}

export function speciality(code: string): Code {
  return { code, system: code.startsWith('FON') ? '1.2.250.1.213.1.6.1.17' : '1.2.250.1.71.4.2.5' }
}

function changed<T extends object>(valid: T, changes: Changes<T>): T {
  return Object.fromEntries(Object.entries({ ...valid, ...changes }).filter(([, value]) => value !== undefined)) as T
}

/** A nurse with her own card, at the hospital. */
export function aNurse(changes: Changes<Caller> = {}): Caller {
  return changed<Caller>(
    {
      kind: 'professional',
      authentication: 'direct',
      person: { id: nurseId, name: 'EXEMPLE Nadia' },
      structure: { id: structureId, name: 'CH EXEMPLE' },
      profession: profession('60'),
      specialities: [],
      sector: 'SA01',
      regulation: false,
      secretConnection: false,
      proof: 'jwt',
    },
    changes,
  )
}

export function aPhysician(changes: Changes<Caller> = {}): Caller {
  return aNurse({
    person: { id: '899700000010', name: 'EXEMPLE Paul' },
    profession: profession('10'),
    specialities: [speciality('SM26')],
    ...changes,
  })
}

export function anOccupationalPhysician(changes: Changes<Caller> = {}): Caller {
  return aPhysician({ person: { id: '899700000025' }, specialities: [speciality('SM25')], ...changes })
}

/** A medical secretary with a named CPE card. */
export function aSecretary(changes: Changes<Caller> = {}): Caller {
  return aNurse({
    kind: 'staff',
    person: { id: '3101009999901', name: 'EXEMPLE Sylvie' },
    profession: undefined,
    ...changes,
  })
}

/** The software certificate of the hospital, alone. */
export function aHospital(changes: Changes<Caller> = {}): Caller {
  return aNurse({ kind: 'structure', authentication: 'indirect', person: undefined, profession: undefined, ...changes })
}

export function aPatient(changes: Changes<Caller> = {}): Caller {
  return aNurse({
    kind: 'patient',
    person: { id: ins },
    structure: undefined,
    profession: undefined,
    sector: undefined,
    patient,
    ...changes,
  })
}

export function aRepresentative(changes: Changes<Caller> = {}): Caller {
  return aPatient({ kind: 'representative', person: { id: 'parent-1' }, ...changes })
}

export function anAdministrator(changes: Changes<Caller> = {}): Caller {
  return aNurse({
    kind: 'system',
    person: undefined,
    structure: undefined,
    profession: undefined,
    sector: undefined,
    ...changes,
  })
}

export function aTester(): Caller {
  return aNurse({ kind: 'tester', proof: 'anonymous' })
}

type Choices = RecordFacts['choices']

/** An active record of an adult who chose nothing, as it bears on somebody the DMP has never met. */
export function aRecord(changes: Changes<RecordFacts> = {}, choices: Partial<Choices> = {}): RecordFacts {
  return changed<RecordFacts>(
    {
      patient,
      status: 'active',
      minor: false,
      brainDeath: false,
      choices: {
        consultationOpposed: false,
        feedOpposed: false,
        breakGlassPermitted: true,
        regulationPermitted: true,
        maskedInEmergencyPermitted: false,
        maskByDefault: false,
        ...choices,
      },
      blocked: false,
      treatingPhysician: false,
      authorisation: 'NON_EXISTE',
      informedOfFeeding: false,
      informedEpisodes: [],
      initialConsent: false,
    },
    changes,
  )
}

/** A blood test that another professional of another structure fed a year ago. */
export function aStoredDocument(changes: Changes<DocumentFacts> = {}): DocumentFacts {
  const entryUuid = newEntryUuid()
  return changed<DocumentFacts>(
    {
      entryUuid,
      logicalId: entryUuid,
      version: 1,
      uniqueId: '1.2.250.1.999.9.1' as UniqueId,
      patient,
      availabilityStatus: 'Approved',
      classCode: '10',
      typeCode: '11502-2',
      confidentiality: ['N'],
      authorPersons: ['899700000099'],
      depositedBy: 'professional',
      feedingStructure: '1750099999',
      depositedAt: '2025-05-12T08:15:30.000Z',
      updatedAt: '2025-05-12T08:15:30.000Z',
    },
    changes,
  )
}

/** The declaration of a care-team member who has informed the patient of this episode. */
export const careTeam: ConsentDeclaration = { basis: 'care-team', informed: true, episode: 'E-118', means: 'oral' }
export const informed: ConsentDeclaration = { informed: true }

/** A request of the nurse about the patient, in the normal mode, with nothing declared. */
export function aRequest(operation: Operation, changes: Changes<AccessRequest> = {}): AccessRequest {
  return changed<AccessRequest>({ operation, caller: aNurse(), purpose: 'normal', declaration: {}, patient }, changes)
}

export function aPolicy(changes: Partial<Policy> = {}): Policy {
  return { ...strictPolicy, ...changes }
}
