/** TD3.2, ITI-43: the bytes of one document, from the wire into the spool. */
import { GatewayError } from '../../errors.ts'
import type { DocumentContent } from '../../operations/ports.ts'
import { ns } from '../../xds/namespaces.ts'
import { child, children } from '../../xml/tree.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { held } from '../remote/held.ts'
import type { Calls, Parts } from './calls.ts'
import type { Located } from './registry.ts'
import { readRegistryResponse } from './registry-response.ts'

const retrieveAction = 'urn:ihe:iti:2007:RetrieveDocumentSet'

/** Undefined when the DMP has no bytes under this entry. Throws GatewayError. */
export async function retrieve(
  { options }: Pick<Parts, 'options'>,
  calls: Calls,
  located: Located | undefined,
): Promise<DocumentContent | undefined> {
  if (located === undefined) return undefined
  const { entry, patient } = located
  // An entry names its repository: there are several (DMP-SERVICES §4.1)
  const repositoryUniqueId = entry.repositoryUniqueId ?? options.repositoryUniqueId
  const body = new XmlWriter()
    .start('RetrieveDocumentSetRequest', { xmlns: ns.xdsb })
    .start('DocumentRequest')
    .element('RepositoryUniqueId', undefined, repositoryUniqueId)
    .element('DocumentUniqueId', undefined, entry.uniqueId)
    .end()
    .end()
    .take()
  const reply = await calls.send({
    transaction: 'TD3.2',
    service: 'repository',
    action: retrieveAction,
    body,
    use: 'person',
    patient,
    mtom: { parts: [] },
  })
  try {
    const answer = reply.body
    const response = child(answer, ns.rs, 'RegistryResponse')
    if (answer.ns !== ns.xdsb || answer.local !== 'RetrieveDocumentSetResponse' || response === undefined)
      throw new GatewayError('dmp-answer-invalid', { detail: 'The answer is no RetrieveDocumentSetResponse.' })
    readRegistryResponse(response)
    const documents = children(answer, ns.xdsb, 'DocumentResponse')
    const asked = documents.find((each) => child(each, ns.xdsb, 'DocumentUniqueId')?.text.trim() === entry.uniqueId)
    if (documents.length > 0 && asked === undefined)
      throw new GatewayError('dmp-answer-invalid', { detail: 'The DMP answered with another document.' })
    const document = asked && child(asked, ns.xdsb, 'Document')
    const spooled = document && reply.document(document)
    if (spooled === undefined) await reply.dispose()
    return spooled && held(spooled, () => reply.dispose())
  } catch (error) {
    await reply.dispose()
    throw error
  }
}
