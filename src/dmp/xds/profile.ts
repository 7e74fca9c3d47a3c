/**
 * Who is presented to the DMP, by operation: the functional-rights matrix opens feeding and own references to the
 * structure's certificate (indirect) and consultation to a named person only (reinforced indirect, AIR); the same person
 * is therefore presented in two ways (DMP-FACTS §1.2). Made anew for each call, from the caller of that call.
 */
import type { Caller } from '../../access/caller.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Code } from '../../metadata/model.ts'
import type { RequestContext } from '../../operations/ports.ts'
import { userOf } from '../remote/users.ts'
import type { NationalOptions } from './options.ts'

/** What a call does: feeding and references of one's own, or reading and settling as a person. */
export type Purpose = 'own' | 'person'

export interface Presented {
  readonly mode: 'INDIRECTE' | 'INDIRECTE_RENFORCEE'
  /** PS_IdNat. */
  readonly nameId: string
  readonly personName: string
  readonly structure: string
  /** SAxx. */
  readonly sector: string
  /** Profession first, then specialities. */
  readonly roles: readonly Code[]
  readonly purpose: RequestContext['purpose']
  readonly reason?: string
  readonly secretConnection: boolean
  /** How the person authenticated here: a SAML authentication context class, without its prefix. */
  readonly contextClass: string
  readonly patient?: PatientKey
}

/** TRE_A00: what feeds without a person, and a secretary. */
const producers = '1.2.250.1.213.1.1.4.6'
const automaton: Code = { code: 'AUTOMATE', system: producers, display: 'Automate' }
const secretary: Code = { code: 'SECRETARIAT_MEDICAL', system: producers, display: 'Secrétariat médical' }

/**
 * @throws GatewayError not-a-dmp-operation for patients and others whom this interface does not know,
 * not-permitted-for-role for a structure that the certificates were not issued to
 */
export function presented(
  { structure, responsible, software }: NationalOptions,
  { caller, purpose, reason }: RequestContext,
  use: Purpose,
  patient: PatientKey | undefined,
): Presented {
  const { site } = userOf(caller, structure)
  const { person } = caller
  const common = {
    structure: site,
    sector: caller.sector ?? structure.sector,
    purpose,
    secretConnection: caller.secretConnection,
    ...(reason !== undefined && { reason }),
    ...(patient !== undefined && { patient }),
  }
  if (caller.kind === 'structure' || person === undefined)
    return {
      ...common,
      mode: 'INDIRECTE',
      nameId: responsible.id,
      // An automatic treatment: software, model, service (DMP-FACTS §2.2)
      personName: `${software.name},${software.version},ALIMENTATION`,
      roles: [automaton],
      contextClass: 'unspecified',
    }
  const reinforced = caller.authentication !== 'indirect' && use === 'person'
  return {
    ...common,
    mode: reinforced ? 'INDIRECTE_RENFORCEE' : 'INDIRECTE',
    nameId: person.id,
    personName: person.name ?? person.id,
    roles: rolesOf(caller),
    contextClass: contextClasses[caller.authentication],
  }
}

/** DMP-FACTS §2.1: the class reflects the local authentication. */
const contextClasses = {
  direct: 'SmartcardPKI',
  air: 'MobileTwoFactorUnregistered',
  indirect: 'Password',
} as const

function rolesOf({ kind, profession, specialities }: Caller): readonly Code[] {
  if (profession === undefined) return [kind === 'staff' ? secretary : automaton]
  return [profession, ...specialities]
}
