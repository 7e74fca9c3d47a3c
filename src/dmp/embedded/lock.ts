/** One process per data folder: two writers would each believe in their own trace chain and their own sweep. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Takes the folder for this process; gives what releases it. The lock is the operating system's, taken through SQLite:
 * it ends with the process however that ends, and does not rest on process ids, which mean nothing across containers.
 * Throws Error with a line for the operator when another process holds it. The empty file `dmp.lock` stays.
 */
export function lockDirectory(directory: string): () => void {
  const db = new DatabaseSync(join(directory, 'dmp.lock'), { timeout: 0 })
  try {
    // Nothing is ever written: without these a journal would lie beside the lock.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw new Error(
      `the data folder ${directory} is in use by another dmp-gateway: stop it, or choose another folder`,
      {
        cause: error,
      },
    )
  }
  return () => db.close()
}
