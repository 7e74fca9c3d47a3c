/**
 * What every gateway of the suite logs, at its most talkative: a line that names a person or a patient, or holds a token or
 * a document, fails the suite (hooks.ts). The line is told without what it must not hold.
 */
const forbidden: readonly (readonly [what: string, form: RegExp])[] = [
  ['an INS', /\b26005\d{10}\b/],
  ['the identifier of a professional', /\b8997\d{8}\b/],
  ['the name of a professional', /EXEMPLE Anne|BENALI|KERVELLA|MOREAU Julie/],
  ['a token', /eyJ[\w-]{12,}/],
  ['an assertion', /<saml2?:|AttributeStatement/],
  ['a document', /urn:exemple|Bilan sanguin|ClinicalDocument|%PDF-|JVBERi0/],
]

/** What a line holds that it must not, with the line without it. */
export function breachIn(line: string): string | undefined {
  const [what, form] = forbidden.find(([, each]) => each.test(line)) ?? []
  return form && `${what}: ${line.replaceAll(new RegExp(form, 'g'), '█')}`
}

let lines = 0
const found: string[] = []

/** Where the gateways of the suite log to. */
export const suiteLog = {
  write(line: string): void {
    lines++
    const breach = breachIn(line)
    if (breach !== undefined && found.length < 20) found.push(breach)
  },
}

export function linesLogged(): number {
  return lines
}

export function breachesFound(): readonly string[] {
  return found
}
