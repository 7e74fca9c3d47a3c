/** The DMP operations, wired to their ports. One file each; every one is facts → decide → act → filter → trace. */
import type { OperationParts } from './access.ts'
import { authoriseCaller } from './authorisation.ts'
import { authorised } from './authorised.ts'
import { brainDeath } from './brain-death.ts'
import { choose, close, reopen } from './choose.ts'
import { copy } from './copy.ts'
import { explain } from './explain.ts'
import { feed } from './feed.ts'
import { find } from './find.ts'
import { history } from './history.ts'
import { open } from './open.ts'
import type { Operations } from './operations.ts'
import type { RequestContext } from './ports.ts'
import type { RecordOperations } from './record-operations.ts'
import { rectify } from './rectify.ts'
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
  const through = <T>(context: RequestContext, run: (parts: OperationParts) => Promise<T>) => asked(parts, context, run)
  return {
    status: (patient, context) => through(context, (own) => status(own, patient, context)),
    open: (patient, demographics, context) => through(context, (own) => open(own, patient, demographics, context)),
    feed: (submission, contents, context, options) =>
      through(context, (own) => feed(own, submission, contents, context, options)),
    validate: (...args) => validate(parts, ...args),
    find: (query, context, options) => through(context, (own) => find(own, query, context, options)),
    retrieve: (requests, context) => through(context, (own) => retrieve(own, requests, context)),
    update: (change, context) => through(context, (own) => update(own, change, context)),
    remove: (request, context) => through(context, (own) => remove(own, request, context)),
    versions: (logicalId, context) => through(context, (own) => versions(own, logicalId, context)),
    history: (patient, context, options) => through(context, (own) => history(own, patient, context, options)),
    settings: (patient, context) => through(context, (own) => settings(own, patient, context)),
    choose: (patient, choice, context) => through(context, (own) => choose(own, patient, choice, context)),
    authorise: (patient, change, context, until) =>
      through(context, (own) => authoriseCaller(own, patient, change, context, until)),
    authorised: (question, context) => through(context, (own) => authorised(own, question, context)),
    close: (patient, context) => through(context, (own) => close(own, patient, context)),
    reopen: (patient, context) => through(context, (own) => reopen(own, patient, context)),
    brainDeath: (patient, declared, context) => through(context, (own) => brainDeath(own, patient, declared, context)),
    copy: (patient, context) => through(context, (own) => copy(own, patient, context)),
    rectify: (document, context) => through(context, (own) => rectify(own, document, context)),
    explain: (...args) => explain(parts, ...args),
  }
}

/** A remote DMP is asked under the identity of this request, and of no other. */
async function asked<T>(
  parts: OperationParts,
  context: RequestContext,
  run: (parts: OperationParts) => Promise<T>,
): Promise<T> {
  const { dmp } = parts
  if (dmp.on === undefined) return run(parts)
  const own = dmp.on(context)
  try {
    return await run({ ...parts, dmp: own })
  } finally {
    own.finished?.()
  }
}
