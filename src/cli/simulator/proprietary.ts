/** The requests of TD0.3, TD0.4 and TD1.6: the DMP's own messages, as DMP-SERVICES §2.4 to §2.6 state them. */
import type { XmlElement } from '../../xml/tree.ts'
import { all, type Check, first, ns, second, textOf } from './check.ts'
import type { Asked } from './query.ts'
import type { Vihf } from './vihf.ts'

export function checkSetAuthorization(body: XmlElement, check: Check): Asked {
  children(body, ['action', 'role'], '§2.4', check)
  const action = textOf(first(body, ns.habilitations, 'action'))
  check.that(['AJOUT', 'SUPPRESSION'].includes(action), '§2.4 action', 'AJOUT ou SUPPRESSION')
  for (const role of all(body, ns.habilitations, 'role'))
    check.that(textOf(role) === 'MEDECIN_TRAITANT', '§2.4 role', 'MEDECIN_TRAITANT')
  return { td: 'TD0.3', patients: [] }
}

export function checkListAuthorization(body: XmlElement, check: Check): Asked {
  children(body, ['mode'], '§2.6', check)
  const mode = textOf(first(body, ns.habilitations, 'mode'))
  check.that(['TOUTE', 'ACTIVE', 'INTERDITE'].includes(mode), '§2.6 mode', 'TOUTE, ACTIVE ou INTERDITE')
  return { td: 'TD1.6', patients: [] }
}

export function checkPatientList(body: XmlElement, { mode, purpose }: Vihf, check: Check): Asked {
  children(body, ['startDate', 'dateType', 'psOwnerId'], '§2.5', check)
  check.that(second.test(textOf(first(body, ns.patients, 'startDate'))), '§2.5 startDate', 'yyyyMMddHHmmss, UTC')
  const type = textOf(first(body, ns.patients, 'dateType'))
  check.that(['LASTAUTORIZATION', 'LASTDOC'].includes(type), '§2.5 dateType', 'LASTAUTORIZATION ou LASTDOC')
  // DMP-FACTS §1.2: for a structure the new authorisations by their date, and not in regulation
  if (mode === 'INDIRECTE') {
    check.that(type === 'LASTAUTORIZATION', 'DMP-FACTS §1.2', 'structure : par date d’autorisation')
    check.that(purpose !== 'centre_15', 'DMP-FACTS §1.2', 'pas en régulation')
  }
  return { td: 'TD0.4', patients: [] }
}

/** Children of the body: these, in this order, each once at most, all in the namespace of the body. */
function children(body: XmlElement, names: readonly string[], rule: string, check: Check): void {
  const found = body.children.map(({ local }) => local)
  const ranks = found.map((name) => names.indexOf(name))
  check.that(
    body.children.every((each) => each.ns === body.ns) &&
      ranks.every((rank, index) => rank >= 0 && rank > (ranks[index - 1] ?? -1)),
    rule,
    `éléments attendus, dans l’ordre : ${names.join(', ')}`,
  )
}
