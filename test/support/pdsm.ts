/**
 * A gateway whose DMP is another gateway, reached over PDSm and mutual TLS in this process: everything of `openGateway`,
 * and the far end itself.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type PdsmDmp, pdsmSettingsFor, startPdsmDmp } from '../../src/cli/simulator/pdsm.ts'
import type { AccessRecord, Demographics } from '../../src/operations/ports.ts'
import { openGateway, type TestGateway } from './gateway.ts'
import { aPatient, type TestPatient } from './people.ts'

export interface PdsmGateway extends Omit<TestGateway, 'patient' | typeof Symbol.asyncDispose> {
  readonly farEnd: PdsmDmp
  /** A patient of this test alone, with an open DMP at the far end. */
  patient(demographics?: Partial<Demographics>): Promise<TestPatient>
  /** Access records of a patient at the far end, newest first. */
  farRecords(patient: TestPatient): Promise<readonly AccessRecord[]>
}

/**
 * @param pdsm keys of `dmp.fhir`
 * @param far configuration of the far end, by dotted key
 */
export async function openPdsmGateway(
  pdsm: object = {},
  far: Readonly<Record<string, unknown>> = {},
): Promise<PdsmGateway> {
  const directory = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-pdsm-'))
  const farEnd = await startPdsmDmp(directory, far)
  const settings = pdsmSettingsFor(farEnd)
  const gateway = await openGateway({ ...settings, 'dmp.fhir': { ...(settings['dmp.fhir'] as object), ...pdsm } })
  return {
    ...gateway,
    farEnd,
    async patient(demographics = {}) {
      const patient = aPatient()
      await farEnd.open(patient.key, { given: [], ...demographics })
      return patient
    },
    farRecords: ({ key }) => farEnd.embedded.trace.history({ patient: key }),
    async close() {
      await gateway.close()
      await farEnd.close()
      await rm(directory, { recursive: true })
    },
  }
}
