/** TD0.3: the person of the VIHF is authorised to consult the DMP of its patient, or no longer (DMP-SERVICES §2.4). */
import { GatewayError } from '../../errors.ts'
import { child, type XmlElement } from '../../xml/tree.ts'
import { refusedByDmp } from './soap.ts'
import type { Templates } from './template.ts'

const habilitations = 'urn:si-dmp-habilitations'

export const setAuthorizationAction = 'urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization'

export function writeSetAuthorization(templates: Templates, change: 'add' | 'remove'): Buffer {
  return templates('set-authorization', { action: change === 'add' ? 'AJOUT' : 'SUPPRESSION' })
}

/** Anything but DMPOk is an error, in whatever case it is written. Throws GatewayError. */
export function checkSetAuthorization(answer: XmlElement): void {
  const output =
    answer.ns === habilitations && answer.local === 'setAuthorizationResponse'
      ? child(answer, habilitations, 'output')
      : undefined
  const status = output && child(output, habilitations, 'status')?.text.trim()
  if (output === undefined || status === undefined)
    throw new GatewayError('dmp-answer-invalid', { detail: 'The answer to setAuthorization has no status.' })
  if (status.toLowerCase() !== 'dmpok')
    throw refusedByDmp(status, child(output, habilitations, 'context')?.text.trim() ?? '')
}
