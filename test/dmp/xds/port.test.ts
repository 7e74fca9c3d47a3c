import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { settingsFor, startSimulator } from '../../../src/cli/simulator/index.ts'
import { openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { openNationalDmp } from '../../../src/dmp/xds/index.ts'
import { nationalOptions, nationalSchema } from '../../../src/server/config-national.ts'
import { createSpool } from '../../../src/spool/index.ts'
import { repositoryUniqueId } from '../../mothers/metadata.ts'
import { gathering } from '../../support/gathering.ts'
import { portSuite } from '../port-suite.ts'
import { remotePort } from '../remote-port.ts'

const cannot = {
  openRecord: 'a record is opened in Mon espace santé',
  registry: 'the national DMP has submissions, documents and their four changes',
  sourceIds: 'the registry of the DMP gives entryUUIDs',
  depositTime: 'the DMP does not tell it',
  earlierVersions: 'TD3.1 gives the current version alone',
  anyDocument: 'the DMP takes CDA R2 alone',
} as const

portSuite(
  'the connector for the national DMP',
  async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'dmp-port-national-'))
    const gathered = gathering()
    const farEnd = await startSimulator(path.join(directory, 'far-end'), { pace: gathered.pace })
    const clock = { now: () => new Date() }
    const local = await openEmbeddedDmp({ directory: path.join(directory, 'local'), repositoryUniqueId, clock })
    const spool = createSpool({ directory: path.join(directory, 'spool'), maxBytes: 64 * 1024 * 1024 })
    const config = nationalSchema.parse({ ...(settingsFor(farEnd)['dmp.national'] as object), statusSeconds: 0 })
    const national = await openNationalDmp({
      ...nationalOptions(config, repositoryUniqueId, 64 * 1024 * 1024),
      ...{ directory, spool, clock, local: local.dmp, trace: local.trace },
      observer: { call() {}, request() {} },
    })
    return {
      ...remotePort(national.dmp, farEnd),
      async shown(act, together) {
        const before = farEnd.calls.length
        await gathered.hold(together, act)
        return farEnd.calls.slice(before).map(({ person, patient }) => `${person} ${patient}`)
      },
      async dispose() {
        national.close()
        await farEnd.close()
        await local.close()
        await rm(directory, { recursive: true })
      },
    }
  },
  cannot,
)
