/** Messages, packages and identities that are not what SOAP, MTOM and the VIHF ask for. */
import { aDocument, declared, people, submissionOf } from '../../support/gateway.ts'
import { composeMtom } from '../../support/mtom.ts'
import { contentId, provideBody, queryBody, retrieveBody } from '../../support/xds-client.ts'
import { type Case, consent, documentBytes, metadataBytes, refuses, structure, type World } from './refuses.ts'

/** An ITI-41 message, to be spoilt. */
function message({ gateway, patient }: World, document = aDocument(patient)) {
  const submission = submissionOf([document])
  const body = provideBody(submission, [document.entry])
  const who = { ins: patient.ins, ...structure }
  const envelope = gateway.xds.envelope(who, { transaction: 'ITI-41', body, consent })
  const part = { contentId: contentId(document.entry), contentType: 'text/xml', bytes: document.bytes }
  return { document, envelope, part }
}

const soap: readonly Case[] = [
  {
    name: 'MTOM that ends within the document',
    async send(world) {
      const { envelope, part } = message(world)
      const { contentType, body } = composeMtom(envelope, [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body.subarray(0, body.length - part.bytes.length)))
        .outcome
    },
    code: 'malformed',
    status: 400,
  },
  {
    name: 'MTOM whose last boundary is missing',
    async send(world) {
      const { envelope, part } = message(world)
      const { contentType, body } = composeMtom(envelope, [part])
      const end = body.lastIndexOf('\r\n--')
      return (await world.gateway.xds.raw('ITI-41', contentType, body.subarray(0, end))).outcome
    },
    code: 'malformed',
    status: 400,
  },
  {
    name: 'a boundary that is not the one announced',
    async send(world) {
      const { envelope, part } = message(world)
      const { contentType, body } = composeMtom(envelope, [part])
      const other = contentType.replace(/boundary="[^"]*"/, 'boundary="another"')
      return (await world.gateway.xds.raw('ITI-41', other, body)).outcome
    },
    code: 'malformed',
    says: /boundary/,
    status: 400,
  },
  {
    name: 'a xop:Include that leads to no part',
    async send(world) {
      const { envelope } = message(world)
      const { contentType, body } = composeMtom(envelope)
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'malformed',
    says: /xop:Include/,
    status: 200,
  },
  {
    name: 'a DocumentEntry without its Document',
    async send(world) {
      const { envelope } = message(world)
      const { contentType, body } = composeMtom(envelope.replace(/<xds:Document .*<\/xds:Document>/s, ''))
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'XDSMissingDocument',
    status: 200,
  },
  {
    name: 'a Document without its DocumentEntry',
    async send(world) {
      const { envelope, part } = message(world)
      const stranger = envelope.replace(/<xds:Document id="[^"]*"/, '<xds:Document id="another"')
      const { contentType, body } = composeMtom(stranger, [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'XDSMissingDocumentMetadata',
    status: 200,
  },
  {
    name: 'a DOCTYPE in the envelope',
    async send(world) {
      const { envelope, part } = message(world)
      const hostile = envelope.replace('?>', '?><!DOCTYPE soap:Envelope [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
      const { contentType, body } = composeMtom(hostile, [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'malformed',
    says: /DOCTYPE/i,
    status: 400,
  },
  {
    name: 'an envelope over the limit of metadata',
    async send(world) {
      const { envelope, part } = message(world)
      const long = envelope.replace(
        '<soap:Header>',
        `<soap:Header><x:Pad xmlns:x="urn:x">${'x'.repeat(metadataBytes)}</x:Pad>`,
      )
      const { contentType, body } = composeMtom(long, [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'over-limit',
    status: 413,
  },
  {
    name: 'a document over the limit of documents',
    async send(world) {
      const large = aDocument(world.patient, {}, Buffer.alloc(documentBytes + 1, 'a'))
      const { envelope, part } = message(world, large)
      const { contentType, body } = composeMtom(envelope, [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'over-limit',
    status: 413,
  },
  {
    name: 'text/plain',
    async send(world) {
      const { envelope } = message(world)
      return (await world.gateway.xds.raw('ITI-41', 'text/plain', Buffer.from(envelope))).outcome
    },
    code: 'media-type',
    status: 415,
  },
  {
    name: 'base64 that is none, in an envelope without attachments',
    async send(world) {
      const { envelope } = message(world)
      const garbage = envelope.replace(/<xop:Include [^>]*\/>/, 'ceci n’est pas du base64 !')
      return (await world.gateway.xds.raw('ITI-41', 'application/soap+xml', Buffer.from(garbage))).outcome
    },
    code: 'malformed',
    says: /base64/i,
    status: 400,
  },
  {
    name: 'an expired identity',
    send: ({ gateway, patient }) =>
      gateway.xdsDoor.feed({ ...structure, expiresSeconds: -3600 }, aDocument(patient), { consent }),
    code: 'identity-expired',
    says: /wsse:MessageExpired/,
    status: 400,
  },
  {
    name: 'no identity',
    async send(world) {
      const { envelope, part } = message(world)
      const anonymous = envelope.replace(/<wsse:Security.*<\/wsse:Security>/s, '')
      const { contentType, body } = composeMtom(anonymous, [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'identity-missing',
    says: /wsse:FailedAuthentication/,
    status: 400,
  },
  {
    name: 'an identity changed after it was signed',
    async send(world) {
      const { envelope, part } = message(world)
      const { contentType, body } = composeMtom(envelope.replaceAll('CH EXEMPLE</saml2', 'CH AUTRE</saml2'), [part])
      return (await world.gateway.xds.raw('ITI-41', contentType, body)).outcome
    },
    code: 'identity-invalid',
    says: /wsse:InvalidSecurityToken/,
    status: 400,
  },
  {
    name: 'a stored query that is not known',
    async send({ gateway, patient }) {
      const body = queryBody('urn:uuid:00000000-0000-4000-8000-000000000000', {})
      const who = { ...people.author, ins: patient.ins }
      return (await gateway.xds.call(who, { transaction: 'ITI-18', body, consent: declared.careTeam })).outcome
    },
    code: 'XDSUnknownStoredQuery',
    status: 200,
  },
  {
    name: 'a structure certificate that consults (ITI-18)',
    send: async ({ gateway, patient }) =>
      (await gateway.xds.find(structure, patient, { consent: declared.careTeam })).outcome,
    code: 'nominative-identity-required',
    status: 200,
  },
  {
    name: 'a structure certificate that retrieves (ITI-43)',
    send: async ({ gateway, patient, stored }) => {
      const body = retrieveBody([stored.entry.uniqueId])
      const who = { ...structure, ins: patient.ins }
      return (await gateway.xds.call(who, { transaction: 'ITI-43', body, consent: declared.careTeam })).outcome
    },
    code: 'nominative-identity-required',
    status: 200,
  },
]

refuses('SOAP', soap)
