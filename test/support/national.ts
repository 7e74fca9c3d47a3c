/**
 * A gateway whose DMP stands at the far end of the connector, simulated in this process: everything of `openGateway`, and
 * the far end itself.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Simulator, type SimulatorOptions, settingsFor, startSimulator } from '../../src/cli/simulator/index.ts'
import { openGateway, type TestGateway } from './gateway.ts'
import { aPatient, type TestPatient } from './people.ts'

export interface NationalGateway extends Omit<TestGateway, 'patient' | typeof Symbol.asyncDispose> {
  readonly farEnd: Simulator
  /** A patient of this test alone, with an open DMP at the far end. */
  patient(birthDate?: string): Promise<TestPatient>
  /** What the far end was asked while `act` ran, services and identities in turn. */
  asked(act: () => Promise<unknown>): Promise<readonly string[]>
}

/**
 * @param national keys of `dmp.national`, or what makes them once the far end is there
 * @param simulator how the far end is to behave
 */
export async function openNationalGateway(
  national: object | ((farEnd: Simulator) => Promise<object>) = {},
  simulator: SimulatorOptions = {},
): Promise<NationalGateway> {
  const directory = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-national-'))
  const farEnd = await startSimulator(directory, simulator)
  const settings = settingsFor(farEnd)
  const own = typeof national === 'function' ? await national(farEnd) : national
  const gateway = await openGateway({
    ...settings,
    'dmp.national': { ...(settings['dmp.national'] as object), ...own },
  })
  return {
    ...gateway,
    farEnd,
    async patient(birthDate) {
      const patient = aPatient()
      await farEnd.open(patient.key, { given: [], ...(birthDate !== undefined && { birthDate }) })
      return patient
    },
    async asked(act) {
      const before = farEnd.seen.length
      await act()
      return farEnd.seen.slice(before)
    },
    async close() {
      await gateway.close()
      await farEnd.close()
      await rm(directory, { recursive: true })
    },
  }
}
