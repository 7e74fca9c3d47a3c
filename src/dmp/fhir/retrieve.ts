/** TD3.2, ITI-68: the bytes of one document, from the wire into the spool, compared with what the metadata say of them. */
import type { DocumentContent } from '../../operations/ports.ts'
import { held } from '../remote/held.ts'
import { invalid } from './answers.ts'
import type { Located } from './documents.ts'
import type { Session } from './session.ts'

/** Undefined when the DMP has no bytes under this entry. Throws GatewayError. */
export async function retrieve(
  { parts, peer, registry }: Session,
  located: Located | undefined,
): Promise<DocumentContent | undefined> {
  const url = located?.resource.content?.[0]?.attachment?.url
  if (located === undefined || url === undefined) return undefined
  const { entry, patient } = located
  const asking = { ...registry.asking(patient), transaction: 'TD3.2' }
  const answer = await peer.document(asking, url, `${baseType(entry.mimeType)}, */*;q=0.1`)
  if (answer === undefined) return undefined
  const type = baseType(answer.headers['content-type'] ?? '')
  if (!sameType(type, baseType(entry.mimeType))) {
    answer.giveUp()
    throw invalid('the document is of another type than its metadata say')
  }
  const spooled = await parts.spool.receive(answer.read(parts.options.limits.document))
  // Nothing is given on before all of it is there and is what it should be
  if ((entry.hash !== undefined && entry.hash !== spooled.sha1) || (entry.size ?? spooled.size) !== spooled.size) {
    await spooled.dispose()
    throw invalid('the document has another hash or size than its metadata say')
  }
  return held(spooled, () => spooled.dispose())
}

function baseType(mimeType: string): string {
  return (mimeType.split(';')[0] ?? '').trim().toLowerCase()
}

/** RFC 7303: two names of one thing. */
function sameType(one: string, other: string): boolean {
  const named = (type: string) => (type === 'application/xml' ? 'text/xml' : type)
  return named(one) === named(other)
}
