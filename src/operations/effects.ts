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

export function effectsOf(
  operation: Operation,
  obligations: readonly Obligation[],
  context: RequestContext,
  documents: readonly EntryUuid[],
): Effects {
  const notifications: Notification[] = []
  const tell = (kind: Notification['kind'], text: string, recipients: readonly Notification['recipient'][]) => {
    for (const recipient of recipients) notifications.push({ kind, recipient, text, documents })
  }
  const effects: { -readonly [K in keyof Effects]: Effects[K] } = { notifications }
  for (const obligation of obligations) {
    switch (obligation) {
      case 'record-authorisation':
        if (context.caller.person) effects.authorisation = { person: context.caller.person.id, change: 'add' }
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
        tell(
          'feed',
          `${actor(context)} a ajouté ${documents.length > 1 ? 'des documents' : 'un document'} à votre dossier médical.`,
          ['patient'],
        )
        break
      case 'notify-visibility-change':
        tell('visibility-change', `${actor(context)} a modifié la visibilité d’un document de votre dossier médical.`, [
          'patient',
        ])
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
