/**
 * Bad input over HTTP on the whole gateway: each gets an error that says what is wrong, nothing of it is stored, nothing
 * is left behind in the spool, and the next request is answered as if it had not been.
 */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { sha1 } from '../../mothers/metadata.ts'
import {
  aDocument,
  declared,
  openGateway,
  people,
  type TestDocument,
  type TestGateway,
  type TestPatient,
} from '../../support/gateway.ts'
import type { Outcome } from '../../support/outcome.ts'

export const metadataBytes = 256 * 1024
export const documentBytes = 1024 * 1024

export interface World {
  readonly gateway: TestGateway
  /** Has a record with one document. */
  readonly patient: TestPatient
  readonly stored: TestDocument
}

export interface Case {
  readonly name: string
  send(world: World): Promise<Outcome>
  readonly code: string
  /** What the text of the answer must name. */
  readonly says?: RegExp
  readonly status: number
}

export const consent = declared.informed
export const { structure } = people

/** A suite of one gateway, with small limits, that meets every case in turn. */
export function refuses(title: string, cases: readonly Case[], more?: (world: () => World) => void): void {
  describe(`bad input: ${title}`, () => {
    let world: World
    before(async () => {
      const gateway = await openGateway({
        'limits.metadataBytes': metadataBytes,
        'limits.documentBytes': documentBytes,
      })
      const patient = await gateway.patient()
      const stored = aDocument(patient)
      assert.ok((await gateway.fhirDoor.feed(structure, stored, { consent })).ok)
      world = { gateway, patient, stored }
    })
    after(() => world.gateway.close())

    for (const { name, send, code, says, status } of cases) {
      it(`refuses ${name}: ${code}`, async () => {
        const outcome = await send(world)
        const { ok, text } = outcome
        assert.deepEqual({ code: outcome.code, status: outcome.status, ok }, { code, status, ok: false }, text)
        if (says) assert.match(text, says)
        assert.doesNotMatch(text, /\/work\/|node_modules|at file:|SQLITE/, 'the answer tells of the inside')
        await asIfItHadNotBeen(world)
      })
    }
    more?.(() => world)
  })
}

/** What is stored is what was, on both doors, and a good request is answered well. */
async function asIfItHadNotBeen({ gateway, patient, stored }: World): Promise<void> {
  for (const door of gateway.doors) {
    const { entries, total } = await door.find(patient.identity, patient)
    assert.equal(total, 1, `${door.name} finds ${total} documents`)
    assert.deepEqual(
      entries.map(({ uniqueId, hash }) => [uniqueId, hash]),
      [[stored.entry.uniqueId, sha1(stored.bytes)]],
    )
  }
  assert.deepEqual(await readdir(path.join(gateway.data, 'spool')), [], 'something is left in the spool')
}
