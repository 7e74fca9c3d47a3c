/**
 * The simulated DMP is strict: requests that the connector really made are each broken in one place, and the rule that
 * breaks is named. What was not broken is admitted, so that no rule here is vacuous.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Check } from '../../../src/cli/simulator/check.ts'
import type { ServiceName } from '../../../src/cli/simulator/frame.ts'
import { createGate } from '../../../src/cli/simulator/gate.ts'
import type { Simulator } from '../../../src/cli/simulator/index.ts'
import { checkRights, type Td } from '../../../src/cli/simulator/vihf.ts'
import { createIdentity } from '../../../src/identity/index.ts'
import { aDocument, declared, people, replacementOf, submissionOf } from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'

interface Recorded {
  readonly service: string
  readonly type: string
  readonly bytes: Buffer
}

type Mode = 'INDIRECTE' | 'INDIRECTE_RENFORCEE'

const root = '/si-dmp-server/v2/services/'
const clock = { now: () => new Date() }
const masking = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'

describe('the simulated national DMP', () => {
  let gateway: NationalGateway
  let recorder: Server
  let judge: Server
  let judgeUrl: string
  const recorded: Recorded[] = []

  before(async () => {
    gateway = await openNationalGateway(async (farEnd) => {
      recorder = await listening(farEnd, (request, response) => {
        void (async () => {
          const bytes = await bytesOf(request)
          const { host: _host, ...headers } = request.headers
          recorded.push({ service: serviceOf(request), type: headers['content-type'] ?? '', bytes })
          const onward = httpsRequest(`${farEnd.baseUrl}/${serviceOf(request)}`, {
            ...{ method: request.method, headers, ...clientOf(farEnd) },
          })
          onward.on('response', (answer) => {
            response.writeHead(answer.statusCode ?? 500, answer.headers)
            answer.pipe(response)
          })
          onward.end(bytes)
        })()
      })
      return { baseUrl: `${urlOf(recorder)}${root.slice(0, -1)}` }
    })
    const { farEnd } = gateway
    const identity = await createIdentity({
      mode: 'development',
      trustedVihf: [{ certificate: farEnd.keys.signature.certificate }],
    })
    // A gate of its own for every request: a request is then broken in one place only, and not also a repetition
    judge = await listening(farEnd, (request, response) => {
      void createGate({ identity, clock, sites: [] })(request, response, serviceOf(request) as ServiceName).then(
        (admitted) => admitted && response.writeHead(200).end(`ADMITTED ${admitted.td}`),
      )
    })
    judgeUrl = urlOf(judge)
    await useAll()
  })
  after(async () => {
    await gateway.close()
    for (const server of [recorder, judge]) {
      server.closeAllConnections()
      server.close()
    }
  })

  /** One request at least of each transaction. */
  async function useAll(): Promise<void> {
    const patient = await gateway.patient()
    const who = { ...people.author, ins: patient.ins }
    const consent = declared.careTeam
    const provide = async (document: ReturnType<typeof aDocument>, more: Parameters<typeof submissionOf>[1] = []) => {
      const submission = submissionOf([document], more)
      const { outcome } = await gateway.xds.provide(people.structure, submission, [document], {
        consent: declared.informed,
      })
      assert.ok(outcome.ok, JSON.stringify(outcome))
    }
    const document = aDocument(patient)
    await provide(document)
    const [first] = (await gateway.xdsDoor.find(who, patient, { consent })).entries
    assert.ok(first)
    const replacement = aDocument(patient)
    await provide(replacement, [replacementOf(first, replacement)])
    const [stored] = (await gateway.fhirDoor.find(who, patient, { consent })).entries
    assert.ok(stored)
    assert.ok((await gateway.fhirDoor.retrieve(who, stored, { consent })).bytes)
    const change = (operation: object) =>
      gateway.fhir.call(who, 'PATCH', `/DocumentReference/${stored.logicalId.slice('urn:uuid:'.length)}`, {
        consent,
        headers: { 'Content-Type': 'application/json-patch+json' },
        body: JSON.stringify([operation]),
      })
    const label = { coding: [{ system: masking, code: 'MASQUE_PS' }] }
    assert.equal((await change({ op: 'add', path: '/securityLabel/0', value: label })).status, 200)
    assert.equal((await change({ op: 'replace', path: '/status', value: 'entered-in-error' })).status, 200)
  }

  const judged = ({ service, type, bytes }: Recorded): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: { 'Content-Type': type }, ...clientOf(gateway.farEnd) }
      const sent = httpsRequest(`${judgeUrl}${root}${service}`, options)
      sent.on('error', reject)
      sent.on('response', (answer) => void bytesOf(answer).then((body) => resolve(body.toString()), reject))
      sent.end(bytes)
    })
  /** The last request that holds this. */
  const requestWith = (mark: string): Recorded => {
    const found = recorded.findLast(({ bytes }) => bytes.includes(mark))
    assert.ok(found, `a request with ${mark} was recorded`)
    return found
  }

  it('admits every request as the connector made it, each as its own operation', async () => {
    const operations = new Set<string>()
    for (const request of recorded) {
      const answer = await judged(request)
      assert.match(answer, /^ADMITTED /, `${request.service}: ${answer}`)
      operations.add(answer)
    }
    for (const td of ['TD0.2', 'TD0.3', 'TD2.1', 'TD3.1a', 'TD3.2', 'TD3.3a', 'TD3.3c'])
      assert.ok(operations.has(`ADMITTED ${td}`), td)
  })

  const status = 'PRPA_IN201307UV02 '
  const provide = 'AssociationType:RPLC'
  const find = '14d4debf-8f97-4251-9a74-a90016b0af0d'
  const retrieve = 'RetrieveDocumentSetRequest'
  const mask = 'PreviousVersion'
  const remove = 'UpdateAvailabilityStatus'
  /** What is broken, of which request, by which change, and the rule that must be named. */
  const broken: readonly (readonly [string, string, string | RegExp, string, RegExp])[] = [
    ['no MessageID', status, /<(\w+:)?MessageID[\s\S]*?MessageID>/, '', /§1\.2 MessageID/],
    [
      'a MessageID that is no UUID',
      status,
      /urn:uuid:[0-9a-f-]+(?=<\/(\w+:)?MessageID>)/,
      'urn:uuid:1',
      /§1\.2 MessageID/,
    ],
    [
      'Action not to be understood',
      status,
      /(<(?:\w+:)?Action[^>]*) (?:\w+:)?mustUnderstand="\w+"/,
      '$1',
      /§1\.2 Action/,
    ],
    ['the Action of another service', status, 'UV02</', 'UV99</', /§1\.2 Action/],
    ['ReplyTo to an address', status, 'addressing/anonymous', 'addressing/elsewhere', /§1\.2 ReplyTo/],
    ['an attribute on Security', status, /<(\w+:)?Security /, '<$1Security id="x" ', /§1\.2 Security/],
    ['an altered VIHF', status, 'Ressource_URN', 'Ressource_Urn', /DMP-FACTS §2/],
    ['another purpose', status, /code="normal"/, 'code="autre"', /purposeofuse/],
    ['a VIHF without homologation', status, 'LPS_ID_HOMOLOGATION_DMP', 'LPS_ID_AUTRE', /LPS_ID_HOMOLOGATION_DMP/],
    ['another mode', find, 'INDIRECTE_RENFORCEE', 'INDIRECTE', /DMP-FACTS §2/],
    [
      'HL7 v3 out of order',
      status,
      /(<(?:\w+:)?processingCode [^>]*>)([\s\S]*?)(?=<(?:\w+:)?receiver)/,
      '$2$1',
      /§2\.0 ordre/,
    ],
    ['an unknown reason', status, /TEST_EXST|CNSLT_DATA/, 'AUTRE', /§2\.1 reasonCode/],
    ['another patient in TD0.2', status, /extension="26005/, 'extension="16005', /§4\.1 patientId/],
    ['an unknown action of TD0.3', 'setAuthorization', '>AJOUT<', '>AJOUTER<', /§2\.4 action/],
    [
      'a part that is not binary',
      provide,
      'Content-Transfer-Encoding: binary',
      'Content-Transfer-Encoding: 8bit',
      /§1\.3 Content-Transfer/,
    ],
    ['an inclusion that leads nowhere', provide, /href="cid:/, 'href="cid:x', /§1\.3 xop:Include/],
    ['a second object of one id', provide, 'id="SubmissionSet01"', 'id="Document01"', /§3\.1/],
    [
      'a lid at submission',
      provide,
      '<rim:ExtrinsicObject ',
      '<rim:ExtrinsicObject lid="urn:uuid:3b9d61f2-0c47-4ad8-9e15-72f0b8c4d6a1" ',
      /§3\.1 lid/,
    ],
    ['a local submissionTime', provide, /(name="submissionTime"[\s\S]*?Value>\d{12})\d\d/, '$1', /submissionTime/],
    ['a uniqueId with an extension', provide, /(value="2\.25\.\d+)(?=")/, '$1^7', /OID seul/],
    ['an INS without NH', provide, '&amp;ISO^NH', '&amp;ISO^PI', /INS\^\^\^&amp;OID/],
    ['no N', provide, 'nodeRepresentation="N"', 'nodeRepresentation="R"', /confidentiality/],
    [
      'an unknown label',
      provide,
      'nodeRepresentation="MASQUE_PS"',
      'nodeRepresentation="MASQUE_PT"',
      /confidentiality/,
    ],
    ['an unknown media type', provide, 'mimeType="text/xml"', 'mimeType="application/pdf"', /mimeType/],
    ['the hash of another document', provide, /(name="hash"[\s\S]*?Value>)[0-9a-f]{4}/, '$10000', /§3\.2 hash/],
    ['the size of another document', provide, /(name="size"[\s\S]*?Value>)/, '$11', /§3\.2 size/],
    [
      'another structure as author',
      provide,
      /\^IDNST\^\^\^1010099999/g,
      '^IDNST^^^1020099999',
      /§5\.2 authorInstitution/,
    ],
    ['a signature entry of another language', provide, '>art<', '>fr-FR<', /§3\.3 signature languageCode/],
    ['no signature entry', provide, 'nodeRepresentation="E1762"', 'nodeRepresentation="11502-2"', /§3\.3/],
    ['an altered document', provide, 'urn:exemple', 'urn:exampl', /§3\.4 Manifest/],
    ['an altered manifest', provide, 'AA==', 'AQ==', /§3\.4 Manifest[\s\S]*condensat faux|condensat faux/],
    ['an altered time of signature', provide, /(SigningTime>\d{3})\d/, '$10', /S0-SignedProperties : condensat faux/],
    ['an altered SignedInfo', provide, /(#S0-SignedProperties"[\s\S]*?DigestValue>)\w/, '$1_', /§3\.4 SignatureValue/],
    [
      'RPLC of 2010',
      provide,
      'urn:ihe:iti:2007:AssociationType:RPLC',
      'urn:ihe:iti:2010:AssociationType:RPLC',
      /§3\.5/,
    ],
    [
      'an association without its status',
      provide,
      /(AssociationType:RPLC[\s\S]*?)Original/,
      '$1Reference',
      /§3\.5 SubmissionSetStatus/,
    ],
    [
      'a patient in parentheses',
      find,
      /(PatientId"[\s\S]*?Value>)('[^<]*')/,
      '$1($2)',
      /§4\.1 \$XDSDocumentEntryPatientId/,
    ],
    [
      'a status without parentheses',
      find,
      /(EntryStatus"[\s\S]*?Value>)\(([^<]*)\)/,
      '$1$2',
      /§4\.1 \$XDSDocumentEntryStatus/,
    ],
    ['an unknown query', find, '14d4debf', '14d4debe', /§4\.1 AdhocQuery/],
    ['another patient in a query', find, /'26005/, "'16005", /§4\.1 patientId/],
    [
      'an entryUUID for a uniqueId',
      retrieve,
      /(DocumentUniqueId>)[^<]+/,
      '$1urn:uuid:3b9d61f2-0c47-4ad8-9e15-72f0b8c4d6a1',
      /§4\.3 DocumentUniqueId/,
    ],
    ['a version that is no number', mask, /(PreviousVersion"[\s\S]*?Value>)\d/, '$1a', /§4\.4 PreviousVersion/],
    ['a version without its hash', mask, 'name="hash"', 'name="urn:hash"', /§4\.4 hash/],
    ['an update without lid', mask, / lid="[^"]*"/, '', /§4\.4 lid/],
    ['a change of status that there is not', remove, /(NewStatus"[\s\S]*?StatusType:)Deleted/, '$1Deprecated', /§4\.5/],
    [
      'a status change of a symbolic id',
      remove,
      /targetObject="[^"]*"/,
      'targetObject="Document01"',
      /§4\.5 targetObject/,
    ],
  ]
  for (const [what, mark, from, to, rule] of broken)
    it(`refuses ${what}, and names the rule`, async () => {
      const request = requestWith(mark)
      const text = request.bytes.toString('latin1')
      const changed = text.replace(from, to)
      assert.notEqual(changed, text, 'the request was changed')
      const answer = await judged({ ...request, bytes: Buffer.from(changed, 'latin1') })
      assert.match(answer, rule)
      assert.match(answer, /Fault|Failure/)
    })

  it('refuses plain SOAP where documents travel, and a type that is neither', async () => {
    const { service, bytes } = requestWith(find)
    assert.match(await judged({ service, bytes, type: 'text/xml; charset=UTF-8' }), /§1\.2 Content-Type/)
    const plain = requestWith(status)
    assert.match(await judged({ ...plain, service: 'repository' }), /§1\.2 Action/)
    assert.match(await judged({ ...plain, type: plain.type.replace(/UTF-8/i, 'cp1252') }), /§1\.2 Content-Type/)
    const mtom = requestWith(provide)
    const started = mtom.type.replace('start="<', 'start="<x')
    assert.match(await judged({ ...mtom, type: started }), /§1\.3 partie racine/)
  })

  const rights: readonly (readonly [Td, Mode, string, boolean])[] = [
    ['TD2.1', 'INDIRECTE', 'normal', true],
    ['TD2.1', 'INDIRECTE_RENFORCEE', 'normal', false],
    ['TD3.1a', 'INDIRECTE', 'normal', false],
    ['TD3.1b', 'INDIRECTE', 'normal', true],
    ['TD3.2', 'INDIRECTE', 'normal', false],
    ['TD3.2', 'INDIRECTE_RENFORCEE', 'bris_de_glace', true],
    ['TD0.3', 'INDIRECTE', 'normal', false],
    ['TD0.3', 'INDIRECTE_RENFORCEE', 'bris_de_glace', false],
    ['TD1.6', 'INDIRECTE', 'normal', false],
    ['TD1.6', 'INDIRECTE_RENFORCEE', 'centre_15', false],
    ['TD3.3a', 'INDIRECTE', 'normal', false],
    ['TD3.3a', 'INDIRECTE_RENFORCEE', 'bris_de_glace', false],
    ['TD3.3c', 'INDIRECTE', 'normal', true],
    ['TD3.3d', 'INDIRECTE', 'normal', false],
    ['TD3.3d', 'INDIRECTE_RENFORCEE', 'bris_de_glace', true],
  ]
  for (const [td, mode, purpose, may] of rights)
    it(`${may ? 'lets' : 'does not let'} ${mode} ask ${td} in ${purpose}`, () => {
      const check = new Check()
      const vihf = { id: '_1', nameId: '899700000001', structure: '1010099999', certificate: '', patient: 'a|b' }
      checkRights({ ...vihf, mode, purpose }, td, ['a|b'], check)
      assert.equal(check.breaches.length === 0, may, JSON.stringify(check.breaches))
    })

  it('takes an assertion and a message once', async () => {
    const { farEnd } = gateway
    const { service, type, bytes } = requestWith(status)
    const again = await new Promise<string>((resolve, reject) => {
      const options = { method: 'POST', headers: { 'Content-Type': type }, ...clientOf(farEnd) }
      const sent = httpsRequest(`${farEnd.baseUrl}/${service}`, options, (answer) => {
        void bytesOf(answer).then((body) => resolve(body.toString()), reject)
      })
      sent.on('error', reject)
      sent.end(bytes)
    })
    assert.match(again, /une assertion sert une fois/)
    assert.match(again, /§1\.2 MessageID : déjà reçu/)
  })

  it('lets nobody in without the certificate of the organisation', async () => {
    const { farEnd } = gateway
    await assert.rejects(
      new Promise((resolve, reject) => {
        const ca = readFileSync(farEnd.keys.authority)
        httpsRequest(`${farEnd.baseUrl}/patients`, { method: 'POST', ca }, resolve).on('error', reject).end()
      }),
    )
  })
})

async function listening({ keys }: Simulator, handle: RequestListener): Promise<Server> {
  const tls = { key: keys.serverKey, cert: keys.serverCertificate, ca: keys.clientCertificate }
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function urlOf(server: Server): string {
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

function serviceOf({ url = '' }: IncomingMessage): string {
  return url.slice(root.length)
}

function clientOf({ keys }: Simulator) {
  return {
    key: readFileSync(keys.authentication.key),
    cert: readFileSync(keys.authentication.certificate),
    ca: readFileSync(keys.authority),
  }
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
