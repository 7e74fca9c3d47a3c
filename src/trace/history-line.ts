/**
 * The access history as the patient and the professionals read it on dmp.fr (« Historique des accès »): date, author of
 * the action, action, context. Texts are French: they are shown to the patient.
 */

import type { Caller, PurposeOfUse } from '../access/caller.ts'
import type { Operation } from '../access/types.ts'
import { type ErrorCode, errorRow, errorTable } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { AccessRecord } from '../operations/ports.ts'

export interface HistoryLine {
  /** `10/12/2018 16:43:41`, French time. */
  readonly date: string
  /** « Auteur de l’action » */
  readonly author: string
  /** « Action réalisée » */
  readonly action: string
  /** « Contexte » */
  readonly context: 'Normal' | 'Bris de glace' | 'Centre 15'
}

const contexts: Readonly<Record<PurposeOfUse, HistoryLine['context']>> = {
  normal: 'Normal',
  bris_de_glace: 'Bris de glace',
  centre_15: 'Centre 15',
}

/** What was done, and the same as a noun for what was refused or failed. `%` stands for the documents. */
const actions: Readonly<Record<Operation, readonly [done: string, attempt: string]>> = {
  'TD0.2': ['a vérifié l’existence du DMP', 'la vérification de l’existence du DMP'],
  'TD0.3.add': ['a ajouté une autorisation d’accès au DMP', 'l’ajout d’une autorisation d’accès au DMP'],
  'TD0.3.remove': ['a retiré une autorisation d’accès au DMP', 'le retrait d’une autorisation d’accès au DMP'],
  'TD2.1': ['a ajouté %', 'l’ajout de %'],
  'TD2.1b': ['a remplacé %', 'le remplacement de %'],
  'TD3.1a': ['a consulté la liste des documents', 'la consultation de la liste des documents'],
  'TD3.1b': ['a recherché la référence de %', 'la recherche de la référence de %'],
  'TD3.2': ['a consulté %', 'la consultation de %'],
  'TD3.3a.mask': ['a masqué % aux professionnels', 'le masquage de %'],
  'TD3.3a.unmask': ['a démasqué % aux professionnels', 'le démasquage de %'],
  'TD3.3b': ['a rendu visible %', 'l’ouverture de la visibilité de %'],
  'TD3.3c': ['a supprimé %', 'la suppression de %'],
  'TD3.3d': ['a archivé ou désarchivé %', 'l’archivage ou le désarchivage de %'],
  open: ['a ouvert le DMP ou mis à jour ses données administratives', 'l’ouverture du DMP'],
  history: ['a consulté l’historique des accès', 'la consultation de l’historique des accès'],
  registry: ['a modifié le registre de documents', 'la modification du registre de documents'],
}

const roles: Readonly<Record<Caller['kind'], string>> = {
  professional: 'Professionnel',
  staff: 'Personnel',
  structure: 'Établissement',
  patient: 'Patient',
  representative: 'Représentant légal',
  system: 'Administrateur du service',
  tester: 'Testeur',
}

const french = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'medium' })

/**
 * One line of the history.
 * @param titleOf title of a document, where the reader may know it; otherwise its uniqueId stands
 */
export function describe(
  record: AccessRecord,
  titleOf: (logicalId: EntryUuid) => string | undefined = () => undefined,
): HistoryLine {
  return {
    date: french.format(new Date(record.at)),
    author: authorOf(record.caller),
    action: actionOf(record, titleOf),
    context: contexts[record.purpose],
  }
}

/** A person by name, a structure by its own; the patient and the representative by what they are, never by an INS. */
function authorOf({ kind, person, structure }: Caller): string {
  if (kind === 'patient' || kind === 'representative' || kind === 'system') return person?.name ?? roles[kind]
  const [named, place] = [person?.name ?? person?.id, structure?.name ?? structure?.id]
  if (named === undefined) return place ?? roles[kind]
  return place === undefined ? named : `${named} (${place})`
}

function actionOf(record: AccessRecord, titleOf: (logicalId: EntryUuid) => string | undefined): string {
  const [done, attempt] = actions[record.operation]
  const documents = nameOf(record.documents, titleOf)
  if (record.outcome === 'permitted') return done.replace('%', () => documents)
  const tried = attempt.replace('de %', () => ofThem(documents))
  if (record.outcome === 'failed') return `a tenté sans succès ${tried}`
  const { reasonCode } = record
  const reason = reasonCode !== undefined && isErrorCode(reasonCode) ? ` : ${errorRow(reasonCode).fr}` : ''
  return `s’est vu refuser ${tried}${reason}`
}

/** « le document X » → « du document X », « un document » → « d’un document », « 3 documents » → « de 3 documents ». */
function ofThem(documents: string): string {
  if (documents.startsWith('le ')) return `du ${documents.slice(3)}`
  return documents.startsWith('un ') ? `d’${documents}` : `de ${documents}`
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

function nameOf(documents: AccessRecord['documents'], titleOf: (logicalId: EntryUuid) => string | undefined): string {
  const [first] = documents
  if (first === undefined) return 'un document'
  if (documents.length > 1) return `${documents.length} documents`
  const title = titleOf(first.logicalId)
  return title === undefined ? `le document ${first.uniqueId}` : `le document « ${title} »`
}
