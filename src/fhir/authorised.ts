/**
 * TD0.4: `GET Patient/$authorised?since=INSTANT[&by=document]`, a searchset of the Patients whose DMP the caller is
 * authorised to consult. What the DMP says of them is no source of identity.
 */
import type { HumanName, OperationOutcome, Patient } from '@medplum/fhirtypes'
import type { AuthorisedRecord } from '../operations/ports.ts'
import { linksOf } from './paging.ts'
import type { Exchange } from './parts.ts'
import { extensionBase, identifierOf, traits } from './patient.ts'
import { readSearch } from './search-query.ts'
import { alternatives, invalid, type Parameter, parseInstant, refuseModifier } from './search-values.ts'
import { type Match, sendSearchset } from './searchset.ts'

export const authorisedDefinition = 'https://dmp-gateway.example.org/fhir/OperationDefinition/Patient-authorised'

const known = {
  since: { type: 'date', documentation: 'Instant from which on; required.' },
  by: { type: 'token', documentation: 'authorisation (default): given since; document: a document came since.' },
} as const

export async function findAuthorised(exchange: Exchange): Promise<void> {
  const { parts, context, baseUrl, response, format, query } = exchange
  const search = readSearch(query, exchange, { known, sortable: {}, defaultOrder: { by: '', descending: false } })
  if (search.patientParameters.length > 0)
    throw invalid('patient', 'is not for this list, which is about all of them: leave it out.')
  const since = parseInstant('since', only(search.parameters, 'since') ?? '')
  const by = only(search.parameters, 'by') ?? 'authorisation'
  if (by !== 'authorisation' && by !== 'document') throw invalid('by', 'is authorisation or document.')
  const { records, unidentified } = await parts.operations.authorised({ by, since }, context)
  const links = linksOf(`${baseUrl}/Patient/$authorised`, search.used, undefined)
  await sendSearchset(
    response,
    format,
    { total: records.length, links },
    search.countOnly ? [] : matches(records, unidentified, exchange),
  )
}

function only(parameters: readonly Parameter[], name: string): string | undefined {
  const [parameter, ...others] = parameters.filter((each) => each.name === name)
  if (parameter === undefined) return undefined
  refuseModifier(parameter)
  const [value, ...more] = alternatives(parameter)
  if (others.length > 0 || more.length > 0) throw invalid(name, 'must be there once.')
  return value
}

function* matches(records: readonly AuthorisedRecord[], unidentified: number, exchange: Exchange): Generator<Match> {
  if (unidentified > 0) yield { resource: left(unidentified), mode: 'outcome' }
  for (const record of records) {
    const resource = toAuthorised(record, exchange)
    yield { ...(resource.id !== undefined && { fullUrl: `${exchange.baseUrl}/Patient/${resource.id}` }), resource }
  }
}

function left(unidentified: number): OperationOutcome {
  const text = `${unidentified} DMP sans identifiant national de santé : ils ne figurent pas dans la liste.`
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'incomplete', details: { text } }] }
}

function toAuthorised(record: AuthorisedRecord, { patientIds }: Exchange): Patient {
  const { patient, demographics, treatingPhysician, lastAccess, lastUpdate, lastAdd } = record
  const id = patientIds.toId(patient)
  const { name, ...others } = traits(demographics)
  const names = namesOf(name?.[0], demographics)
  const at = (url: string, valueDateTime: string | undefined) =>
    valueDateTime === undefined ? [] : [{ url: `${extensionBase}/${url}`, valueDateTime }]
  return {
    resourceType: 'Patient',
    ...(id !== undefined && { id }),
    extension: [
      { url: `${extensionBase}/dmp-medecin-traitant`, valueBoolean: treatingPhysician },
      ...at('dmp-dernier-acces', lastAccess),
      ...at('dmp-derniere-modification', lastUpdate),
      ...at('dmp-dernier-ajout', lastAdd),
    ],
    identifier: [identifierOf(patient)],
    active: true,
    ...(names.length > 0 && { name: names }),
    ...others,
  }
}

/** As FR Core has them: the birth name is the official one, the name used the usual one. */
function namesOf(name: HumanName | undefined, { birthFamily, prefix }: AuthorisedRecord['demographics']): HumanName[] {
  const titled = prefix === undefined ? name : { ...name, prefix: [prefix] }
  if (birthFamily === undefined) return titled === undefined ? [] : [titled]
  return [
    { ...titled, use: 'usual' },
    { ...name, use: 'official', family: birthFamily },
  ]
}
