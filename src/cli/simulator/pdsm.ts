import path from 'node:path'
import type { EmbeddedDmp } from '../../dmp/embedded/index.ts'
import { startGateway } from '../../main.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Demographics } from '../../operations/ports.ts'
import { loadConfig } from '../../server/config.ts'
import { actRecord } from '../act.ts'
import { makeKeys, type SimulatorKeys } from './keys.ts'

export interface PdsmDmp {
  /** `https://localhost:PORT/fhir` */
  readonly baseUrl: string
  readonly keys: SimulatorKeys
  readonly embedded: EmbeddedDmp
  /** The DMP of a patient, opened at the far end. */
  open(patient: PatientKey, demographics: Demographics): Promise<'created' | 'updated'>
  close(): Promise<void>
}

const issuer = 'urn:dmp-gateway:front'
const audience = 'urn:dmp-gateway:pdsm'
/** Whom the certificate of the simulator's keys was issued to. */
const structure = { id: '1010099999', name: 'CH EXEMPLE' }

/** @param overrides configuration of the far gateway, by dotted key */
export async function startPdsmDmp(
  directory: string,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<PdsmDmp> {
  const keys = await makeKeys(path.join(directory, 'keys'))
  const gateway = await startGateway(
    loadConfig({
      overrides: {
        data: path.join(directory, 'dmp'),
        'server.port': 0,
        'server.tls': {
          key: keys.server.key,
          certificate: keys.server.certificate,
          clientAuthorities: [keys.authentication.certificate],
          clientCertificates: 'require',
        },
        'log.level': 'silent',
        'identity.audience': audience,
        'identity.jwt': [{ issuer, key: keys.signature.certificate }],
        ...overrides,
      },
    }),
  )
  return {
    baseUrl: `https://localhost:${new URL(gateway.url).port}/fhir`,
    keys,
    embedded: gateway.embedded,
    open: (patient, demographics) =>
      gateway.embedded.dmp.open(patient, demographics, actRecord(patient, { transaction: 'simulator' })),
    close: () => gateway.close(),
  }
}

/** Configuration of the gateway before it, by dotted key. */
export function pdsmSettingsFor({
  baseUrl,
  keys,
}: Pick<PdsmDmp, 'baseUrl' | 'keys'>): Readonly<Record<string, unknown>> {
  return {
    'dmp.kind': 'fhir',
    'dmp.fhir': {
      baseUrl,
      authentication: keys.authentication,
      authorities: [keys.authority],
      structure,
      token: { key: keys.signature.key, issuer, audience },
    },
  }
}
