/** The patient's choices and a professional's own authorisation (TD0.3) as Consents; read they are TD1.3a and TD1.6. */
import type { Consent } from '@medplum/fhirtypes'
import type { Caller } from '../access/caller.ts'
import { GatewayError } from '../errors.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import { sendResource } from './answer.ts'
import { readForm, readResource } from './body.ts'
import { type PersonProvision, type ReadProvision, readConsent } from './consent-reader.ts'
import { shapes } from './consent-terms.ts'
import { consentsOf, consentWriter, parseConsentId } from './consent-writer.ts'
import { linksOf, type Query } from './paging.ts'
import type { Exchange } from './parts.ts'
import { parseQuery } from './query.ts'
import { patientOf, patientOfResource } from './search-patient.ts'
import { readSearch } from './search-query.ts'
import { alternatives, parseToken, refuseModifier } from './search-values.ts'
import { sendSearchset } from './searchset.ts'

export const consentParameters = {
  status: { type: 'token', documentation: 'active: every Consent here is in force.' },
  category: { type: 'token', documentation: 'http://loinc.org|59284-0.' },
} as const

/** `POST Consent`: 201; the choice received last is in force, whatever dateTime says. */
export async function createConsent(exchange: Exchange): Promise<void> {
  const { request, response, parts, patientIds, baseUrl, format } = exchange
  const body = await readResource(request, parts)
  try {
    const resource = asConsent(body.resource)
    const patient = patientOfResource(resource.patient, 'Consent.patient', exchange)
    const read = readConsent(resource)
    const write = consentWriter(patient, patientIds.toId(patient))
    const answer = await settle(exchange, patient, read, write)
    sendResource(response, 201, answer, format, {
      ...(answer.id !== undefined && { Location: `${baseUrl}/Consent/${answer.id}` }),
    })
  } finally {
    await body.dispose()
  }
}

async function settle(
  { parts: { operations }, context }: Exchange,
  patient: PatientKey,
  read: ReadProvision,
  write: ReturnType<typeof consentWriter>,
): Promise<Consent> {
  if ('choice' in read) {
    const { choice } = read
    await operations.choose(patient, choice, context)
    const shape = shapes.find((each) => choice.kind === 'choice' && each.choice === choice.choice)
    if (shape === undefined || choice.kind !== 'choice') throw new GatewayError('internal')
    return write.general(shape, choice.value)
  }
  const { person, permit, until } = read
  if (isOwn(context.caller, read)) {
    await operations.authorise(patient, permit ? 'add' : 'remove', context, until)
    return write.person('authorisation', read)
  }
  if (until !== undefined)
    throw new GatewayError({
      code: 'profile-violation',
      location: 'Consent.provision.period',
      detail: 'A professional is blocked or unblocked until the next choice: leave period out.',
    })
  await operations.choose(patient, { kind: permit ? 'unblock' : 'block', person }, context)
  return write.person('block', { person, permit })
}

/** A professional who names himself declares an authorisation, and never blocks. */
function isOwn({ kind, person }: Caller, provision: PersonProvision): boolean {
  return (kind === 'professional' || kind === 'staff') && person?.id === provision.person
}

function asConsent(resource: { readonly resourceType: string }): Consent {
  if (!isConsent(resource))
    throw new GatewayError({ code: 'malformed', location: resource.resourceType, detail: 'Send a Consent.' })
  return resource
}

/** checkStructure has seen that it is what its type says. */
function isConsent(resource: { readonly resourceType: string }): resource is Consent {
  return resource.resourceType === 'Consent'
}

export async function findConsents(exchange: Exchange): Promise<void> {
  await search(exchange, exchange.query)
}

/** POST: the INS stays out of the URL (FHIR R4 http.html#search). */
export async function findConsentsByPost(exchange: Exchange): Promise<void> {
  await search(exchange, [...exchange.query, ...parseQuery(await readForm(exchange.request))])
}

async function search(exchange: Exchange, query: Query): Promise<void> {
  const { response, format, baseUrl } = exchange
  const asked = readSearch(query, exchange, {
    known: consentParameters,
    sortable: {},
    defaultOrder: { by: '', descending: false },
  })
  const patient = patientOf(asked.patientParameters, exchange)
  const matches = await inForce(exchange, patient)
  const kept = matches.filter((consent) =>
    asked.parameters.every((parameter) => {
      refuseModifier(parameter)
      const codes = alternatives(parameter).map((value) => parseToken(value).code)
      const own = parameter.name === 'status' ? consent.status : consent.category?.[0]?.coding?.[0]?.code
      return codes.includes(own)
    }),
  )
  await sendSearchset(
    response,
    format,
    { total: kept.length, links: linksOf(`${baseUrl}/Consent`, asked.used, undefined) },
    asked.countOnly ? [] : kept.map((resource) => ({ fullUrl: `${baseUrl}/Consent/${resource.id ?? ''}`, resource })),
  )
}

export async function readConsentById(exchange: Exchange): Promise<void> {
  const { request, response, patientIds, format } = exchange
  const id = String(request.params.id)
  const patient = patientIds.fromId(parseConsentId(id)?.patientId ?? '')
  const found = patient && (await inForce(exchange, patient)).find((consent) => consent.id === id)
  if (found === undefined) throw new GatewayError('not-found', { detail: 'No Consent is in force under this id.' })
  sendResource(response, 200, found, format)
}

async function inForce({ parts, context, patientIds }: Exchange, patient: PatientKey): Promise<Consent[]> {
  const settings = await parts.operations.settings(patient, context)
  const { kind, person } = context.caller
  return consentsOf(settings, consentWriter(patient, patientIds.toId(patient)), {
    caller: kind === 'professional' || kind === 'staff' ? person?.id : undefined,
    now: new Date().toISOString(),
  })
}
