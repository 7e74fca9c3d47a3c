/**
 * TD0.3: the person of the VIHF is authorised to consult the DMP of its patient, or no longer (DMP-SERVICES §2.4).
 * TD1.6: who is authorised and who is blocked (§2.6).
 */
import type { RecordSettings } from '../../operations/ports.ts'
import { children, type XmlElement } from '../../xml/tree.ts'
import { instantOf, outputOf, textOf, unusable } from './output.ts'
import type { Templates } from './template.ts'

const habilitations = 'urn:si-dmp-habilitations'
const listing = 'listAuthorizationByPatient'
const rowName = 'listOfAuthorizationByPatient'
/** nationalIdType: PS_IdNat, Struct_IdNat. */
const persons = '1.2.250.1.71.4.2.1'
const structures = '1.2.250.1.71.4.2.2'

export const setAuthorizationAction = 'urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization'
export const listAuthorizationsAction = `urn:si-dmp-habilitations:HabilitationsEndPoint:${listing}`

export function writeSetAuthorization(templates: Templates, change: 'add' | 'remove'): Buffer {
  return templates('set-authorization', { action: change === 'add' ? 'AJOUT' : 'SUPPRESSION' })
}

/** Throws GatewayError: anything but DMPOk is an error. */
export function checkSetAuthorization(answer: XmlElement): void {
  outputOf(answer, habilitations, 'setAuthorization')
}

export function writeListAuthorizations(templates: Templates): Buffer {
  return templates('list-authorizations', { mode: 'TOUTE' })
}

export type Authorizations = Pick<RecordSettings, 'blocked' | 'designated' | 'authorised'>

/** Throws GatewayError dmp-refused, or dmp-answer-invalid for a row that says not who or not which. */
export function readAuthorizations(answer: XmlElement): Authorizations {
  const rows = children(outputOf(answer, habilitations, listing), habilitations, rowName)
  const blocked: RecordSettings['blocked'][number][] = []
  const designated: RecordSettings['designated'][number][] = []
  const authorised: RecordSettings['authorised'][number][] = []
  for (const row of rows) {
    const [id, type, mode] = [textOf(row, 'nationalId'), textOf(row, 'nationalIdType'), textOf(row, 'mode')]
    if (id === undefined || (type !== persons && type !== structures))
      throw unusable(listing, 'a row names neither a professional nor a structure')
    const name = [textOf(row, 'firstName'), textOf(row, 'lastName')].filter((part) => part !== undefined).join(' ')
    const since = instantOf(row, 'startOfAuthorization', listing)
    const about = { ...(name !== '' && { name }), ...(since !== undefined && { since }) }
    const rights = children(row, habilitations, 'specificRight').map(({ text }) => text.trim())
    if (mode === 'INTERDITE' && type === persons) blocked.push({ person: id, ...about })
    else if (mode === 'ACTIVE')
      authorised.push({ ...(type === persons ? { person: id } : { structure: id }), ...about })
    else throw unusable(listing, 'the mode of a row is neither ACTIVE nor INTERDITE')
    if (type === persons && rights.includes('MEDECIN_TRAITANT'))
      designated.push({ role: 'treating', person: id, ...about })
  }
  return { blocked, designated, authorised }
}
