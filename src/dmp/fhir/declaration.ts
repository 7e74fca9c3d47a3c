/** What was declared here about consent, as the header by which a PDSm DMP is told of it (RFC 9651). */
import { type BareItem, DisplayString, serializeDictionary, Token } from 'structured-headers'
import type { ConsentDeclaration } from '../../access/caller.ts'

/** `DMP-Consent`; undefined when nothing was declared. */
export function consentHeader(declaration: ConsentDeclaration): string | undefined {
  const { basis, informed, means, episode, opposition, reason, by } = declaration
  const members: [string, BareItem | undefined][] = [
    ['basis', basis && new Token(basis)],
    ['informed', informed],
    ['means', means && new Token(means)],
    ['episode', episode === undefined ? undefined : text(episode)],
    ['opposition', opposition],
    ['reason', reason === undefined ? undefined : text(reason)],
    ['by', by === undefined ? undefined : text(by)],
  ]
  const given = members.flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name, [value, new Map<string, BareItem>()] as [BareItem, Map<string, BareItem>]] as const],
  )
  return given.length === 0 ? undefined : serializeDictionary(new Map(given))
}

/** A String holds ASCII only. */
function text(value: string): BareItem {
  return /^[\x20-\x7e]*$/.test(value) ? value : new DisplayString(value)
}
