/** The part of a PortHarness that is the same for every connector: requests, and records arranged at a simulated far end. */
import { randomUUID } from 'node:crypto'
import type { EmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import type { PatientKey } from '../../src/metadata/identifiers.ts'
import type { Demographics, Dmp, RequestContext } from '../../src/operations/ports.ts'
import { anAccessRecord } from './mothers.ts'
import type { PortHarness } from './port-suite.ts'
import { author } from './port-support.ts'

interface FarEnd {
  readonly embedded: Pick<EmbeddedDmp, 'administration'>
  open(patient: PatientKey, demographics: Demographics): Promise<unknown>
}

export function remotePort(dmp: Dmp, farEnd: FarEnd): Pick<PortHarness, 'as' | 'records'> {
  const { administration: settle } = farEnd.embedded
  const act = (patient: PatientKey) => anAccessRecord({ operation: 'choose', patient })
  return {
    as(changes = {}) {
      const context = {
        caller: author,
        purpose: 'normal',
        declaration: { basis: 'care-team', informed: true, episode: '2026-E-118' },
        door: 'xds',
        transaction: 'port',
        requestId: randomUUID(),
        ...changes,
      } as RequestContext
      return dmp.on?.(context) ?? dmp
    },
    records: {
      async open(patient, demographics = { given: [] }) {
        await farEnd.open(patient, demographics)
      },
      close: (patient) => settle.close(patient, act(patient)),
      block: (patient, person) => settle.block(patient, person, act(patient)),
      authorise: (patient, person, until) => settle.authorise(patient, person, until, act(patient)),
      designate: (patient, person) => settle.designate(patient, 'treating', person, act(patient)),
    },
  }
}
