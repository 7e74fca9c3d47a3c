/** Documents that came from a remote DMP, kept in the spool until they were given on. */
import type { DocumentContent } from '../../operations/ports.ts'

/** Milliseconds that bytes are kept for an answer that is never read to its end. */
const heldFor = 10 * 60_000

/**
 * Bytes that are forgotten once they were read to their end, or after a while. Small ones need not: they are in memory, and
 * go with the request.
 */
export function held(spooled: DocumentContent, dispose: () => Promise<void>): DocumentContent {
  const { size, sha1, bytes, path } = spooled
  if (path === undefined) {
    // The memory stays with this object; the spool's account of it is settled now
    void dispose()
    return { size, sha1, ...(bytes && { bytes }), stream: (range) => spooled.stream(range) }
  }
  const late = setTimeout(() => void dispose(), heldFor)
  late.unref()
  return {
    size,
    sha1,
    stream(range) {
      const stream = spooled.stream(range)
      stream.once('close', () => {
        clearTimeout(late)
        void dispose()
      })
      return stream
    },
  }
}
