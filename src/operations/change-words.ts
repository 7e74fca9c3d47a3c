/** What was settled about a record, in French, for the access history: as done, and as what was refused or failed. */
import type { ChoiceName, RecordChange } from '../access/types.ts'

type Words = readonly [done: string, attempt: string]

/** Yes, then no. */
const choices: Readonly<Record<ChoiceName, readonly [yes: Words, no: Words]>> = {
  consultationOpposed: [
    ['a enregistré l’opposition à la consultation', 'l’enregistrement de l’opposition à la consultation'],
    ['a levé l’opposition à la consultation', 'la levée de l’opposition à la consultation'],
  ],
  feedOpposed: [
    ['a enregistré l’opposition à l’alimentation', 'l’enregistrement de l’opposition à l’alimentation'],
    ['a levé l’opposition à l’alimentation', 'la levée de l’opposition à l’alimentation'],
  ],
  breakGlassPermitted: [
    ['a permis le bris de glace', 'la permission du bris de glace'],
    ['a refusé le bris de glace', 'le refus du bris de glace'],
  ],
  regulationPermitted: [
    ['a permis l’accès des centres de régulation', 'la permission de l’accès des centres de régulation'],
    ['a refusé l’accès des centres de régulation', 'le refus de l’accès des centres de régulation'],
  ],
  maskedInEmergencyPermitted: [
    ['a permis la consultation des documents masqués en urgence', 'la permission des documents masqués en urgence'],
    ['a refusé la consultation des documents masqués en urgence', 'le refus des documents masqués en urgence'],
  ],
  maskByDefault: [
    ['a choisi de masquer les nouveaux documents', 'le masquage des nouveaux documents'],
    ['a choisi de ne plus masquer les nouveaux documents', 'la fin du masquage des nouveaux documents'],
  ],
  initialConsent: [
    ['a enregistré le consentement initial du patient', 'l’enregistrement du consentement initial du patient'],
    ['a retiré le consentement initial du patient', 'le retrait du consentement initial du patient'],
  ],
}

const roles = { treating: 'médecin traitant', administrator: 'médecin administrateur' } as const

/** Persons stand by their identifier: the trace knows no name of somebody who was not there. */
export function changeWords(change: RecordChange): { readonly done: string; readonly attempt: string } {
  const [done, attempt] = wordsOf(change)
  return { done, attempt }
}

function wordsOf(change: RecordChange): Words {
  switch (change.kind) {
    case 'choice': {
      const [yes, no] = choices[change.choice]
      return change.value ? yes : no
    }
    case 'block':
      return [`a bloqué le professionnel ${change.person}`, `le blocage du professionnel ${change.person}`]
    case 'unblock':
      return [`a débloqué le professionnel ${change.person}`, `le déblocage du professionnel ${change.person}`]
    case 'designate': {
      const role = roles[change.role]
      if (change.person === undefined) return [`a retiré le ${role}`, `le retrait du ${role}`]
      return [`a désigné ${change.person} ${role}`, `la désignation du ${role}`]
    }
    case 'mask-all':
      return ['a masqué tous les documents aux professionnels', 'le masquage de tous les documents']
    case 'unmask-all':
      return ['a démasqué tous les documents aux professionnels', 'le démasquage de tous les documents']
    case 'close':
      return ['a fermé le DMP', 'la fermeture du DMP']
    case 'reopen':
      return ['a réactivé le DMP', 'la réactivation du DMP']
    case 'brain-death':
      return change.value
        ? ['a déclaré la mort encéphalique', 'la déclaration de la mort encéphalique']
        : ['a levé la mention de mort encéphalique', 'la levée de la mention de mort encéphalique']
    default:
      return change satisfies never
  }
}
