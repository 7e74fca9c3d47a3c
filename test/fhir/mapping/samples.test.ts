import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Bundle, DocumentReference, List, Resource } from '@medplum/fhirtypes'
import {
  fromDocumentReference,
  fromFolderList,
  fromSubmissionSetList,
  listKind,
  toFolderList,
  toSubmissionSetList,
} from '../../../src/fhir/mapping/index.ts'
import { newEntryUuid, patientKey, type UniqueId } from '../../../src/metadata/identifiers.ts'
import { sent, served } from './published.ts'

const shared = path.resolve(import.meta.dirname, '..', '..', '..', '..', 'shared')
const folders = ['samples/fhir', 'conformance/mhd-replay/data'].map((name) => path.join(shared, name))

function resourcesOf(file: string): Resource[] {
  const parsed: Resource = JSON.parse(readFileSync(file, 'utf8'))
  return parsed.resourceType === 'Bundle'
    ? ((parsed as Bundle).entry ?? []).flatMap(({ resource }) => resource ?? [])
    : [parsed]
}

/** What the server of the examples would know. */
const options = {
  profile: 'ihe',
  resolve: (reference: string): Resource | undefined =>
    ({
      'Practitioner/ex-practitioner': { resourceType: 'Practitioner' as const, name: [{ family: 'EXEMPLE' }] },
      'Organization/ex-organization': { resourceType: 'Organization' as const, name: 'CH EXEMPLE' },
    })[reference],
  resolvePatient: (reference: string) =>
    /ex-patient|patientResourceId|e00111100004$/.test(reference) ? patientKey('1.2.250.1.999.1', '7') : undefined,
} as const

describe('mapping: published examples', () => {
  const missing = folders.filter((folder) => !existsSync(folder))
  if (missing.length > 0) {
    it.skip(`needs ${missing.join(' and ')}`)
    return
  }
  for (const folder of folders)
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) =>
      each.endsWith('.json'),
    ))
      for (const [index, resource] of resourcesOf(path.join(folder, name)).entries()) {
        // A defective message of the NIST set is for the transaction's tests.
        if (/Bad_|Missing_/.test(name)) continue
        if (resource.resourceType === 'DocumentReference')
          it(`${path.basename(folder)}/${name} [${index}]: the second pass gives what the first gave`, () =>
            passTwice(resource))
        if (resource.resourceType === 'List')
          it(`${path.basename(folder)}/${name} [${index}]: the second pass gives what the first gave`, () =>
            passListTwice(resource))
      }
})

function passTwice(resource: DocumentReference): void {
  const withSubject = resource.subject ? resource : { ...resource, subject: { reference: 'Patient/ex-patient' } }
  const current = { ...withSubject, status: 'current' as const }
  const first = fromDocumentReference(current, { ...options, assign: { entryUuid: newEntryUuid() } })
  assert.deepEqual(
    first.issues.filter(({ severity }) => severity === 'error'),
    [],
  )
  assert.ok(first.entry)
  const written = served(first.entry)
  const second = fromDocumentReference(written, { profile: 'ihe' })
  assert.deepEqual(second.issues, [])
  assert.deepEqual(second.entry, first.entry)
  assert.deepEqual(second.entry && served(second.entry), written)
  const { type, category, securityLabel, context, content } = resource
  const code = (concept?: { coding?: { system?: string; code?: string }[] }) =>
    concept?.coding?.map((each) => `${each.system}|${each.code}`)
  assert.deepEqual(code(written.type), code(type))
  assert.deepEqual(written.category?.map(code), category?.map(code))
  assert.deepEqual(written.securityLabel?.map(code), securityLabel?.map(code))
  assert.deepEqual(code(written.context?.facilityType), code(context?.facilityType))
  assert.deepEqual(code(written.context?.practiceSetting), code(context?.practiceSetting))
  assert.equal(written.content[0]?.format?.code, content[0]?.format?.code)
  assert.equal(written.masterIdentifier?.value, resource.masterIdentifier?.value)
}

function passListTwice(list: List): void {
  const assign = { entryUuid: newEntryUuid(), uniqueId: '1.2.250.1.999.9.3' as UniqueId }
  if (listKind(list) === 'folder') {
    const first = fromFolderList(list, { ...options, assign })
    assert.deepEqual(first.issues, [])
    assert.ok(first.value)
    assert.deepEqual(fromFolderList(sent(toFolderList(first.value, { items: [] })), options).value, first.value)
    return
  }
  const first = fromSubmissionSetList(list, { ...options, assign })
  assert.deepEqual(first.issues, [])
  assert.ok(first.value)
  const written = sent(toSubmissionSetList(first.value, { items: [] }))
  assert.deepEqual(fromSubmissionSetList(written, options).value, first.value)
}
