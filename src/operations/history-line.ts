/**
 * The access history as the patient and the professionals read it on dmp.fr (« Historique des accès »): date, author of
 * the action, action, context. Texts are French: they are shown to the patient.
 */

import type { Caller } from '../access/caller.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import { changeWords } from './change-words.ts'
import type { AccessRecord } from './ports.ts'
import { callerNames, frenchTime, modeNames, operationWords, reasonText } from './wording.ts'

export interface HistoryLine {
  /** `10/12/2018 16:43:41`, French time. */
  readonly date: string
  /** « Auteur de l’action » */
  readonly author: string
  /** « Action réalisée » */
  readonly action: string
  /** « Contexte » */
  readonly context: string
}

/**
 * One line of the history.
 * @param titleOf title of a document, where the reader may know it; otherwise its uniqueId stands
 */
export function describe(
  record: AccessRecord,
  titleOf: (logicalId: EntryUuid) => string | undefined = () => undefined,
): HistoryLine {
  return {
    date: frenchTime(record.at),
    author: authorOf(record.caller),
    action: actionOf(record, titleOf),
    context: modeNames[record.purpose],
  }
}

/** A person by name, a structure by its own; the patient and the representative by what they are, never by an INS. */
export function authorOf({ kind, person, structure }: Caller): string {
  if (kind === 'patient' || kind === 'representative' || kind === 'system') return person?.name ?? callerNames[kind]
  const [named, place] = [person?.name ?? person?.id, structure?.name ?? structure?.id]
  if (named === undefined) return place ?? callerNames[kind]
  return place === undefined ? named : `${named} (${place})`
}

function actionOf(record: AccessRecord, titleOf: (logicalId: EntryUuid) => string | undefined): string {
  const { done, attempt } = record.change === undefined ? operationWords[record.operation] : changeWords(record.change)
  const documents = nameOf(record.documents, titleOf)
  const asked = record.operation === 'rectify' && record.reason !== undefined ? ` : ${record.reason}` : ''
  const about = (text: string) =>
    text.replace(/(de )?%/, (_, of?: string) => (of === undefined ? documents : ofThem(documents)))
  if (record.outcome === 'permitted') return about(done) + asked
  const tried = about(attempt)
  if (record.outcome === 'failed') return `a tenté sans succès ${tried}`
  const { reasonCode } = record
  const reason = reasonCode === undefined ? '' : ` : ${reasonText(reasonCode)}`
  return `s’est vu refuser ${tried}${reason}`
}

/** « le document X » → « du document X », « un document » → « d’un document », « 3 documents » → « de 3 documents ». */
function ofThem(documents: string): string {
  if (documents.startsWith('le ')) return `du ${documents.slice(3)}`
  return documents.startsWith('un ') ? `d’${documents}` : `de ${documents}`
}

function nameOf(documents: AccessRecord['documents'], titleOf: (logicalId: EntryUuid) => string | undefined): string {
  const [first] = documents
  if (first === undefined) return 'un document'
  if (documents.length > 1) return `${documents.length} documents`
  const title = titleOf(first.logicalId)
  return title === undefined ? `le document ${first.uniqueId}` : `le document « ${title} »`
}
