/**
 * What the operations are called in front of people and in audit records: one table for the access history, the
 * AuditEvents, the notifications and the exports. Texts are French: the patient reads them (ACCESS-RULES 5).
 */
import type { CallerKind, PurposeOfUse } from '../access/caller.ts'
import type { Operation } from '../access/types.ts'
import { type ErrorCode, errorRow, errorTable } from '../errors.ts'
import type { AccessRecord } from './ports.ts'

export interface OperationWords {
  /** Create, read, update, delete, execute (DICOM PS3.15 A.5, http://hl7.org/fhir/audit-event-action). */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E'
  /** As a title: « Consultation de document ». */
  readonly name: string
  /** As what somebody has done; `%`, or `de %`, stands for the documents. */
  readonly done: string
  /** As what was refused or failed; `de %` stands for the documents. */
  readonly attempt: string
}

function words(action: OperationWords['action'], name: string, done: string, attempt: string): OperationWords {
  return { action, name, done, attempt }
}

export const operationWords: Readonly<Record<Operation, OperationWords>> = {
  'TD0.2': words(
    'E',
    'Test d’existence du DMP',
    'a vérifié l’existence du DMP',
    'la vérification de l’existence du DMP',
  ),
  'TD0.3.add': words(
    'U',
    'Ajout d’une autorisation d’accès',
    'a ajouté une autorisation d’accès au DMP',
    'l’ajout d’une autorisation d’accès au DMP',
  ),
  'TD0.3.remove': words(
    'U',
    'Suppression d’une autorisation d’accès',
    'a retiré une autorisation d’accès au DMP',
    'le retrait d’une autorisation d’accès au DMP',
  ),
  'TD0.4': words(
    'E',
    'Liste des DMP autorisés',
    'a consulté la liste des DMP autorisés',
    'la consultation de la liste des DMP autorisés',
  ),
  'TD1.3a': words(
    'R',
    'Consultation des données administratives',
    'a consulté les données administratives du DMP',
    'la consultation des données administratives du DMP',
  ),
  'TD1.6': words(
    'R',
    'Consultation de la liste des professionnels autorisés et bloqués',
    'a consulté la liste des professionnels autorisés et bloqués',
    'la consultation de la liste des professionnels autorisés et bloqués',
  ),
  'TD2.1': words('C', 'Ajout de document', 'a ajouté %', 'l’ajout de %'),
  'TD2.1b': words('C', 'Remplacement de document', 'a remplacé %', 'le remplacement de %'),
  'TD3.1a': words(
    'E',
    'Recherche de documents',
    'a consulté la liste des documents',
    'la consultation de la liste des documents',
  ),
  'TD3.1b': words(
    'E',
    'Recherche d’une référence de document',
    'a recherché la référence de %',
    'la recherche de la référence de %',
  ),
  'TD3.2': words('R', 'Consultation de document', 'a consulté %', 'la consultation de %'),
  'TD3.3a.mask': words(
    'U',
    'Masquage de document aux professionnels',
    'a masqué % aux professionnels',
    'le masquage de %',
  ),
  'TD3.3a.unmask': words(
    'U',
    'Démasquage de document aux professionnels',
    'a démasqué % aux professionnels',
    'le démasquage de %',
  ),
  'TD3.3b': words('U', 'Document rendu visible', 'a rendu visible %', 'l’ouverture de la visibilité de %'),
  'TD3.3c': words('D', 'Suppression de document', 'a supprimé %', 'la suppression de %'),
  'TD3.3d': words('U', 'Archivage de document', 'a archivé ou désarchivé %', 'l’archivage ou le désarchivage de %'),
  open: words(
    'C',
    'Ouverture ou mise à jour du DMP',
    'a ouvert le DMP ou mis à jour ses données administratives',
    'l’ouverture du DMP',
  ),
  history: words(
    'R',
    'Consultation de l’historique des accès',
    'a consulté l’historique des accès',
    'la consultation de l’historique des accès',
  ),
  choose: words('U', 'Choix du patient', 'a enregistré un choix du patient', 'l’enregistrement d’un choix du patient'),
  close: words('U', 'Fermeture du DMP', 'a fermé le DMP', 'la fermeture du DMP'),
  reopen: words('U', 'Réactivation du DMP', 'a réactivé le DMP', 'la réactivation du DMP'),
  'brain-death': words(
    'U',
    'Déclaration de mort encéphalique',
    'a déclaré ou levé l’état de mort encéphalique',
    'la déclaration de l’état de mort encéphalique',
  ),
  rectify: words(
    'C',
    'Demande de rectification de document',
    'a demandé à l’auteur de rectifier %',
    'la demande de rectification de %',
  ),
  copy: words('R', 'Copie du DMP', 'a obtenu une copie du DMP', 'la copie du DMP'),
  explain: words(
    'E',
    'Explication d’une décision d’accès',
    'a demandé l’explication d’une décision d’accès',
    'l’explication d’une décision d’accès',
  ),
  destroy: words('D', 'Destruction du DMP', 'a détruit les données du DMP', 'la destruction des données du DMP'),
  registry: words(
    'U',
    'Opération de registre',
    'a modifié le registre de documents',
    'la modification du registre de documents',
  ),
}

/** TRE_R248 access modes, as the history page of dmp.fr names them (« Contexte »). */
export const modeNames = {
  normal: 'Normal',
  bris_de_glace: 'Bris de glace',
  centre_15: 'Centre 15',
} as const satisfies Record<PurposeOfUse, string>

export const outcomeNames: Readonly<Record<AccessRecord['outcome'], string>> = {
  permitted: 'autorisé',
  refused: 'refusé',
  failed: 'sans effet',
}

export const callerNames: Readonly<Record<CallerKind, string>> = {
  professional: 'Professionnel',
  staff: 'Personnel',
  structure: 'Établissement',
  patient: 'Patient',
  representative: 'Représentant légal',
  system: 'Administrateur du service',
  tester: 'Testeur',
}

const french = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'medium' })

/** `10/12/2018 16:43:41`, French time. @param at ISO 8601 instant */
export function frenchTime(at: string): string {
  return french.format(new Date(at))
}

/** What a program is told to send: nothing for the patient who reads why an access was refused. */
const advice = / : envoyez .*$/

/** A reason code as a sentence for people; a code that is not in the table of errors as it is. */
export function reasonText(reasonCode: string): string {
  return isErrorCode(reasonCode) ? errorRow(reasonCode).fr.replace(advice, '.') : reasonCode
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}
