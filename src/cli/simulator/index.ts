import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { strictPolicy } from '../../access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../dmp/embedded/index.ts'
import { createIdentity } from '../../identity/index.ts'
import { type PatientKey, toOid } from '../../metadata/identifiers.ts'
import { createOperations } from '../../operations/index.ts'
import type { Demographics, Dmp } from '../../operations/ports.ts'
import { createSpool } from '../../spool/index.ts'
import { createXdsDoor } from '../../xds/index.ts'
import { actRecord } from '../act.ts'
import { answer } from './answers.ts'
import type { ServiceName } from './frame.ts'
import { createGate } from './gate.ts'
import { listAuthorizationByPatient, setAuthorization } from './habilitations.ts'
import { makeKeys, type SimulatorKeys } from './keys.ts'
import { patientQuery } from './patients.ts'
import { patientList } from './patients-specific.ts'
import { type Service, Visits } from './services.ts'
import type { Td } from './vihf.ts'

export interface Simulator {
  /** `https://localhost:PORT/si-dmp-server/v2/services` */
  readonly baseUrl: string
  readonly keys: SimulatorKeys
  readonly embedded: EmbeddedDmp
  /** The DMP of a patient, opened at the far end. */
  open(patient: PatientKey, demographics: Demographics): Promise<'created' | 'updated'>
  /** Requests so far: the service and who its VIHF presented, as `repository INDIRECTE 899700000001`. */
  readonly seen: readonly string[]
  /** Requests so far that broke no rule. */
  readonly calls: readonly SeenCall[]
  close(): Promise<void>
}

export interface SeenCall {
  readonly service: ServiceName
  readonly td: Td
  /** `INDIRECTE` or `INDIRECTE_RENFORCEE`. */
  readonly mode: string
  /** PS_IdNat. */
  readonly person: string
  /** Patient key; absent where the VIHF names none. */
  readonly patient?: string
}

export interface SimulatorOptions {
  /** Struct_IdNat of sites that the legal entity of the certificates answers for. */
  readonly sites?: readonly string[]
  /** The answer to a call waits for this. */
  readonly pace?: (call: SeenCall) => Promise<void>
}

const services = '/si-dmp-server/v2/services/'
const names: readonly ServiceName[] = ['patients', 'patientsSpecific', 'habilitations', 'registry', 'repository']
const clock = { now: () => new Date() }
const limits = { maxMetadataBytes: 16 * 1024 * 1024, maxDocumentBytes: 512 * 1024 * 1024, maxParts: 512 }

/** What answers besides the XDS.b door, by the name of the body. */
const own: Readonly<Record<string, Service>> = {
  PRPA_IN201307UV02: patientQuery,
  setAuthorization,
  listAuthorizationByPatient,
  patientList,
}

export async function startSimulator(directory: string, options: SimulatorOptions = {}): Promise<Simulator> {
  const keys = await makeKeys(path.join(directory, 'keys'))
  const repositoryUniqueId = toOid('1.2.250.1.213.4.1.1.1.2')
  const embedded = await openEmbeddedDmp({ directory: path.join(directory, 'dmp'), repositoryUniqueId, clock })
  const spool = createSpool({ directory: path.join(directory, 'dmp-spool'), maxBytes: limits.maxDocumentBytes })
  const [seen, calls, patients] = [[] as string[], [] as SeenCall[], new Set<PatientKey>()]
  const visits = new Visits()
  const identity = await createIdentity({
    mode: 'development',
    trustedVihf: [{ certificate: keys.signature.certificate }],
  })
  // Who may consult is what TD0.3 has settled; whether the patient was informed is known where the patient is
  const policy = { ...strictPolicy, authorisationSuffices: true }
  const { trace, choices } = embedded
  const operations = createOperations({ dmp: withoutSignatures(embedded.dmp), trace, choices, clock, policy })
  const log = { info() {}, warn() {}, error() {} }
  const door = createXdsDoor({
    ...{ operations, identity, spool, limits, log, repositoryUniqueId },
    profile: 'ci-sis',
    xsd: 'strict',
  })
  const gate = createGate({ identity, clock, sites: options.sites ?? [] })
  const serve = async (request: IncomingMessage, response: ServerResponse, service: ServiceName): Promise<void> => {
    seen.push(service)
    const admitted = await gate(request, response, service)
    if (admitted === undefined) return
    const { caller, vihf, td, messageId, packaging } = admitted
    seen.push(`${vihf.mode} ${caller.person?.id ?? caller.structure?.id} ${caller.patient ?? ''}`.trim())
    const { mode, nameId: person, patient } = vihf
    const call = { service, td, mode, person, ...(patient !== undefined && { patient }) }
    calls.push(call)
    visits.note(patient, person, { caller, at: clock.now().toISOString() })
    await options.pace?.(call)
    const answers = own[admitted.body.local]
    if (answers) {
      const { action, body } = await answers(admitted, { embedded, clock, patients, visits })
      return answer(response, { status: 200, action, body, relatesTo: messageId, packaging })
    }
    const again = admitted.again()
    if (service === 'registry') return door.registry(again, response)
    again.headers['dmp-consent'] = 'informed=?1'
    return door.repository(again, response)
  }
  const tls = { key: keys.serverKey, cert: keys.serverCertificate, ca: keys.clientCertificate }
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const url = request.url ?? ''
    const name = names.find((each) => url === services + each)
    if (name === undefined) {
      response.writeHead(404).end()
      return
    }
    serve(request, response, name).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `https://localhost:${port}${services.slice(0, -1)}`,
    ...{ keys, embedded, seen, calls },
    async open(patient, demographics) {
      patients.add(patient)
      return embedded.dmp.open(
        patient,
        demographics,
        actRecord(patient, { transaction: 'simulator', at: clock.now().toISOString() }),
      )
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await embedded.close()
    },
  }
}

/** §3.3: the entry of the signature of a lot is not returned by TD3.1. */
function withoutSignatures(dmp: Dmp): Dmp {
  return {
    ...dmp,
    async find(query) {
      const found = await dmp.find(query)
      return { ...found, documents: found.documents.filter(({ typeCode }) => typeCode !== 'E1762') }
    },
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
