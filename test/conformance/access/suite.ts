/** What the suites of access share: one gateway a suite, and every rule met at either door. */
import assert from 'node:assert/strict'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import type { Changes } from '../../mothers/metadata.ts'
import {
  aDocument,
  type Door,
  declared,
  type IdentityOptions,
  openGateway,
  people,
  type Stored,
  type TestDocument,
  type TestGateway,
  type TestPatient,
} from '../../support/gateway.ts'

export interface Suite {
  readonly gateway: TestGateway
}

/** A describe block with a gateway of its own; `suite.gateway` is there from the first test on. */
export function withGateway(
  title: string,
  tests: (suite: Suite) => void,
  overrides: Readonly<Record<string, unknown>> = {},
): void {
  describe(title, () => {
    let gateway: TestGateway | undefined
    before(async () => {
      gateway = await openGateway(overrides)
    })
    after(() => gateway?.close())
    tests({
      get gateway() {
        assert.ok(gateway, 'the gateway of the suite is open while its tests run')
        return gateway
      },
    })
  })
}

const doorNames = ['fhirDoor', 'xdsDoor'] as const

/** The same rule at either door. */
export function atBothDoors(suite: Suite, rule: string, test: (door: Door) => Promise<void>): void {
  for (const name of doorNames)
    it(`${rule} (${name === 'fhirDoor' ? 'FHIR' : 'XDS.b'})`, () => test(suite.gateway[name]))
}

/** Fed through one door, asked for at the other as well: all four ways. */
export function acrossDoors(suite: Suite, rule: string, test: (fedBy: Door, door: Door) => Promise<void>): void {
  for (const fedBy of doorNames)
    for (const name of doorNames)
      it(`${rule} (${fedBy === 'fhirDoor' ? 'FHIR' : 'XDS.b'} → ${name === 'fhirDoor' ? 'FHIR' : 'XDS.b'})`, () =>
        test(suite.gateway[fedBy], suite.gateway[name]))
}

/** Feeds a document that must be taken. */
export async function feed(
  door: Door,
  patient: TestPatient,
  changes: Changes<DocumentEntry> = {},
  who: IdentityOptions = people.structure,
): Promise<TestDocument & { readonly stored: Stored }> {
  const document = aDocument(patient, changes)
  const outcome = await door.feed(who, document, { consent: declared.informed })
  assert.ok(outcome.stored, `${door.name} did not take the document: ${outcome.text}`)
  return { ...document, stored: outcome.stored }
}

/** The uniqueIds that a search gives; the search must have been permitted, and its total exact. */
export async function found(
  door: Door,
  who: IdentityOptions,
  patient: TestPatient,
  options: Parameters<Door['find']>[2] = { consent: declared.careTeam },
): Promise<readonly string[]> {
  const { outcome, entries, total } = await door.find(who, patient, options)
  assert.ok(outcome.ok, `${door.name} refused the search: ${outcome.text}`)
  assert.equal(total, entries.length, 'the total says something else than the entries')
  return entries.map(({ uniqueId }) => uniqueId as string).sort()
}

/** An answer without what is new in every answer: message ids, and the identifiers that were asked for. */
export function comparable(raw: string, document: Stored): string {
  return raw
    .replace(/<wsa:(RelatesTo|MessageID)[^>]*>[^<]*</g, '<wsa:$1><')
    .replaceAll(document.uniqueId, 'UNIQUE-ID')
    .replaceAll(document.logicalId, 'LOGICAL-ID')
    .replaceAll(document.logicalId.slice('urn:uuid:'.length), 'LOGICAL-ID')
}
