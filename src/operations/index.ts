/** The DMP operations, wired to their ports. One file each; every one is facts → decide → act → filter → trace. */
import type { OperationParts } from './access.ts'
import { feed } from './feed.ts'
import { find } from './find.ts'
import { history } from './history.ts'
import { open } from './open.ts'
import type { Operations } from './operations.ts'
import { remove } from './remove.ts'
import { retrieve } from './retrieve.ts'
import { status } from './status.ts'
import { update } from './update.ts'
import { versions } from './versions.ts'

export type { OperationParts } from './access.ts'
export type * from './operations.ts'
export type * from './ports.ts'

export function createOperations(parts: OperationParts): Operations {
  return {
    status: (...args) => status(parts, ...args),
    open: (...args) => open(parts, ...args),
    feed: (...args) => feed(parts, ...args),
    find: (...args) => find(parts, ...args),
    retrieve: (...args) => retrieve(parts, ...args),
    update: (...args) => update(parts, ...args),
    remove: (...args) => remove(parts, ...args),
    versions: (...args) => versions(parts, ...args),
    history: (...args) => history(parts, ...args),
  }
}
