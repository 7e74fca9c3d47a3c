import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { repositoryUniqueId } from '../../mothers/metadata.ts'
import { anAccessRecord } from '../mothers.ts'
import { portSuite } from '../port-suite.ts'

portSuite('the embedded DMP', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'dmp-port-'))
  const embedded = await openEmbeddedDmp({ directory, repositoryUniqueId })
  const { administration: settle } = embedded
  const act = (patient: Parameters<typeof settle.close>[0]) => anAccessRecord({ operation: 'choose', patient })
  return {
    as: () => embedded.dmp,
    records: {
      async open(patient, demographics = { given: [] }) {
        await embedded.dmp.open(patient, demographics, anAccessRecord({ operation: 'open', patient }))
      },
      close: (patient) => settle.close(patient, act(patient)),
      block: (patient, person) => settle.block(patient, person, act(patient)),
      authorise: (patient, person, until) => settle.authorise(patient, person, until, act(patient)),
      designate: (patient, person) => settle.designate(patient, 'treating', person, act(patient)),
    },
    async dispose() {
      await embedded.close()
      await rm(directory, { recursive: true })
    },
  }
})
