/** What is fed is judged the same way whichever door it comes through. */
import assert from 'node:assert/strict'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { codes } from '../../mothers/metadata.ts'
import { aDocument, aPatient, type Door, submissionOf } from '../../support/gateway.ts'
import type { Outcome } from '../../support/outcome.ts'
import { provideBundle } from '../../support/resources.ts'
import { type Case, consent, refuses, structure, type World } from './refuses.ts'

/** Through either door; status in XDS.b is 200 wherever a RegistryResponse can say it. */
function onBothDoors(
  name: string,
  feed: (door: Door, world: World) => Promise<Outcome>,
  { code, says, http }: { readonly code: string; readonly says?: RegExp; readonly http: number },
): readonly Case[] {
  return (['fhirDoor', 'xdsDoor'] as const).map((door) => ({
    name: `${name} (${door === 'fhirDoor' ? 'FHIR' : 'XDS.b'})`,
    send: (world) => feed(world.gateway[door], world),
    code,
    ...(says && { says }),
    status: door === 'fhirDoor' ? http : 200,
  }))
}

function changed(change: (entry: DocumentEntry) => Partial<DocumentEntry>) {
  return (door: Door, { patient }: World): Promise<Outcome> => {
    const document = aDocument(patient)
    return door.feed(structure, { ...document, entry: { ...document.entry, ...change(document.entry) } }, { consent })
  }
}

const feeding: readonly Case[] = [
  ...onBothDoors(
    'a hash that is not that of the bytes',
    changed(() => ({ hash: 'a'.repeat(40) })),
    {
      code: 'XDSRepositoryMetadataError',
      says: /SHA-1/,
      http: 422,
    },
  ),
  ...onBothDoors(
    'a size that is not that of the bytes',
    changed(({ size = 0 }) => ({ size: size + 1 })),
    {
      code: 'XDSRepositoryMetadataError',
      says: /bytes were received/,
      http: 422,
    },
  ),
  ...onBothDoors('a patient without a record', (door) => door.feed(structure, aDocument(aPatient()), { consent }), {
    code: 'dmp-unknown',
    http: 404,
  }),
  ...onBothDoors(
    'a uniqueId that is stored, with the same bytes',
    (door, { patient, stored }) =>
      door.feed(structure, aDocument(patient, { uniqueId: stored.entry.uniqueId }, stored.bytes), { consent }),
    { code: 'XDSDuplicateUniqueIdInRegistry', http: 409 },
  ),
  ...onBothDoors(
    'a uniqueId that is stored, with other bytes',
    (door, { patient, stored }) =>
      door.feed(structure, aDocument(patient, { uniqueId: stored.entry.uniqueId }), { consent }),
    { code: 'XDSNonIdenticalHash', http: 409 },
  ),
  ...onBothDoors(
    'a typeCode outside the value set of the DMP',
    changed(() => ({ typeCode: { code: '99999-9', system: '2.16.840.1.113883.6.1', display: 'Inconnu' } })),
    { code: 'type-not-accepted', says: /JDV_J66/, http: 422 },
  ),
  ...onBothDoors(
    'a classCode that is not that of the type',
    changed(() => ({ classCode: codes.prescription })),
    {
      code: 'class-type-mismatch',
      says: /ASS_X16/,
      http: 422,
    },
  ),
  ...onBothDoors(
    'a formatCode outside the value set of the DMP',
    changed(() => ({ formatCode: { code: 'urn:exemple:format', system: '1.2.250.1.999.1', display: 'Format' } })),
    { code: 'code-not-accepted', says: /JDV_J60/, http: 422 },
  ),
  ...onBothDoors(
    'confidentiality R, which is not shared',
    changed(() => ({ confidentialityCodes: [{ ...codes.normal, code: 'R', display: 'Restreint' }] })),
    { code: 'confidentiality-not-shareable', http: 422 },
  ),
  ...onBothDoors(
    'a patient who was not informed of feeding',
    async (door, { gateway }) => door.feed(structure, aDocument(await gateway.patient())),
    { code: 'patient-not-informed', says: /DMP-Consent/, http: 403 },
  ),
  ...onBothDoors(
    'an identity of another patient',
    (door, { patient }) => door.feed({ ...structure, ins: aPatient().ins }, aDocument(patient), { consent }),
    { code: 'patient-mismatch', http: 403 },
  ),
  ...onBothDoors(
    'an occasion to feed twice under one uniqueId in one message',
    async ({ name }, { gateway, patient }) => {
      const [first, second] = [aDocument(patient), aDocument(patient)]
      const twins = [first, { ...second, entry: { ...second.entry, uniqueId: first.entry.uniqueId } }]
      const reply =
        name === 'XDS.b'
          ? await gateway.xds.provide(structure, submissionOf(twins), twins, { consent })
          : await gateway.fhir.provide(structure, provideBundle(twins), { consent })
      return reply.outcome
    },
    { code: 'XDSRegistryDuplicateUniqueIdInMessage', http: 422 },
  ).map((each) =>
    // The repository has a name of its own for it (ITI TF-3 table 4.2.4.1-2)
    each.name.endsWith('(XDS.b)') ? { ...each, code: 'XDSRepositoryDuplicateUniqueIdInMessage' } : each,
  ),
]

refuses('what is fed', feeding, (world) => {
  it('reports every violation of a message at once', async () => {
    const document = aDocument(world().patient)
    const wrong = {
      ...document.entry,
      typeCode: { ...codes.bloodTest, code: '99999-9' },
      formatCode: { ...codes.labFormat, code: 'urn:exemple' },
      confidentialityCodes: [{ ...codes.normal, code: 'V', display: 'Très restreint' }],
    }
    for (const door of world().gateway.doors) {
      const { text } = await door.feed(structure, { ...document, entry: wrong }, { consent })
      for (const code of ['type-not-accepted', 'code-not-accepted', 'confidentiality-not-shareable'])
        assert.ok(text.includes(code), `${door.name} does not say ${code}: ${text}`)
    }
  })
})
