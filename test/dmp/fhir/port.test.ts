import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { JWTPayload } from 'jose'
import { pdsmSettingsFor, startPdsmDmp } from '../../../src/cli/simulator/pdsm.ts'
import { openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { openFhirDmp } from '../../../src/dmp/fhir/index.ts'
import { parseCx, patientKeyOf } from '../../../src/metadata/hl7.ts'
import { fhirDmpOptions, fhirDmpSchema } from '../../../src/server/config-fhir.ts'
import { createSpool } from '../../../src/spool/index.ts'
import { repositoryUniqueId } from '../../mothers/metadata.ts'
import { openProxy } from '../../support/pdsm-proxy.ts'
import { portSuite } from '../port-suite.ts'
import { remotePort } from '../remote-port.ts'

const cannot = {
  openRecord: 'a record is opened where the DMP is',
  registry: 'PDSm has submissions, documents and their changes',
  sourceIds: 'the DMP gives its own ids',
  depositTime: 'the DMP tells when the metadata changed last',
} as const

interface Extensions {
  readonly ihe_iua?: { readonly person_id?: string }
  readonly ihe_bppc?: { readonly patient_id?: string }
}

function extensionsOf({ extensions }: JWTPayload): Extensions {
  return (extensions ?? {}) as Extensions
}

portSuite(
  'the connector for a DMP that speaks PDSm',
  async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'dmp-port-pdsm-'))
    const farEnd = await startPdsmDmp(path.join(directory, 'far-end'))
    const clock = { now: () => new Date() }
    const local = await openEmbeddedDmp({ directory: path.join(directory, 'local'), repositoryUniqueId, clock })
    const spool = createSpool({ directory: path.join(directory, 'spool'), maxBytes: 64 * 1024 * 1024 })
    const between = await openProxy(farEnd)
    const { baseUrl } = between
    const settings = pdsmSettingsFor({ ...farEnd, baseUrl })['dmp.fhir'] as object
    const config = fhirDmpSchema.parse({ ...settings, statusSeconds: 0 })
    const remote = await openFhirDmp({
      ...fhirDmpOptions(config, repositoryUniqueId, 64 * 1024 * 1024),
      ...{ directory, spool, clock, local: local.dmp, trace: local.trace },
      observer: { call() {}, request() {} },
    })
    return {
      ...remotePort(remote.dmp, farEnd),
      async shown(act, together) {
        const all = Promise.withResolvers<void>()
        const shown: string[] = []
        between.pace = async ({ claims }) => {
          const { ihe_iua: person, ihe_bppc: patient } = extensionsOf(claims)
          shown.push(`${person?.person_id} ${patientKeyOf(parseCx(patient?.patient_id ?? ''))}`)
          if (shown.length === together) all.resolve()
          await all.promise
        }
        await act()
        between.pace = async () => {}
        return shown
      },
      async dispose() {
        remote.close()
        await between.close()
        await farEnd.close()
        await local.close()
        await rm(directory, { recursive: true })
      },
    }
  },
  cannot,
)
