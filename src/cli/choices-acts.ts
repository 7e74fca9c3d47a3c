/** What `choices` can be told to do, as words of a command line. */
import type { ChoiceName } from '../access/types.ts'
import type { PatientChoice } from '../operations/record-operations.ts'

export type Act =
  | { readonly kind: 'list' }
  | { readonly kind: 'close' }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'choose'; readonly change: PatientChoice }

const yesOrNo = (choice: ChoiceName, value: boolean): Act => ({
  kind: 'choose',
  change: { kind: 'choice', choice, value },
})

/** Acts that are words alone. */
const fixed: Readonly<Record<string, Act>> = {
  list: { kind: 'list' },
  'oppose consultation': yesOrNo('consultationOpposed', true),
  'oppose feeding': yesOrNo('feedOpposed', true),
  'allow consultation': yesOrNo('consultationOpposed', false),
  'allow feeding': yesOrNo('feedOpposed', false),
  'permit break-glass': yesOrNo('breakGlassPermitted', true),
  'refuse break-glass': yesOrNo('breakGlassPermitted', false),
  'permit regulation': yesOrNo('regulationPermitted', true),
  'refuse regulation': yesOrNo('regulationPermitted', false),
  'permit masked-in-emergency': yesOrNo('maskedInEmergencyPermitted', true),
  'refuse masked-in-emergency': yesOrNo('maskedInEmergencyPermitted', false),
  'permit care-team': yesOrNo('initialConsent', true),
  'refuse care-team': yesOrNo('initialConsent', false),
  'mask-by-default on': yesOrNo('maskByDefault', true),
  'mask-by-default off': yesOrNo('maskByDefault', false),
  'mask-all': { kind: 'choose', change: { kind: 'mask-all' } },
  'unmask-all': { kind: 'choose', change: { kind: 'unmask-all' } },
  close: { kind: 'close' },
  reopen: { kind: 'reopen' },
}

/** Acts about a person; the physicians may also be none. */
const aboutPersons: Readonly<Record<string, (person: string | undefined) => PatientChoice | undefined>> = {
  block: (person) => (person === undefined ? undefined : { kind: 'block', person }),
  unblock: (person) => (person === undefined ? undefined : { kind: 'unblock', person }),
  administrator: (person) => ({ kind: 'designate', role: 'administrator', person }),
  treating: (person) => ({ kind: 'designate', role: 'treating', person }),
}

export const actsUsage: readonly string[] = [
  'list',
  'oppose | allow  consultation | feeding',
  'permit | refuse  break-glass | regulation | masked-in-emergency | care-team',
  'block | unblock  PS_IdNat',
  'administrator | treating  PS_IdNat | none',
  'mask-all | unmask-all | mask-by-default on | mask-by-default off',
  'close | reopen',
]

/**
 * @param asPerson a PS_IdNat, or undefined for what is none
 * @returns undefined for words that are no act
 * @throws RangeError where a person is expected and something else stands
 */
export function actOf(
  words: readonly string[],
  asPerson: (text: string | undefined) => string | undefined,
): Act | undefined {
  const text = words.join(' ')
  if (Object.hasOwn(fixed, text)) return fixed[text]
  const [verb = '', named, ...others] = words
  const about = Object.hasOwn(aboutPersons, verb) ? aboutPersons[verb] : undefined
  if (about === undefined || others.length > 0) return undefined
  const person = asPerson(named)
  const change = person === undefined && named !== 'none' ? undefined : about(person)
  if (change === undefined) throw new RangeError(`${verb}: a PS_IdNat is expected (8 and the RPPS)`)
  return { kind: 'choose', change }
}
