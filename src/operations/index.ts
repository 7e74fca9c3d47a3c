/** The DMP operations, wired to their ports. One file each; every one is facts → decide → act → filter → trace. */
import type { OperationParts } from './access.ts'
import { authoriseCaller } from './authorisation.ts'
import { brainDeath } from './brain-death.ts'
import { choose, close, reopen } from './choose.ts'
import { copy } from './copy.ts'
import { explain } from './explain.ts'
import { feed } from './feed.ts'
import { find } from './find.ts'
import { history } from './history.ts'
import { open } from './open.ts'
import type { Operations } from './operations.ts'
import type { RecordOperations } from './record-operations.ts'
import { remove } from './remove.ts'
import { retrieve } from './retrieve.ts'
import { settings } from './settings.ts'
import { status } from './status.ts'
import { update } from './update.ts'
import { validate } from './validate.ts'
import { versions } from './versions.ts'

export type { OperationParts } from './access.ts'
export type * from './operations.ts'
export type * from './ports.ts'
export type * from './record-operations.ts'

export function createOperations(parts: OperationParts): Operations & RecordOperations {
  return {
    status: (...args) => status(parts, ...args),
    open: (...args) => open(parts, ...args),
    feed: (...args) => feed(parts, ...args),
    validate: (...args) => validate(parts, ...args),
    find: (...args) => find(parts, ...args),
    retrieve: (...args) => retrieve(parts, ...args),
    update: (...args) => update(parts, ...args),
    remove: (...args) => remove(parts, ...args),
    versions: (...args) => versions(parts, ...args),
    history: (...args) => history(parts, ...args),
    settings: (...args) => settings(parts, ...args),
    choose: (...args) => choose(parts, ...args),
    authorise: (...args) => authoriseCaller(parts, ...args),
    close: (...args) => close(parts, ...args),
    reopen: (...args) => reopen(parts, ...args),
    brainDeath: (...args) => brainDeath(parts, ...args),
    copy: (...args) => copy(parts, ...args),
    explain: (...args) => explain(parts, ...args),
  }
}
