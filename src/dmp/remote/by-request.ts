/** A remote DMP as the house holds it: whatever is asked of it is asked under the identity of one request. */
import { GatewayError } from '../../errors.ts'
import type { Dmp, RequestContext } from '../../operations/ports.ts'

/** Asked without a request it refuses. One session serves all that a request does: what it was told it does not ask again. */
export function byRequest(
  own: Pick<Dmp, 'repositoryUniqueId' | 'check'>,
  sessionOf: (context: RequestContext) => Dmp,
): Dmp {
  const sessions = new WeakMap<RequestContext, Dmp>()
  const refuse = () => Promise.reject(new GatewayError('identity-missing'))
  return {
    ...own,
    status: refuse,
    demographics: refuse,
    open: refuse,
    feed: refuse,
    find: refuse,
    read: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
    versions: refuse,
    update: refuse,
    remove: refuse,
    content: refuse,
    on(context) {
      const session = sessions.get(context) ?? sessionOf(context)
      sessions.set(context, session)
      return session
    },
  }
}
