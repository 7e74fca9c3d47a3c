/**
 * `POST DocumentReference/{id}/$request-rectification`: the patient asks the author to rectify a document. The parameter
 * `reason` says what is wrong.
 */
import type { OperationOutcome } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { isEntryUuid } from '../metadata/identifiers.ts'
import { sendResource } from './answer.ts'
import { readParameters, textOf } from './parameters.ts'
import type { Exchange } from './parts.ts'

export async function requestRectification(exchange: Exchange): Promise<void> {
  const { request, response, parts, context, format } = exchange
  const reason = textOf(await readParameters(exchange, ['reason'], 'reason'), 'reason')
  const id = `urn:uuid:${String(request.params.id).toLowerCase()}`
  if (!isEntryUuid(id)) throw new GatewayError('not-found', { detail: 'No document is known under this id.' })
  await parts.operations.rectify(id, reason === undefined ? context : { ...context, reason })
  const outcome: OperationOutcome = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', details: { text: said } }],
  }
  sendResource(response, 200, outcome, format)
}

const said =
  'La demande de rectification est enregistrée dans l’historique des accès ; l’auteur du document en est informé.'
