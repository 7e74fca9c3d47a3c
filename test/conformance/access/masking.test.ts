/** What the filter hides is not there, at any door, for any question (ACCESS-RULES §3). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { EntryUuid } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { codes } from '../../mothers/metadata.ts'
import {
  aDocument,
  aPatient,
  type Declaration,
  declared,
  newOid,
  people,
  type Stored,
  submissionOf,
} from '../../support/gateway.ts'
import { nextVersion, updateRequest, versionOf } from '../../xds/registry/registry.ts'
import { acrossDoors, atBothDoors, comparable, feed, found, withGateway } from './suite.ts'

const { author, colleague, nurse, structure } = people
const masked = { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }
const hiddenFromPatient = { confidentialityCodes: [codes.normal, codes.hiddenFromPatient] }
const certificate = {
  typeCode: { code: '89601-9', system: '2.16.840.1.113883.6.1', display: 'Certificat médical' },
  classCode: { code: '52', system: '1.2.250.1.213.1.1.4.1', display: 'Certificat, déclaration' },
}
const careTeam = { consent: declared.careTeam }

/** Identifiers that nobody has. */
function absent(): Stored {
  const id = `urn:uuid:${randomUUID()}` as EntryUuid
  return { uniqueId: newOid(), logicalId: id, entryUuid: id }
}

withGateway('a document masked to professionals', (suite) => {
  acrossDoors(suite, 'is found by its author and the patient, and counted for nobody else', async (fedBy, door) => {
    const patient = await suite.gateway.patient()
    const open = await feed(fedBy, patient)
    const hidden = await feed(fedBy, patient, masked)
    const both = [open.entry.uniqueId, hidden.entry.uniqueId].sort()
    assert.deepEqual(await found(door, colleague, patient), [open.entry.uniqueId])
    assert.deepEqual(await found(door, author, patient), both)
    assert.deepEqual(await found(door, patient.identity, patient, {}), both)
  })

  acrossDoors(suite, 'is retrieved by its author and the patient', async (fedBy, door) => {
    const patient = await suite.gateway.patient()
    const { stored, bytes } = await feed(fedBy, patient, masked)
    assert.ok((await door.retrieve({ ...author, ins: patient.ins }, stored, careTeam)).bytes?.equals(bytes))
    assert.ok((await door.retrieve(patient.identity, stored)).bytes?.equals(bytes))
  })

  acrossDoors(suite, 'answers a colleague who asks for it exactly as one that was never there', async (fedBy, door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(fedBy, patient, masked)
    for (const who of [colleague, { ...colleague, ins: patient.ins }]) {
      const never = absent()
      const hidden = await door.retrieve(who, stored, careTeam)
      const nothing = await door.retrieve(who, never, careTeam)
      assert.equal(hidden.outcome.ok, false)
      assert.equal(hidden.outcome.status, nothing.outcome.status)
      assert.equal(comparable(hidden.raw, stored), comparable(nothing.raw, never))
    }
  })

  it('is absent from ITI-18 by uniqueId and from reads and searches by identifier', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.xdsDoor, patient, masked)
    const never = absent()
    const who = { ...colleague, ins: patient.ins }
    const [byId, nothing] = [
      await gateway.xds.findByUniqueId(who, stored.uniqueId, careTeam),
      await gateway.xds.findByUniqueId(who, never.uniqueId, careTeam),
    ]
    assert.ok(byId.outcome.ok)
    assert.equal(comparable(byId.raw, stored), comparable(nothing.raw, never))
    for (const path of [
      ({ logicalId }: Stored) => `/DocumentReference/${logicalId.slice(9)}`,
      ({ logicalId }: Stored) => `/DocumentReference/${logicalId.slice(9)}/_history/1`,
      ({ uniqueId }: Stored) =>
        `/DocumentReference?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}&identifier=urn:ietf:rfc:3986%7Curn:oid:${uniqueId}`,
      ({ logicalId }: Stored) =>
        `/DocumentReference?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}&_id=${logicalId.slice(9)}`,
    ]) {
      const [hidden, none] = [
        await gateway.fhir.call(colleague, 'GET', path(stored), careTeam),
        await gateway.fhir.call(colleague, 'GET', path(never), careTeam),
      ]
      assert.equal(hidden.status, none.status)
      assert.equal(comparable(hidden.bytes.toString(), stored), comparable(none.bytes.toString(), never))
    }
  })

  it('gives the same HTTP headers as an absent one', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.xdsDoor, patient, masked)
    const headersOf = async ({ logicalId }: Stored) => {
      const { headers } = await gateway.fhir.call(colleague, 'GET', `/Binary/${logicalId.slice(9)}`, careTeam)
      return [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
    }
    assert.deepEqual(await headersOf(stored), await headersOf(absent()))
  })

  atBothDoors(suite, 'cannot be replaced by who cannot see it, and is then as absent', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(suite.gateway.xdsDoor, patient, masked)
    const never = absent()
    const replace = async (target: Stored, consent?: Declaration) => {
      const outcome = await door.feed(colleague, aDocument(patient), { replaces: target, ...(consent && { consent }) })
      // The place is the association, which is new in every message
      return { ...outcome, text: comparable(outcome.text, target).replace(/ \| urn:uuid:[^ ]*$/, '') }
    }
    for (const consent of [declared.informed, undefined]) {
      const [hidden, nothing] = [await replace(stored, consent), await replace(never, consent)]
      assert.equal(hidden.ok, false)
      assert.deepEqual(hidden, nothing)
    }
    assert.deepEqual(await found(door, author, patient), [stored.uniqueId])
  })

  atBothDoors(suite, 'is seen by the treating physician in normal mode', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient, masked)
    const { administration } = gateway.embedded
    await administration.designate(patient.key, 'treating', colleague.id, gateway.change(patient))
    assert.deepEqual(await found(door, colleague, patient), [stored.uniqueId])
  })

  atBothDoors(
    suite,
    'shows in an emergency only where the patient permitted it, even to the treating physician',
    async (door) => {
      const { gateway } = suite
      const patient = await gateway.patient()
      const { stored } = await feed(door, patient, masked)
      const { administration } = gateway.embedded
      await administration.designate(patient.key, 'treating', author.id, gateway.change(patient))
      const urgent = { purpose: 'bris_de_glace', reason: 'patient inconscient' } as const
      assert.deepEqual(await found(door, { ...colleague, ...urgent }, patient, {}), [])
      await administration.setChoice(patient.key, 'maskedInEmergencyPermitted', true, gateway.change(patient))
      assert.deepEqual(await found(door, { ...colleague, ...urgent }, patient, {}), [stored.uniqueId])
    },
  )

  atBothDoors(suite, 'is found by reference by the structure that fed it, and by no other', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient, masked)
    const bound = { ins: patient.ins }
    const own = await gateway.xds.findByUniqueId({ ...structure, ...bound }, stored.uniqueId)
    assert.deepEqual(
      own.entries.map(({ uniqueId }) => uniqueId),
      [stored.uniqueId],
      own.outcome.text,
    )
    const other = await gateway.xds.findByUniqueId({ ...structure, structure: '1020099999', ...bound }, stored.uniqueId)
    assert.deepEqual([other.outcome.ok, other.entries], [true, []])
  })

  atBothDoors(suite, 'is not made so by a certificate, which is told to replace it, and can (UP6)', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored, entry } = await feed(door, patient)
    const bound = { ...structure, ins: patient.ins }
    const refused = door === gateway.fhirDoor ? await patched(stored) : await updated(entry)
    assert.deepEqual([refused.ok, refused.code, refused.rule], [false, 'use-replacement', 'UP6'])
    const replaced = await door.feed(bound, aDocument(patient, masked), {
      replaces: stored,
      consent: declared.informed,
    })
    assert.ok(replaced.stored, replaced.text)
    assert.deepEqual(await found(door, colleague, patient), [])
    assert.deepEqual(await found(door, author, patient), [replaced.stored.uniqueId])
  })

  async function patched({ uniqueId }: Stored) {
    const label = { system: codes.maskedToProfessionals.system, code: 'MASQUE_PS' }
    const body = [{ op: 'add', path: '/securityLabel/-', value: { coding: [label] } }]
    const target = `/DocumentReference?identifier=urn:oid:${uniqueId}`
    const headers = { 'Content-Type': 'application/json-patch+json' }
    const reply = await suite.gateway.fhir.call(structure, 'PATCH', target, { body: JSON.stringify(body), headers })
    return reply.outcome
  }

  async function updated(entry: DocumentEntry) {
    const next = nextVersion(entry, masked)
    const submission = submissionOf([{ entry: next, bytes: Buffer.alloc(0) }])
    const only = { ...submission, associations: [] }
    const body = updateRequest(only, versionOf(only.submissionSet.entryUuid, next))
    const [authority, ins] = [entry.patientId.assigningAuthority?.universalId, entry.patientId.id]
    const who = { ...structure, ins, ...(authority && { insSystem: authority }) }
    return (await suite.gateway.xds.call(who, { transaction: 'ITI-57', body, packaging: 'simple' })).outcome
  }

  atBothDoors(suite, 'is what a patient who masks by default gets, and the receipt says so', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await gateway.embedded.administration.setChoice(patient.key, 'maskByDefault', true, gateway.change(patient))
    const document = aDocument(patient)
    const outcome = await door.feed(structure, document, { consent: declared.informed })
    assert.ok(outcome.ok)
    assert.deepEqual(await found(door, colleague, patient), [])
    const [entry] = (await door.find(author, patient, careTeam)).entries
    assert.deepEqual(
      entry?.confidentialityCodes.map(({ code }) => code),
      ['N', 'MASQUE_PS'],
    )
    // The answer of ITI-105 is the resource as stored; the others carry the warning
    if (door.name === 'XDS.b') assert.match(outcome.text, /masks new documents by default/)
  })
})

withGateway('a document hidden from the patient', (suite) => {
  acrossDoors(suite, 'is there for professionals and absent for the patient', async (fedBy, door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(fedBy, patient, hiddenFromPatient)
    assert.deepEqual(await found(door, colleague, patient), [stored.uniqueId])
    assert.deepEqual(await found(door, patient.identity, patient, {}), [])
    const never = absent()
    const [hidden, nothing] = [
      await door.retrieve(patient.identity, stored),
      await door.retrieve(patient.identity, never),
    ]
    assert.equal(hidden.outcome.status, nothing.outcome.status)
    assert.equal(comparable(hidden.raw, stored), comparable(nothing.raw, never))
  })
})

withGateway('the habilitation matrix', (suite) => {
  acrossDoors(suite, 'closes a type to a profession, in searches and retrievals', async (fedBy, door) => {
    const patient = await suite.gateway.patient()
    const closed = await feed(fedBy, patient, certificate)
    const open = await feed(fedBy, patient)
    assert.deepEqual(await found(door, nurse, patient), [open.entry.uniqueId])
    const refused = await door.retrieve({ ...nurse, ins: patient.ins }, closed.stored, careTeam)
    assert.equal(refused.bytes, undefined)
    assert.equal((await found(door, colleague, patient)).length, 2)
  })

  atBothDoors(suite, 'opens nothing to a profession without a column', async (door) => {
    const patient = await suite.gateway.patient()
    await feed(door, patient)
    const { outcome, entries } = await door.find({ ...nurse, profession: '86' }, patient, careTeam)
    assert.ok(outcome.ok ? entries.length === 0 : outcome.code === 'not-permitted-for-role', outcome.text)
  })

  atBothDoors(suite, 'does not govern feeding: a nurse feeds a certificate, and is told', async (door) => {
    const patient = await suite.gateway.patient()
    const document = aDocument(patient, certificate)
    const outcome = await door.feed(nurse, document, { consent: declared.informed })
    assert.ok(outcome.ok, outcome.text)
    assert.equal((await found(door, colleague, patient)).length, 1)
  })
})

withGateway('search results', (suite) => {
  it('are counted after the filter, page by page, whatever the page size', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const shown: string[] = []
    for (let index = 0; index < 9; index++) {
      const changes: Partial<DocumentEntry> = index % 3 === 0 ? masked : {}
      const { entry } = await feed(gateway.xdsDoor, patient, changes)
      if (index % 3 !== 0) shown.push(entry.uniqueId)
    }
    for (const count of [1, 4, 6, 200]) {
      const { entries, total } = await gateway.fhir.find(colleague, patient, { ...careTeam, query: `_count=${count}` })
      assert.equal(total, 6)
      assert.deepEqual(entries.map(({ uniqueId }) => uniqueId as string).sort(), shown.sort())
    }
  })

  it('name nothing of a document the caller may not see in relatesTo', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const first = await feed(gateway.xdsDoor, patient, masked)
    const second = aDocument(patient)
    const replaced = await gateway.xdsDoor.feed(structure, second, {
      consent: declared.informed,
      replaces: first.stored,
    })
    assert.ok(replaced.ok, replaced.text)
    const seen = await gateway.fhir.find(colleague, patient, careTeam)
    assert.equal(seen.total, 1)
    assert.ok(!seen.raw.includes(first.stored.logicalId.slice(9)))
    const byAuthor = await gateway.fhir.find(author, patient, careTeam)
    assert.ok(byAuthor.raw.includes(first.stored.logicalId.slice(9)), 'the author sees what was replaced')
  })

  atBothDoors(suite, 'of a patient without documents are empty, of one without a record refused', async (door) => {
    assert.deepEqual(await found(door, colleague, await suite.gateway.patient()), [])
    assert.equal((await door.find(colleague, aPatient(), careTeam)).outcome.code, 'dmp-unknown')
  })
})
