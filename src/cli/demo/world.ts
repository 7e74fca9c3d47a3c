/** The demo's world: a gateway of its own on a free port, the invented people of ihe-samples, and clients for both doors. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client as FhirClient } from 'fhir-kit-client'
import type { EmbeddedDmp } from '../../dmp/embedded/index.ts'
import { type LocalIssuer, openLocalIssuer } from '../../identity/issuer.ts'
import { type IdentityOptions, mintJwt, mintVihf } from '../../identity/mint.ts'
import { type Gateway, startGateway } from '../../main.ts'
import { patientKey } from '../../metadata/identifiers.ts'
import { loadConfig } from '../../server/config.ts'
import { createSpool } from '../../spool/index.ts'
import type { SoapMessage } from '../../xds/soap/message.ts'
import { settingsFor, startSimulator } from '../simulator/index.ts'
import { pdsmSettingsFor, startPdsmDmp } from '../simulator/pdsm.ts'
import { type Part, sendSoap } from './soap.ts'

const samples = path.resolve(import.meta.dirname, '../../../ihe-samples')

/** INS of the two invented patients. */
export const laurent = '260059999999999'
export const garnier = '185029999999999'
export const insSystem = '1.2.250.1.213.1.4.10'

export const people = {
  structure: { kind: 'structure' },
  dupont: { name: 'DUPONT Anne', id: '899700000001', specialities: ['SM26'] },
  benali: { name: 'BENALI Karim', id: '899700000002', specialities: ['SM59'] },
  moreau: { name: 'MOREAU Julie', id: '899700000003', profession: '60' },
  patient: { kind: 'patient', ins: laurent },
} as const satisfies Record<string, IdentityOptions>

export interface FhirAnswer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** The body as JSON, or undefined when it is none. */
  readonly json: Json | undefined
}

/** JSON read by path: `at(bundle, 'entry', 0, 'resource', 'id')`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export function at(value: Json | undefined, ...keys: readonly (string | number)[]): Json | undefined {
  let node: Json | undefined = value
  for (const key of keys) {
    if (node === null || typeof node !== 'object') return undefined
    node = (node as Record<string | number, Json>)[key]
  }
  return node
}

export interface World {
  readonly gateway: Gateway
  /** The DMP itself, wherever it is. */
  readonly dmp: EmbeddedDmp
  /** ITI-104 where the gateway holds the DMP; at the far end it is opened there. Gives the HTTP status, or what it would be. */
  openRecord(ins: string, body: Buffer): Promise<number>
  sample(name: string): Promise<Buffer>
  /** ITI-67 through a FHIR client that shares no code with the gateway. */
  search(who: IdentityOptions, parameters: Readonly<Record<string, string>>, consent: string): Promise<Json>
  fhir(
    who: IdentityOptions,
    method: string,
    target: string,
    options?: { readonly consent?: string | undefined; readonly body?: Buffer | string; readonly accept?: string },
  ): Promise<FhirAnswer>
  xds(
    who: IdentityOptions,
    endpoint: 'registry' | 'repository',
    envelope: string,
    parts?: readonly Part[],
  ): Promise<SoapMessage>
  close(): Promise<void>
}

export type Connector = 'national' | 'fhir'

/** The DMP at the far end of a connector, on this machine. */
async function farEndOf(connector: Connector, directory: string) {
  if (connector === 'national') {
    const farEnd = await startSimulator(directory)
    return { ...farEnd, settings: settingsFor(farEnd) }
  }
  const farEnd = await startPdsmDmp(directory)
  return { ...farEnd, settings: pdsmSettingsFor(farEnd) }
}

/** @param connector the DMP stands at the far end of it; absent: it is embedded */
export async function createWorld({ connector }: { readonly connector?: Connector } = {}): Promise<World> {
  const data = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-demo-'))
  const farEnd = connector && (await farEndOf(connector, path.join(data, 'far-end')))
  const gateway = await startGateway(
    loadConfig({
      overrides: { data, 'server.port': 0, 'log.level': 'error', ...farEnd?.settings },
    }),
  )
  const issuer: LocalIssuer = await openLocalIssuer(data)
  const spool = createSpool({ directory: path.join(data, 'client-spool'), maxBytes: 64 * 1024 * 1024 })
  const fhir: World['fhir'] = async (who, method, target, { consent, body, accept } = {}) => {
    const url = target.startsWith('http') ? target : `${gateway.url}/fhir${target}`
    const response = await fetch(url, {
      method,
      headers: {
        Authorization: `Bearer ${await mintJwt(issuer, who)}`,
        ...(consent !== undefined && { 'DMP-Consent': consent }),
        ...(body !== undefined && { 'Content-Type': 'application/fhir+json' }),
        ...(accept !== undefined && { Accept: accept }),
      },
      ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    return { status: response.status, headers: response.headers, bytes, json: parse(bytes) }
  }
  return {
    gateway,
    dmp: farEnd?.embedded ?? gateway.embedded,
    async openRecord(ins, body) {
      if (farEnd === undefined)
        return (await fhir(people.structure, 'PUT', `/Patient?identifier=urn:oid:${insSystem}%7C${ins}`, { body }))
          .status
      const birthDate = at(parse(body), 'birthDate')
      const demographics = { given: [], ...(typeof birthDate === 'string' && { birthDate }) }
      return (await farEnd.open(patientKey(insSystem, ins), demographics)) === 'created' ? 201 : 200
    },
    sample: (name) => readFile(path.join(samples, name)),
    async search(who, searchParams, consent) {
      const client = new FhirClient({ baseUrl: `${gateway.url}/fhir`, bearerToken: await mintJwt(issuer, who) })
      const found = await client.search({
        resourceType: 'DocumentReference',
        searchParams,
        options: { headers: { 'DMP-Consent': consent } },
      })
      return found as unknown as Json
    },
    fhir,
    xds: (who, endpoint, envelope, parts = []) =>
      sendSoap(`${gateway.url}/xds/${endpoint}`, envelope, mintVihf(issuer, { ins: laurent, ...who }), spool, parts),
    async close() {
      await gateway.close()
      await farEnd?.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}

function parse(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString('utf8')) as Json
  } catch {
    return undefined
  }
}

export function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}
