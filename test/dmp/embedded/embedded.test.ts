import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { repositoryUniqueId } from '../../mothers/metadata.ts'
import { dmpSuite } from '../suite.ts'

dmpSuite('the embedded DMP', async (options) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'dmp-embedded-'))
  const embedded = await openEmbeddedDmp({ directory, repositoryUniqueId, ...options })
  return {
    ...embedded,
    async close() {
      await embedded.close()
      await rm(directory, { recursive: true })
    },
  }
})
