/** What both doors do, with the same words: a rule of access is stated once and tested through either. */
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { DocumentEntry, Submission } from '../../src/metadata/model.ts'
import { replacementOf, submissionOf, type TestDocument } from './documents.ts'
import type { FhirClient } from './fhir-client.ts'
import { at } from './json.ts'
import type { Outcome } from './outcome.ts'
import type { TestPatient } from './people.ts'
import { provideBundle, simplifiedPublish } from './resources.ts'
import type { XdsClient } from './xds-client.ts'

/** DMP-Consent, or the attributes of the Consent header block (INTERFACE). */
export interface Declaration {
  readonly basis?: 'care-team' | 'explicit'
  readonly informed?: boolean
  readonly means?: 'oral' | 'letter' | 'email' | 'online' | 'poster'
  readonly episode?: string
  readonly opposition?: boolean
  readonly reason?: string
  readonly by?: string
}

/** What goes along with a request. */
export interface Sent {
  readonly consent?: Declaration
  /** Value of DMP-Purpose-Of-Use. */
  readonly purpose?: string
}

export interface FoundDocuments {
  readonly outcome: Outcome
  /** Read back through the door's own mapping; over all pages. */
  readonly entries: readonly DocumentEntry[]
  /** Bundle.total; in XDS the number of ExtrinsicObjects. */
  readonly total: number
  /** The first answer as it came. */
  readonly raw: string
}

export interface OneDocument {
  readonly outcome: Outcome
  readonly bytes?: Buffer
  readonly mimeType?: string
  /** The answer without documents, as it came. */
  readonly raw: string
}

/** Who is known by which identifiers after a feed. */
export type Stored = Pick<DocumentEntry, 'uniqueId' | 'logicalId' | 'entryUuid'>

export interface FeedOptions extends Sent {
  /** A stored document that the fed one replaces. */
  readonly replaces?: Stored
}

export interface Door {
  readonly name: string
  /** Feeds one document. `stored` is there when it was taken. */
  feed(
    who: IdentityOptions,
    document: TestDocument,
    options?: FeedOptions,
  ): Promise<Outcome & { readonly stored?: Stored }>
  find(who: IdentityOptions, patient: TestPatient, options?: Sent): Promise<FoundDocuments>
  retrieve(who: IdentityOptions, document: Stored, options?: Sent): Promise<OneDocument>
}

/** ITI-41, ITI-18, ITI-43. */
export function xdsDoor(client: XdsClient): Door {
  return {
    name: 'XDS.b',
    async feed(who, document, options = {}) {
      const related = options.replaces ? [replacementOf(options.replaces, document)] : []
      const submission: Submission = submissionOf([document], related)
      const { outcome } = await client.provide(who, submission, [document], options)
      const { uniqueId, entryUuid } = document.entry
      return { ...outcome, ...(outcome.ok && { stored: { uniqueId, entryUuid, logicalId: entryUuid } }) }
    },
    find: (who, patient, options) => client.find(who, patient, options),
    retrieve: (who, document, options) => client.retrieve(who, document, options),
  }
}

/** ITI-105 or ITI-65, ITI-67, ITI-68. */
export function fhirDoor(client: FhirClient, transaction: 'ITI-105' | 'ITI-65' = 'ITI-105'): Door {
  return {
    name: transaction === 'ITI-105' ? 'FHIR' : 'FHIR (ITI-65)',
    async feed(who, document, options = {}) {
      const { replaces } = options
      const relates = replaces
        ? [{ code: 'replaces' as const, target: `DocumentReference/${replaces.logicalId.slice('urn:uuid:'.length)}` }]
        : []
      const reply =
        transaction === 'ITI-105'
          ? await client.publish(who, simplifiedPublish(document, relates), options)
          : await client.provide(who, provideBundle([document], relates), options)
      if (!reply.outcome.ok) return reply.outcome
      const location =
        transaction === 'ITI-105' ? reply.headers.get('location') : at(reply.json, 'entry', 1, 'response', 'location')
      const [, id] = /DocumentReference\/([0-9a-f-]{36})/.exec(String(location)) ?? []
      if (id === undefined) throw new Error(`no location in the answer to ${transaction}`)
      const entryUuid = `urn:uuid:${id}` as DocumentEntry['entryUuid']
      return { ...reply.outcome, stored: { uniqueId: document.entry.uniqueId, entryUuid, logicalId: entryUuid } }
    },
    find: (who, patient, options) => client.find(who, patient, options),
    retrieve: (who, document, options) => client.retrieve(who, document, options),
  }
}
