/** TD0.4 as the DMP answers it: the records that the caller may consult (DMP-SERVICES §2.5). */
import { type PatientKey, splitPatientKey } from '../../metadata/identifiers.ts'
import { escapeText } from '../../xml/writer.ts'
import { first, ns, textOf } from './check.ts'
import type { Admitted } from './gate.ts'
import { type Service, type ServiceParts, timestamp } from './services.ts'

export const patientList: Service = async (request, parts) => {
  const from = textOf(first(request.body, ns.patients, 'startDate'))
  const byDocument = textOf(first(request.body, ns.patients, 'dateType')) === 'LASTDOC'
  const rows: string[] = []
  for (const patient of parts.patients) {
    const row = await rowOf(request, parts, patient, { from, byDocument })
    if (row !== undefined) rows.push(row)
  }
  return {
    action: 'urn:si-dmp-patients:PatientSpecificEndPoint:patientListResponse',
    body: `<p:patientListResponse xmlns:p="${ns.patients}"><p:output>${rows.join('')}<p:status>DMPOk</p:status></p:output></p:patientListResponse>`,
  }
}

async function rowOf(
  { caller, vihf }: Admitted,
  parts: ServiceParts,
  patient: PatientKey,
  { from, byDocument }: { readonly from: string; readonly byDocument: boolean },
): Promise<string | undefined> {
  const { dmp, choices } = parts.embedded
  const settings = await choices.inForce(patient)
  const facts = await dmp.status(patient, caller)
  if (settings === undefined || facts?.status !== 'active' || facts.blocked) return undefined
  const now = parts.clock.now().toISOString()
  // A structure is told of what was given to it, a professional of what was given to them (DMP-FACTS §1.2, note 2)
  const own = settings.authorised.find(
    (each) =>
      (vihf.mode === 'INDIRECTE' || caller.kind === 'staff'
        ? 'structure' in each && each.structure === vihf.structure
        : 'person' in each && each.person === caller.person?.id) && (each.until ?? '~') > now,
  )
  if (own === undefined) return undefined
  const { documents } = await dmp.find({
    ...{ kind: 'FindDocuments', patient, criteria: {} },
    statuses: ['Approved', 'Deprecated', 'Archived', 'Deleted'],
  })
  const since = own.since ?? now
  const added = documents
    .map(({ depositedAt }) => depositedAt)
    .sort()
    .at(-1)
  const updated = documents
    .map(({ updatedAt }) => updatedAt)
    .sort()
    .at(-1)
  const decisive = byDocument ? added : since
  if (decisive === undefined || timestamp(decisive) < from) return undefined
  const last = parts.visits.last(patient, vihf.nameId)
  const demographics = await dmp.demographics(patient)
  const { authority, id } = splitPatientKey(patient)
  const fields = [
    `<p:patientIdentifier>${field('nationalId', id)}${field('nationalIdType', authority)}</p:patientIdentifier>`,
    field('lastName', demographics?.family ?? 'INCONNU'),
    field('firstName', demographics?.given[0] ?? 'INCONNU'),
    field('dateOfBirth', (demographics?.birthDate ?? '').replaceAll('-', '')),
    field('MT', String(facts.treatingPhysician)),
    field('message', 'false'),
    field('lastAccessDate', timestamp(last?.at ?? since)),
    field('lastUpdateDate', timestamp(updated ?? since)),
    field('lastAddDate', timestamp(added ?? since)),
  ]
  return `<p:patientlistData>${fields.join('')}</p:patientlistData>`
}

function field(name: string, value: string): string {
  return `<p:${name}>${escapeText(value)}</p:${name}>`
}
