/** Obligations of a permission, turned into what is written in the same commit as its record. Texts are French first. */
import type { Obligation, Operation } from '../access/types.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Effects, Notification, RequestContext } from './ports.ts'
import { modeNames } from './wording.ts'

/** The person or structure as a patient reads it. */
function actor({ caller }: RequestContext): string {
  return (
    caller.person?.name ?? caller.structure?.name ?? caller.person?.id ?? caller.structure?.id ?? 'Un professionnel'
  )
}

export interface About {
  /** logicalIds of the documents concerned. */
  readonly documents: readonly EntryUuid[]
  /** Those fed as INVISIBLE_PATIENT: the patient is told of them apart, when the time has come (notices.ts). */
  readonly hidden?: ReadonlySet<EntryUuid>
  /** End of an authorisation given now, ISO 8601 instant. */
  readonly until?: string
}

export function effectsOf(
  operation: Operation,
  obligations: readonly Obligation[],
  context: RequestContext,
  { documents, hidden = new Set(), until }: About,
): Effects {
  const notifications: Notification[] = []
  const tell = (
    kind: Notification['kind'],
    text: string,
    recipients: readonly Notification['recipient'][],
    about = documents,
  ) => {
    for (const recipient of recipients) {
      // What a minor does in secret is not told where the representatives read.
      if (recipient === 'patient' && context.caller.secretConnection) continue
      notifications.push({ kind, recipient, text, documents: about })
    }
  }
  const effects: { -readonly [K in keyof Effects]: Effects[K] } = { notifications }
  for (const obligation of obligations) {
    switch (obligation) {
      case 'record-authorisation':
        {
          const given = authorisationGiven(context, until)
          if (given !== undefined) effects.authorisation = given
        }
        break
      case 'record-information':
        effects.information = informationGiven(operation, context)
        break
      case 'notify-first-consultation':
        tell('first-consultation', `${actor(context)} a consulté votre dossier médical pour la première fois.`, [
          'patient',
        ])
        break
      case 'notify-emergency-access':
        tell(
          'emergency-access',
          `${actor(context)} a accédé au dossier médical en urgence (${modeNames[context.purpose]})${context.reason ? ` : ${context.reason}` : ''}.`,
          ['patient', 'treating-physician'],
        )
        break
      case 'notify-feed':
        for (const about of [documents.filter((id) => !hidden.has(id)), documents.filter((id) => hidden.has(id))])
          if (about.length > 0)
            tell('feed', `${actor(context)} a ajouté ${some(about)} à votre dossier médical.`, ['patient'], about)
        for (const id of documents.filter((each) => hidden.has(each)))
          tell('hidden-document', announced, ['patient'], [id])
        break
      case 'notify-visibility-change':
        tell('visibility-change', `${actor(context)} a modifié la visibilité d’un document de votre dossier médical.`, [
          'patient',
        ])
        break
      case 'notify-brain-death':
        tell('brain-death', `${actor(context)} a déclaré ou levé l’état de mort encéphalique d’un de vos patients.`, [
          'treating-physician',
        ])
        break
      case 'notify-rectification':
        tell('rectification', rectification, ['author'])
        break
      case 'display-mode':
        // The door says the mode in its answer; nothing to write.
        break
      default:
        obligation satisfies never
    }
  }
  return effects
}

/** R.1111-53 CSP: told after two weeks of a document that a professional is to explain first. */
const announced =
  'Un professionnel de santé a déposé dans votre dossier médical un document qu’il doit d’abord vous expliquer en consultation. Il vous sera accessible au plus tard un mois après son dépôt.'

/** What is wrong stands in the history, never in a message that others may read. */
const rectification =
  'Un patient demande la rectification d’un document que vous avez déposé dans son dossier médical. Le motif est dans l’historique des accès.'

const some = ({ length }: readonly EntryUuid[]): string => (length > 1 ? 'des documents' : 'un document')

/** TD0.3: for the person; what staff ask for is given to their structure (S526 note 1). */
function authorisationGiven({ caller }: RequestContext, until: string | undefined): Effects['authorisation'] {
  const end = { change: 'add' as const, ...(until !== undefined && { until }) }
  if (caller.kind === 'staff') return caller.structure && { structure: caller.structure.id, ...end }
  return caller.person && { person: caller.person.id, ...end }
}

function informationGiven(
  operation: Operation,
  { caller, declaration }: RequestContext,
): NonNullable<Effects['information']> {
  return {
    scope: operation.startsWith('TD2') ? 'feeding' : 'consultation',
    // A practitioner without a structure informs in their own name.
    structure: caller.structure?.id ?? caller.person?.id ?? '',
    ...(declaration.episode === undefined ? {} : { episode: declaration.episode }),
    ...(declaration.means === undefined ? {} : { means: declaration.means }),
    ...(declaration.by === undefined ? {} : { by: declaration.by }),
  }
}
