/** TD0.2: the Patient of the DMP (PDSm4DMP: active, dmp-fermeture, dmp-medecin-traitant), never a source of identity. */
import type { Extension, Patient } from '@medplum/fhirtypes'
import type { AuthorisationStatus } from '../../access/types.ts'
import { type PatientKey, patientKey, splitPatientKey } from '../../metadata/identifiers.ts'
import { fromFhirSystem } from '../../nomenclature/index.ts'
import { type AnsweredResource, asResource, invalid } from './answers.ts'
import type { FhirPeer } from './client.ts'
import { RefusedByDmp } from './outcome.ts'

export interface PatientStatus {
  /** Of the Patient at the DMP, which its documents may name. */
  readonly id: string | undefined
  readonly status: 'active' | 'closed'
  readonly closedAt?: string
  /** Undefined where the DMP does not say. */
  readonly treatingPhysician: boolean | undefined
  readonly authorisation: AuthorisationStatus | undefined
  readonly birthDate?: string
}

/** Undefined when there is no DMP. @throws GatewayError dmp-answer-invalid */
export async function askStatus(peer: FhirPeer, patient: PatientKey): Promise<PatientStatus | undefined> {
  const { authority, id } = splitPatientKey(patient)
  const found = await orUnknown(
    peer.search({ transaction: 'TD0.2', use: 'person', patient }, 'Patient', {
      identifier: `urn:oid:${authority}|${id}`,
    }),
  )
  const [first, ...others] = found
  if (first === undefined) return undefined
  if (others.length > 0) throw invalid('it has several Patients for one identifier')
  return readPatient(asResource(first, 'Patient'), patient)
}

/** Some servers refuse to search for whom they do not know. */
async function orUnknown(asked: Promise<readonly AnsweredResource[]>): Promise<readonly AnsweredResource[]> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof RefusedByDmp && error.code === 'dmp-unknown') return []
    throw error
  }
}

const authorisations: readonly string[] = ['VALIDE', 'EXPIRE', 'INTERDIT', 'NON_EXISTE'] satisfies AuthorisationStatus[]

function readPatient(resource: Patient, asked: PatientKey): PatientStatus {
  const isAsked = ({ system, value }: NonNullable<Patient['identifier']>[number]) =>
    system !== undefined && value !== undefined && patientKey(fromFhirSystem(system), value) === asked
  if (!resource.identifier?.some(isAsked)) throw invalid('it is about another patient')
  if (resource.active === undefined) throw invalid('the Patient in it does not say whether the DMP is open')
  const closure = extensionOf(resource.extension, 'dmp-fermeture')
  const closedAt = extensionOf(closure?.extension, 'dateFermeture')?.valueDateTime
  const authorisation = extensionOf(resource.extension, 'dmp-statut-autorisation')?.valueCode
  if (authorisation !== undefined && !authorisations.includes(authorisation))
    throw invalid('dmp-statut-autorisation is no status of an authorisation')
  return {
    id: resource.id,
    status: resource.active ? 'active' : 'closed',
    ...(closedAt !== undefined && { closedAt }),
    treatingPhysician: extensionOf(resource.extension, 'dmp-medecin-traitant')?.valueBoolean,
    authorisation: authorisation as AuthorisationStatus | undefined,
    ...(/^\d{4}-\d{2}-\d{2}$/.test(resource.birthDate ?? '') && { birthDate: String(resource.birthDate) }),
  }
}

/** By the last step of its URL: the guides are drafts, and their canonical URLs move. */
function extensionOf(extensions: readonly Extension[] | undefined, name: string): Extension | undefined {
  return extensions?.find(({ url }) => url === name || url.endsWith(`/${name}`))
}
