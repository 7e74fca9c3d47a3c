/**
 * A FHIR server that is not this product and knows nothing of France: numbers for ids, resources as they came, subjects by
 * reference, no entryUUIDs, no Consents, no isArchived, few search parameters. What a DMP on an off-the-shelf server would
 * be like.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Bundle, DocumentReference, Identifier, Patient, Resource } from '@medplum/fhirtypes'
import { applyPatch, type Operation } from 'rfc6902'
import type { SimulatorKeys } from '../../src/cli/simulator/keys.ts'
import type { TestPatient } from './people.ts'

export interface PlainServer {
  /** `https://localhost:PORT/r4` */
  readonly baseUrl: string
  /** By `TYPE/ID`. */
  readonly stored: ReadonlyMap<string, Resource>
  admit(patient: TestPatient): void
  close(): Promise<void>
}

type Stored = Resource & { id: string }
/** What DocumentReference and List are searched by. */
interface Kept {
  readonly subject?: { readonly reference?: string; readonly identifier?: Identifier }
  readonly status?: string
  readonly masterIdentifier?: Identifier
  readonly identifier?: Identifier[]
}
const json = { 'content-type': 'application/fhir+json;charset=UTF-8' }

export async function startPlainServer(keys: SimulatorKeys): Promise<PlainServer> {
  const stored = new Map<string, Stored>()
  let last = 0
  const put = (resource: Resource): Stored => {
    const kept = { ...resource, id: String(++last), meta: { ...resource.meta, versionId: '1' } } as Stored
    stored.set(`${kept.resourceType}/${kept.id}`, kept)
    return kept
  }
  const patientOf = ({ system, value }: Identifier) =>
    [...stored.values()].find(
      (each): each is Stored & Patient =>
        each.resourceType === 'Patient' &&
        each.identifier?.some((own) => own.system === system && own.value === value) === true,
    )

  /** Ids first, so that references inside can be rewritten, as servers do. */
  const transact = ({ entry = [] }: Bundle): Bundle => {
    const ids = entry.map(({ resource, fullUrl }) => {
      const { resourceType = '' } = resource ?? {}
      return { fullUrl: fullUrl ?? '', reference: `${resourceType}/${++last}` }
    })
    const text = ids.reduce(
      (all, { fullUrl, reference }) => (fullUrl === '' ? all : all.replaceAll(`"${fullUrl}"`, `"${reference}"`)),
      JSON.stringify(entry.map(({ resource }) => resource)),
    )
    const resources = JSON.parse(text) as Resource[]
    const answers = resources.map((resource, index) => {
      const { reference = '' } = ids[index] ?? {}
      const target = entry[index]?.request
      if (target?.method === 'PATCH') {
        const patched = stored.get(target.url) as (Stored & DocumentReference) | undefined
        if (patched) patched.status = 'superseded'
        return { response: { status: '200', location: target.url } }
      }
      const named = (resource as Kept).subject?.identifier
      const subject = named && patientOf(named)
      stored.set(reference, {
        ...resource,
        id: reference.split('/')[1] ?? '',
        meta: { versionId: '1' },
        // By reference alone
        ...(subject && { subject: { reference: `Patient/${subject.id}` } }),
      } as Stored)
      return { response: { status: '201 Created', location: `${baseUrl}/${reference}/_history/1` } }
    })
    return { resourceType: 'Bundle', type: 'transaction-response', entry: answers }
  }

  const search = (type: string, parameters: URLSearchParams): Bundle => {
    const token = (value: string | null): Identifier => {
      const [system = '', id = ''] = (value ?? '').split('|')
      return { system, value: id }
    }
    const named = parameters.get('patient.identifier')
    const patient = named === null ? undefined : patientOf(token(named))
    const identifiers = parameters.get('identifier')?.split(',').map(token)
    const statuses = parameters.get('status')?.split(',')
    const matches = [...stored.values()].filter((resource) => {
      if (resource.resourceType !== type) return false
      const { subject, status, masterIdentifier, identifier = [] } = resource as Stored & Kept
      const own = [...(masterIdentifier ? [masterIdentifier] : []), ...[identifier].flat()]
      return (
        (named === null || (patient !== undefined && subject?.reference === `Patient/${patient.id}`)) &&
        (statuses === undefined || statuses.includes(String(status))) &&
        (identifiers === undefined ||
          own.some(({ system, value }) => identifiers.some((each) => each.system === system && each.value === value)))
      )
    })
    // One a page: the links are the server's own business
    const at = Number(parameters.get('_page') ?? 0)
    parameters.set('_page', String(at + 1))
    const next = at + 1 < matches.length ? [{ relation: 'next', url: `${baseUrl}/${type}?${parameters}` }] : []
    const page = matches.slice(at, at + 1).map((resource) => ({ resource, search: { mode: 'match' as const } }))
    return { resourceType: 'Bundle', type: 'searchset', link: next, ...(page.length > 0 && { entry: page }) } as Bundle
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const { pathname, searchParams } = new URL(request.url ?? '', baseUrl)
    const send = (value: unknown, status = 200) => response.writeHead(status, json).end(JSON.stringify(value))
    const [type = '', id = ''] = pathname.slice('/r4'.length).split('/').filter(Boolean)
    const found = stored.get(`${type}/${id}`)
    if (type === 'metadata') return void send(capabilities)
    if (type === '' && request.method === 'POST') return void send(transact(JSON.parse(body) as Bundle))
    if (id === '_search') return void send(search(type, new URLSearchParams(body)))
    if (id === '') return void send(search(type, searchParams))
    if (found === undefined)
      return void send({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-found' }] }, 404)
    if (request.method === 'PATCH') {
      applyPatch(found, JSON.parse(body) as Operation[])
      found.meta = { ...found.meta, versionId: String(Number(found.meta?.versionId) + 1) }
      return void send(found)
    }
    if (found.resourceType !== 'Binary') return void send(found)
    response.writeHead(200, { 'content-type': found.contentType }).end(Buffer.from(found.data ?? '', 'base64'))
  }

  const server = createServer(
    { key: keys.serverKey, cert: keys.serverCertificate, ca: keys.clientCertificate, requestCert: true },
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const baseUrl = `https://localhost:${(server.address() as AddressInfo).port}/r4`
  return {
    baseUrl,
    stored,
    admit({ authority, ins }) {
      put({ resourceType: 'Patient', active: true, identifier: [{ system: `urn:oid:${authority}`, value: ins }] })
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const interactions = (...codes: string[]) => codes.map((code) => ({ code }))
const capabilities = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  fhirVersion: '4.0.1',
  rest: [
    {
      mode: 'server',
      interaction: interactions('transaction'),
      resource: [
        {
          type: 'DocumentReference',
          interaction: interactions('read', 'search-type', 'patch'),
          searchParam: ['patient', 'identifier', 'status'].map((name) => ({ name, type: 'token' })),
        },
        { type: 'List', interaction: interactions('read', 'search-type') },
        { type: 'Patient', interaction: interactions('read', 'search-type') },
        { type: 'Binary', interaction: interactions('read') },
      ],
    },
  ],
}
