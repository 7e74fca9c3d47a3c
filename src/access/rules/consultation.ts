/** The patient's consent to consultation, as declared with the request: CO1, CO3, CO4. Normal mode only. */
import type { ConsentDeclaration } from '../caller.ts'
import { consultation, type Question, type Refusal, type Rule, refusal } from '../rule.ts'

const opposed = refusal(
  'CO1',
  'consultation-opposed',
  'The patient alone lifts the opposition. In a life-threatening emergency use bris_de_glace with its reason.',
)
const noBasis = refusal(
  'CO3',
  'consent-missing',
  'Send DMP-Consent: basis=care-team, informed=?1, episode="…" (member of the care team) or basis=explicit (consent collected for this consultation).',
)
const noEpisode = refusal(
  'CO3',
  'consent-missing',
  'basis=care-team holds for one episode of care: send episode="…" with it.',
)
const poster = refusal(
  'CO3',
  'consent-missing',
  'A poster collects no consent: send the means by which the patient gave it (oral, letter, email, online).',
)
const notInformed = refusal(
  'CO3',
  'patient-not-informed',
  'Inform the patient of the consultation for this episode (a poster alone does not), then send informed=?1 and episode="…".',
)
const noInitialConsent = refusal(
  'CO4',
  'initial-consent-missing',
  'Collect the consent of the patient, then send DMP-Consent: basis=explicit, means=oral.',
)

/** Whether the declaration says that the patient was informed; a poster alone does not inform (SEED2). */
export function informs({ informed, means }: ConsentDeclaration): boolean {
  return informed === true && means !== 'poster'
}

function consent({ request: { declaration, operation }, facts, policy }: Question): Refusal | undefined {
  // An authorisation is added (TD0.3) only after a declared consent; one that stands may be enough to consult.
  if (
    operation !== 'TD0.3.add' &&
    policy.authorisationSuffices &&
    (facts === undefined || facts.authorisation === 'VALIDE')
  )
    return undefined
  const { basis, episode, means } = declaration
  if (basis === undefined) return noBasis
  if (basis === 'explicit') return means === 'poster' ? poster : undefined
  if (informs(declaration)) return episode === undefined ? noEpisode : undefined
  // Without the record, only an episode could have been informed of before.
  if (facts === undefined) return episode === undefined ? notInformed : undefined
  return episode !== undefined && facts.informedEpisodes.includes(episode) ? undefined : notInformed
}

export const consultationRules: readonly Rule[] = [
  {
    id: 'CO1',
    says: 'the patient has not opposed consultation',
    source: 'SEED0, SEED2',
    operations: [...consultation, 'copy'],
    kinds: ['professional'],
    needs: 'record',
    uses: ['purpose', 'choices.consultationOpposed'],
    refuse: ({ request: { purpose }, facts }) =>
      purpose === 'normal' && facts?.choices.consultationOpposed !== false ? opposed : undefined,
  },
  {
    id: 'CO3',
    says: 'consent is declared: care team with the patient informed for this episode, or explicit for this consultation',
    source: 'SEED0, SEED1, SEED2; R.1111-46',
    operations: [...consultation, 'TD0.3.add'],
    kinds: ['professional', 'staff'],
    needs: 'request',
    uses: ['purpose', 'declaration', 'record.authorisation', 'record.informedEpisodes', 'policy.authorisationSuffices'],
    refuse: (question) => (question.request.purpose === 'normal' ? consent(question) : undefined),
  },
  {
    id: 'CO4',
    says: 'one initial consent to access by the care team is on record, where the house requires it',
    source: 'Conseil d’État, 15/10/2025, n° 490409',
    operations: consultation,
    kinds: ['professional'],
    needs: 'record',
    uses: ['purpose', 'declaration', 'record.initialConsent', 'policy.initialConsent'],
    refuse: ({ request: { purpose, declaration }, facts, policy }) =>
      purpose === 'normal' &&
      policy.initialConsent &&
      declaration.basis !== 'explicit' &&
      facts?.initialConsent !== true
        ? noInitialConsent
        : undefined,
  },
]
