/**
 * A whole gateway for a test: in this process, on a free port, with data of its own, its development issuer at hand, and
 * a client for each door.
 *
 *   const gateway = await openGateway()
 *   const patient = await gateway.patient()
 *   await gateway.fhirDoor.feed(people.structure, aDocument(patient), { consent: declared.informed })
 *   await gateway.close()
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LocalIssuer, openLocalIssuer } from '../../src/identity/issuer.ts'
import { type IdentityOptions, mintJwt, mintVihf } from '../../src/identity/mint.ts'
import { type Gateway, startGateway } from '../../src/main.ts'
import type { PatientKey } from '../../src/metadata/identifiers.ts'
import type { AccessRecord } from '../../src/operations/ports.ts'
import { loadConfig } from '../../src/server/config.ts'
import { type Door, fhirDoor, xdsDoor } from './door.ts'
import { FhirClient } from './fhir-client.ts'
import { aPatient, people, type TestPatient } from './people.ts'
import { suiteLog } from './suite-log.ts'
import { accessesOf } from './trace.ts'
import { XdsClient } from './xds-client.ts'

export * from './documents.ts'
export * from './door.ts'
export * from './people.ts'

/** Clients of a gateway wherever it runs, as long as its data folder is at hand. */
export interface Clients {
  readonly url: string
  readonly issuer: LocalIssuer
  readonly fhir: FhirClient
  readonly xds: XdsClient
  readonly fhirDoor: Door
  readonly xdsDoor: Door
  readonly doors: readonly Door[]
  /** A patient of this test alone, with an open record. @param demographics of the FHIR Patient: birthDate, name */
  patient(demographics?: object): Promise<TestPatient>
}

export async function createClients(url: string, data: string): Promise<Clients> {
  const issuer = await openLocalIssuer(data)
  const fhir = new FhirClient(url, (who) => mintJwt(issuer, who))
  const xds = new XdsClient(url, (who) => mintVihf(issuer, who))
  const doors = { fhirDoor: fhirDoor(fhir), xdsDoor: xdsDoor(xds) }
  return {
    url,
    issuer,
    fhir,
    xds,
    ...doors,
    doors: Object.values(doors),
    async patient(demographics) {
      const patient = aPatient()
      const { status } = await fhir.open(people.structure, patient, demographics)
      if (status !== 201) throw new Error(`the record of a new patient was not opened: ${status}`)
      return patient
    },
  }
}

export interface TestGateway extends Clients, AsyncDisposable {
  readonly data: string
  readonly embedded: Gateway['embedded']
  readonly reload: Gateway['reload']
  /** Access records of a patient, newest first, as the trace has them. */
  records(patient: TestPatient): Promise<readonly AccessRecord[]>
  /** A record for a change made on the embedded DMP itself: `administration.block(patient.key, '8997…', change(patient))`. */
  change(patient: TestPatient): AccessRecord
  close(): Promise<void>
}

/** @param overrides configuration by dotted key: `{ 'access.brainDeath': 'allow' }` */
export async function openGateway(overrides: Readonly<Record<string, unknown>> = {}): Promise<TestGateway> {
  const data = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-test-'))
  const config = loadConfig({ overrides: { data, 'server.port': 0, 'log.level': 'debug', ...overrides } })
  const gateway = await startGateway(config, suiteLog)
  const clients = await createClients(gateway.url, data)
  const close = async () => {
    await gateway.close()
    await rm(data, { recursive: true, force: true })
  }
  return {
    ...clients,
    data,
    embedded: gateway.embedded,
    reload: () => gateway.reload(),
    records: ({ key }) => accessesOf(gateway.embedded.trace, { patient: key }),
    change: ({ key }) => changeRecord(key),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function changeRecord(patient: PatientKey): AccessRecord {
  return {
    id: randomUUID(),
    at: new Date().toISOString(),
    operation: 'open',
    door: 'cli',
    transaction: 'test',
    requestId: randomUUID(),
    caller: {
      kind: 'patient',
      authentication: 'direct',
      specialities: [],
      regulation: false,
      secretConnection: false,
      proof: 'jwt',
      patient,
    },
    purpose: 'normal',
    declaration: {},
    patient,
    documents: [],
    outcome: 'permitted',
    effects: { notifications: [] },
  }
}

export type { IdentityOptions }
