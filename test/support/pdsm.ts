/**
 * A gateway whose DMP is another gateway, reached over PDSm and mutual TLS in this process: everything of `openGateway`,
 * and the far end itself.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type PdsmDmp, pdsmSettingsFor, startPdsmDmp } from '../../src/cli/simulator/pdsm.ts'
import type { Demographics } from '../../src/operations/ports.ts'
import { openGateway, type TestGateway } from './gateway.ts'
import { type Between, openProxy } from './pdsm-proxy.ts'
import { aPatient, type TestPatient } from './people.ts'

export interface PdsmGateway extends Omit<TestGateway, 'patient' | typeof Symbol.asyncDispose> {
  readonly farEnd: PdsmDmp
  /** Between both, where it was asked for. */
  readonly between: Between | undefined
  /** A patient of this test alone, with an open DMP at the far end. */
  patient(demographics?: Partial<Demographics>): Promise<TestPatient>
}

/**
 * @param pdsm keys of `dmp.fhir`
 * @param far configuration of the far end, by dotted key
 * @param watched what goes between both can be seen, and changed
 */
export async function openPdsmGateway(
  pdsm: object = {},
  far: Readonly<Record<string, unknown>> = {},
  watched = false,
): Promise<PdsmGateway> {
  const directory = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-pdsm-'))
  const farEnd = await startPdsmDmp(directory, far)
  const between = watched ? await openProxy(farEnd) : undefined
  const settings = pdsmSettingsFor({ ...farEnd, baseUrl: (between ?? farEnd).baseUrl })
  const gateway = await openGateway({ ...settings, 'dmp.fhir': { ...(settings['dmp.fhir'] as object), ...pdsm } })
  return {
    ...gateway,
    farEnd,
    between,
    async patient(demographics = {}) {
      const patient = aPatient()
      await farEnd.open(patient.key, { given: [], ...demographics })
      return patient
    },
    async close() {
      await gateway.close()
      await between?.close()
      await farEnd.close()
      await rm(directory, { recursive: true })
    },
  }
}
