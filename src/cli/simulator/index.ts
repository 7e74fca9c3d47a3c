/**
 * A DMP on this machine for the demo and the tests: an embedded DMP served under the national paths, with mutual TLS and
 * verified VIHF. Patient and authorisation services are written from the description of the wire alone and share nothing
 * with the connector; the ITI transactions are read by the XDS.b door, whose rules are those of the DMP.
 *
 *   index      the server, its doors and the people it knows
 *   services   TD0.2, TD1.3a, TD0.3
 *   keys       certificates for both sides, made on the spot
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { strictPolicy } from '../../access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../dmp/embedded/index.ts'
import { createIdentity } from '../../identity/index.ts'
import { type PatientKey, toOid } from '../../metadata/identifiers.ts'
import { createOperations } from '../../operations/index.ts'
import type { AccessRecord, Demographics, Identity } from '../../operations/ports.ts'
import { createSpool } from '../../spool/index.ts'
import { createXdsDoor } from '../../xds/index.ts'
import { makeKeys, type SimulatorKeys } from './keys.ts'
import { createServices } from './services.ts'

export interface Simulator {
  /** `https://localhost:PORT/si-dmp-server/v2/services` */
  readonly baseUrl: string
  readonly keys: SimulatorKeys
  readonly embedded: EmbeddedDmp
  /** The DMP of a patient, opened at the far end. */
  open(patient: PatientKey, demographics: Demographics): Promise<'created' | 'updated'>
  /** Requests so far: the service and who its VIHF presented, as `repository INDIRECTE 899700000001`. */
  readonly seen: readonly string[]
  close(): Promise<void>
}

const services = '/si-dmp-server/v2/services/'
const clock = { now: () => new Date() }
const limits = { maxMetadataBytes: 16 * 1024 * 1024, maxDocumentBytes: 512 * 1024 * 1024, maxParts: 512 }

export async function startSimulator(directory: string): Promise<Simulator> {
  const keys = await makeKeys(path.join(directory, 'keys'))
  const repositoryUniqueId = toOid('1.2.250.1.213.4.1.1.1.2')
  const embedded = await openEmbeddedDmp({ directory: path.join(directory, 'dmp'), repositoryUniqueId, clock })
  const spool = createSpool({ directory: path.join(directory, 'dmp-spool'), maxBytes: limits.maxDocumentBytes })
  const seen: string[] = []
  const identity = witnessed(
    await createIdentity({ mode: 'development', trustedVihf: [{ certificate: keys.signature.certificate }] }),
    seen,
  )
  // Who may consult is what TD0.3 has settled; whether the patient was informed is known where the patient is
  const policy = { ...strictPolicy, authorisationSuffices: true }
  const { dmp, trace, choices } = embedded
  const operations = createOperations({ dmp, trace, choices, clock, policy })
  const log = { info() {}, warn() {}, error() {} }
  const door = createXdsDoor({
    ...{ operations, identity, spool, limits, log, repositoryUniqueId },
    profile: 'ci-sis',
    xsd: 'strict',
  })
  const { patients, habilitations } = createServices({ embedded, identity, spool, clock })
  const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>> = {
    patients,
    habilitations,
    registry: (request, response) => door.registry(request, response),
    repository(request, response) {
      request.headers['dmp-consent'] = 'informed=?1'
      return door.repository(request, response)
    },
  }
  const tls = { key: keys.serverKey, cert: keys.serverCertificate, ca: keys.clientCertificate }
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const url = request.url ?? ''
    const name = url.startsWith(services) ? url.slice(services.length) : ''
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined
    if (route === undefined) {
      response.writeHead(404).end()
      return
    }
    seen.push(name)
    route(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `https://localhost:${port}${services.slice(0, -1)}`,
    keys,
    embedded,
    seen,
    open: (patient, demographics) => embedded.dmp.open(patient, demographics, openingOf(patient)),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await embedded.close()
    },
  }
}

/** Notes with the request under way whom its assertion presents. */
function witnessed(identity: Identity, seen: string[]): Identity {
  return {
    ...identity,
    async fromAssertion(source, presentation) {
      const caller = await identity.fromAssertion(source, presentation)
      const mode = caller.authentication === 'air' ? 'INDIRECTE_RENFORCEE' : 'INDIRECTE'
      seen.push(`${mode} ${caller.person?.id ?? caller.structure?.id} ${caller.patient ?? ''}`.trim())
      return caller
    },
  }
}

function openingOf(patient: PatientKey): AccessRecord {
  return {
    id: randomUUID(),
    at: clock.now().toISOString(),
    operation: 'open',
    door: 'cli',
    transaction: 'simulator',
    requestId: randomUUID(),
    caller: {
      ...{ kind: 'system', authentication: 'direct', specialities: [], regulation: false },
      ...{ secretConnection: false, proof: 'jwt' },
    },
    purpose: 'normal',
    declaration: {},
    patient,
    documents: [],
    outcome: 'permitted',
    effects: { notifications: [] },
  }
}

/** `dmp.*` of a gateway that speaks to this simulator, as configuration by dotted key. */
export function settingsFor({ baseUrl, keys }: Simulator): Readonly<Record<string, unknown>> {
  return {
    'dmp.kind': 'national',
    'dmp.national': {
      baseUrl,
      authentication: keys.authentication,
      signature: keys.signature,
      authorities: [keys.authority],
      structure: { id: '1010099999', name: 'CH EXEMPLE', sector: 'SA01' },
      responsible: { id: '899700000001', name: 'DUPONT Anne' },
      software: { oid: '1.2.250.1.999.77', homologation: 'TEST-0000' },
    },
  }
}
