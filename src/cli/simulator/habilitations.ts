/** TD0.3 and TD1.6 as the DMP answers them (DMP-SERVICES §2.4, §2.6). */
import { authorisationKey } from '../../dmp/embedded/authorisation.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import { escapeText } from '../../xml/writer.ts'
import { first, ns, textOf } from './check.ts'
import type { Admitted } from './gate.ts'
import { recordOf, type Service, type ServiceParts, timestamp, type Visit } from './services.ts'

const endpoint = 'urn:si-dmp-habilitations:HabilitationsEndPoint'
const ended = '2000-01-01T00:00:00.000Z'

export const setAuthorization: Service = async (request, parts) => {
  const { vihf, caller, body } = request
  const patient = vihf.patient as PatientKey
  const answer = (status: string, context: string) => ({
    action: `${endpoint}:setAuthorizationResponse`,
    body: `<h:setAuthorizationResponse xmlns:h="${ns.habilitations}"><h:output><h:status>${status}</h:status><h:context>${context}</h:context></h:output></h:setAuthorizationResponse>`,
  })
  const adds = textOf(first(body, ns.habilitations, 'action')) === 'AJOUT'
  // DMP-FACTS §1.2 note 1: what staff asks for is given to the structure
  const holder =
    caller.kind === 'staff' && caller.structure
      ? authorisationKey({ structure: caller.structure.id })
      : (caller.person?.id ?? vihf.nameId)
  const facts = await parts.embedded.dmp.status(patient, caller)
  if (facts === undefined) return answer('DMPNotFound', 'aucun DMP pour cet INS')
  if (facts.status === 'closed') return answer('DMPClosed', 'DMP fermé')
  if (facts.blocked) return answer('DMPAccessDeniedByRightsService', 'le patient interdit l’accès à ce professionnel')
  await parts.embedded.administration.authorise(
    patient,
    holder,
    adds ? undefined : ended,
    recordOf(request, patient, parts),
  )
  return answer('DMPOk', adds ? 'autorisation enregistrée' : 'autorisation supprimée')
}

export const listAuthorizationByPatient: Service = async ({ vihf, body }: Admitted, parts: ServiceParts) => {
  const patient = vihf.patient as PatientKey
  const asked = textOf(first(body, ns.habilitations, 'mode'))
  const answer = (list: string, status: string, context = '') => ({
    action: `${endpoint}:listAuthorizationByPatientResponse`,
    body: `<h:listAuthorizationByPatientResponse xmlns:h="${ns.habilitations}"><h:output>${list}<h:status>${status}</h:status><h:context>${context}</h:context></h:output></h:listAuthorizationByPatientResponse>`,
  })
  const settings = await parts.embedded.choices.inForce(patient)
  if (settings === undefined) return answer('', 'DMPNotFound', 'aucun DMP pour cet INS')
  const now = parts.clock.now().toISOString()
  const blocked = new Set(settings.blocked.map(({ person }) => person))
  const rows = [
    ...(asked === 'INTERDITE'
      ? []
      : settings.authorised.flatMap((each) =>
          'person' in each && !blocked.has(each.person) && (each.until ?? '~') > now
            ? [{ person: each.person, since: each.since ?? now, mode: 'ACTIVE' }]
            : [],
        )),
    ...(asked === 'ACTIVE'
      ? []
      : settings.blocked.map(({ person, since = now }) => ({ person, since, mode: 'INTERDITE' }))),
  ]
  const treating = settings.designated.find(({ role }) => role === 'treating')?.person
  return answer(
    rows.map((row) => entry(row, parts.visits.last(patient, row.person), row.person === treating)).join(''),
    'DMPOk',
  )
}

interface Row {
  readonly person: string
  readonly since: string
  readonly mode: string
}

/** Names and specialities are those under which the person last came: a simulator has no directory of professionals. */
function entry({ person, since, mode }: Row, last: Visit | undefined, treating: boolean): string {
  const [given = 'INCONNU', ...family] = (last?.caller.person?.name ?? '').split(' ').filter(Boolean)
  const profession = last?.caller.profession?.code
  const specialities = (last?.caller.specialities ?? []).flatMap(({ code, display = code }) => [
    field('codeSpeciality', `G15_${profession}/${code}`),
    field('libSpeciality', display),
  ])
  const fields = [
    field('nationalId', person),
    field('nationalIdType', '1.2.250.1.71.4.2.1'),
    field('firstName', given),
    field('lastName', family.join(' ') || 'INCONNU'),
    ...specialities.filter((each) => each.startsWith('<h:code')),
    ...specialities.filter((each) => each.startsWith('<h:lib')),
    field('startOfAuthorization', timestamp(since)),
    field('lastActionDate', timestamp(last?.at ?? since)),
    field('mode', mode),
    ...(treating ? [field('specificRight', 'MEDECIN_TRAITANT')] : []),
  ]
  return `<h:listOfAuthorizationByPatient>${fields.join('')}</h:listOfAuthorizationByPatient>`
}

function field(name: string, value: string): string {
  return `<h:${name}>${escapeText(value)}</h:${name}>`
}
