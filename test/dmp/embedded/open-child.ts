/** Opens the store of the folder given and tells the parent how that went. */
import { openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { repositoryUniqueId } from '../../mothers/metadata.ts'

const [, , directory = ''] = process.argv
try {
  const store = await openEmbeddedDmp({ directory, repositoryUniqueId })
  await store.close()
  process.send?.('opened')
} catch (error) {
  process.send?.(String(error))
}
process.disconnect()
