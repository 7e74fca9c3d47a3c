/**
 * What every `Dmp` behind the port promises (src/operations/ports.ts), asked through the port alone: the same rules for
 * the DMP in this process and for one at the far end of a connector.
 *
 * To hold another implementation to them, in a test file of its own:
 *
 *   portSuite('the connector for a DMP that speaks PDSm', openMine, { openRecord: 'why it cannot' })
 *
 * `openMine` gives a PortHarness: a DMP without records, and the means to arrange things in it. What an implementation
 * cannot do by its nature it names with a reason, out of `Capability`; for each the suite then holds it to its refusal,
 * so that nothing is left out in silence. Rules stand in port-*.ts.
 */

import type { PatientKey } from '../../src/metadata/identifiers.ts'
import type { Demographics, Dmp, RequestContext } from '../../src/operations/ports.ts'
import type { Changes } from '../mothers/metadata.ts'
import { feedRules } from './port-feed.ts'
import { findRules } from './port-find.ts'
import { identityRules } from './port-identity.ts'
import { statusRules } from './port-status.ts'
import { updateRules } from './port-update.ts'

/** What a DMP may be unable to do; the reason is told in the title of the rule. */
export type Capability =
  /** `open`, `demographics`: else `open` is refused as `not-a-dmp-operation`. */
  | 'openRecord'
  /** `remove`, ITI-42 and folders, of profile `ihe`: else refused as `not-a-dmp-operation`. */
  | 'registry'
  /** The entryUUID of the source is that of the registry: else the registry gives its own. That of the source leads to it either way. */
  | 'sourceIds'
  /** Earlier metadata versions: else the current one alone is given. */
  | 'earlierVersions'
  /** The time when a document was stored: else depositedAt and updatedAt are those of its creation. */
  | 'depositTime'
  /** Documents leave and come back as the bytes they were: else a PDF travels inside a CDA. */
  | 'anyDocument'

/** Reasons, by what cannot be done. */
export type Cannot = Readonly<Partial<Record<Capability, string>>>

/** One DMP, open for the rules of one group. */
export interface PortHarness {
  /** The port as one request has it: `dmp.on(context)` where there is one. Anne EXEMPLE in normal mode unless changed. */
  as(context?: Changes<RequestContext>): Dmp
  /** The records of patients, arranged where the DMP is; never through the port. */
  readonly records: {
    open(patient: PatientKey, demographics?: Demographics): Promise<void>
    close(patient: PatientKey): Promise<void>
    /** @param person PS_IdNat */
    block(patient: PatientKey, person: string): Promise<void>
    /** TD0.3: @param until ISO 8601 instant, of an authorisation that ends */
    authorise(patient: PatientKey, person: string, until?: string): Promise<void>
    designate(patient: PatientKey, person: string): Promise<void>
  }
  /**
   * Of a remote DMP: whom it was shown while `act` ran, `PERSON PATIENT` for each call (PS_IdNat, patient key), in the
   * order of arrival; each call is answered only after `together` of them have arrived. Absent: no identity leaves.
   */
  shown?(act: () => Promise<unknown>, together: number): Promise<readonly string[]>
  /** Closes it and removes what it stored in. */
  dispose(): Promise<void>
}

export type OpenPort = () => Promise<PortHarness>

/** What the groups of rules are given. */
export interface PortRules {
  readonly open: OpenPort
  can(capability: Capability): boolean
  /** Part of a title: the reason why not. */
  why(capability: Capability): string
}

export function portSuite(name: string, open: OpenPort, cannot: Cannot = {}): void {
  const rules: PortRules = {
    open,
    can: (capability) => cannot[capability] === undefined,
    why: (capability) => cannot[capability] ?? '',
  }
  describe(`${name} behind the port`, () => {
    statusRules(rules)
    feedRules(rules)
    findRules(rules)
    updateRules(rules)
    identityRules(rules)
  })
}
