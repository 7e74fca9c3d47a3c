/** Whether a patient is a minor, on a day. */

const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris', dateStyle: 'short' })

/** Under 18 by the French calendar day; undefined where the birth date is not a full ISO date. */
export function isMinor(birthDate: string | undefined, now: Date): boolean | undefined {
  if (birthDate === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(birthDate)) return undefined
  const [year, ...rest] = today.format(now).split('-')
  return birthDate > [String(Number(year) - 18).padStart(4, '0'), ...rest].join('-')
}
