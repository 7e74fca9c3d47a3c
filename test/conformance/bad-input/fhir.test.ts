/** Bodies, headers and tokens that are not what FHIR, MHD and IUA ask for. */
import { aDocument, aPatient, declared, people } from '../../support/gateway.ts'
import type { Outcome } from '../../support/outcome.ts'
import { documentReference, provideBundle, simplifiedPublish } from '../../support/resources.ts'
import { type Case, consent, documentBytes, metadataBytes, refuses, structure, type World } from './refuses.ts'

function posted(
  target: string,
  body: (world: World) => Buffer | string | object,
  headers: Record<string, string> = {},
) {
  return async (world: World): Promise<Outcome> =>
    (await world.gateway.fhir.call(structure, 'POST', target, { body: body(world), consent, headers })).outcome
}

function publication({ patient }: World): string {
  return JSON.stringify(simplifiedPublish(aDocument(patient)))
}

const fhir: readonly Case[] = [
  {
    name: 'JSON that breaks off',
    send: posted('/DocumentReference', (world) => publication(world).slice(0, -20)),
    code: 'malformed',
    status: 400,
  },
  {
    name: 'a Bundle that breaks off within a document',
    send: posted('', ({ patient }) => {
      const text = JSON.stringify(provideBundle([aDocument(patient)]))
      return text.slice(0, text.indexOf('"data":"') + 30)
    }),
    code: 'malformed',
    status: 400,
  },
  {
    name: 'JSON that is not one resource',
    send: posted('/DocumentReference', () => '[1, 2]'),
    code: 'malformed',
    status: 400,
  },
  {
    name: 'JSON over the limit of metadata',
    send: posted('/DocumentReference', (world) =>
      publication(world).replace('"status"', `"language":"${'x'.repeat(metadataBytes)}","status"`),
    ),
    code: 'over-limit',
    status: 413,
  },
  {
    name: 'a document over the limit of documents',
    send: posted('/DocumentReference', ({ patient }) =>
      simplifiedPublish(aDocument(patient, {}, Buffer.alloc(documentBytes + 1, 'a'))),
    ),
    code: 'over-limit',
    status: 413,
  },
  {
    name: 'base64 that is none',
    send: posted('/DocumentReference', (world) =>
      publication(world).replace(/"data":"[^"]*"/, '"data":"ceci n’est pas du base64 !"'),
    ),
    code: 'malformed',
    says: /base64/i,
    status: 400,
  },
  {
    name: 'an attachment without bytes',
    send: posted('/DocumentReference', ({ patient }) => documentReference(aDocument(patient).entry)),
    code: 'XDSMissingDocument',
    status: 422,
  },
  {
    name: 'text/plain',
    send: posted('/DocumentReference', publication, { 'Content-Type': 'text/plain' }),
    code: 'media-type',
    status: 415,
  },
  {
    name: 'a DOCTYPE in XML',
    send: posted(
      '/DocumentReference',
      () => '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><DocumentReference xmlns="http://hl7.org/fhir"/>',
      { 'Content-Type': 'application/fhir+xml' },
    ),
    code: 'malformed',
    says: /DOCTYPE/i,
    status: 400,
  },
  {
    name: 'a Bundle whose document is nowhere in it',
    send: posted('', ({ patient }) => {
      const bundle = provideBundle([aDocument(patient)])
      return { ...bundle, entry: bundle.entry?.slice(0, 2) }
    }),
    code: 'XDSMissingDocument',
    status: 422,
  },
  {
    name: 'a DMP-Consent that is no structured field',
    send: async ({ gateway, patient }) =>
      (
        await gateway.fhir.call(structure, 'POST', '/DocumentReference', {
          body: simplifiedPublish(aDocument(patient)),
          headers: { 'DMP-Consent': 'informed=oui, ?' },
        })
      ).outcome,
    code: 'header-invalid',
    status: 400,
  },
  {
    name: 'an expired token',
    send: ({ gateway, patient }) =>
      gateway.fhirDoor.feed({ ...structure, expiresSeconds: -3600 }, aDocument(patient), { consent }),
    code: 'identity-expired',
    status: 401,
  },
  {
    name: 'no token',
    send: async ({ gateway, patient }) =>
      (
        await gateway.fhir.call(structure, 'POST', '/DocumentReference', {
          body: simplifiedPublish(aDocument(patient)),
          headers: { Authorization: undefined },
        })
      ).outcome,
    code: 'identity-missing',
    status: 401,
  },
  {
    name: 'a token changed after it was signed',
    send: async ({ gateway, patient }) => {
      const body = simplifiedPublish(aDocument(patient))
      const token = `eyJhbGciOiJub25lIn0.${Buffer.from('{"iss":"x"}').toString('base64url')}.`
      return (await gateway.fhir.call(structure, 'POST', '/DocumentReference', { body, token })).outcome
    },
    code: 'identity-invalid',
    status: 401,
  },
  {
    name: 'a structure certificate that consults (ITI-67)',
    send: async ({ gateway, patient }) =>
      (await gateway.fhir.find(structure, patient, { consent: declared.careTeam })).outcome,
    code: 'nominative-identity-required',
    status: 403,
  },
  {
    name: 'a search that names no patient',
    send: async ({ gateway }) =>
      (
        await gateway.fhir.call(people.author, 'GET', '/DocumentReference?status=current', {
          consent: declared.careTeam,
        })
      ).outcome,
    code: 'invalid-parameter',
    status: 400,
  },
  {
    name: 'a search for a patient without a record',
    send: async ({ gateway }) =>
      (await gateway.fhir.find(people.author, aPatient(), { consent: declared.careTeam })).outcome,
    code: 'dmp-unknown',
    status: 404,
  },
]

refuses('FHIR', fhir)
