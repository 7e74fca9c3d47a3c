import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { registryStoredQuery } from '../../src/xds/iti-18.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { child, children } from '../../src/xml/tree.ts'
import { aDocumentEntry } from '../mothers/metadata.ts'
import {
  addressing,
  anEnvelope,
  type DoorOptions,
  faultOf,
  identityWith,
  messageId,
  noFindings,
  outcomeOf,
  post,
  postMtom,
  postSimple,
  professional,
  type RunningDoor,
  refusing,
  startDoor,
} from './support.ts'

const action = registryStoredQuery.requestAction
const body = `<query:AdhocQueryRequest xmlns:query="${ns.query}" xmlns:rim="${ns.rim}"><query:ResponseOption returnType="ObjectRef"/><rim:AdhocQuery id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"><rim:Slot name="$XDSDocumentEntryUniqueId"><rim:ValueList><rim:Value>('1.2.3')</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></query:AdhocQueryRequest>`
const query = (changes: Partial<Parameters<typeof anEnvelope>[0]> = {}) => anEnvelope({ action, body, ...changes })

describe('the XDS.b door', () => {
  let door: RunningDoor
  const open = async (options: DoorOptions = {}): Promise<void> => {
    door = await startDoor({ operations: { find: async () => noFindings }, ...options })
  }
  afterEach(() => door.close())

  it('answers with the response action, RelatesTo and a mandatory Action header', async () => {
    await open()
    const reply = await postSimple(door.registry, query())
    assert.equal(reply.status, 200)
    assert.equal(addressing(reply, 'Action'), 'urn:ihe:iti:2007:RegistryStoredQueryResponse')
    assert.equal(addressing(reply, 'RelatesTo'), messageId)
    assert.match(reply.text, /<wsa:Action soap:mustUnderstand="1">/)
    assert.match(reply.contentType, /^application\/soap\+xml; charset=UTF-8/)
    assert.equal(outcomeOf(reply).status, 'Success')
  })

  it('answers MTOM with MTOM, a fault too', async () => {
    await open()
    const success = await postMtom(door.registry, query())
    assert.match(success.contentType, /^multipart\/related; .*type="application\/xop\+xml"/)
    assert.equal(outcomeOf(success).status, 'Success')
    const fault = await postMtom(door.registry, query({ action: 'urn:none' }))
    assert.match(fault.contentType, /^multipart\/related/)
    assert.equal(fault.status, 400)
    assert.deepEqual(faultOf(fault).subcodes, ['wsa:ActionNotSupported'])
  })

  it('answers an action it does not know, or that another endpoint takes, with ActionNotSupported', async () => {
    await open()
    for (const [url, unknown] of [
      [door.registry, 'urn:ihe:iti:2007:RetrieveDocumentSet'],
      [door.repository, action],
      [door.registry, ` ${action}`],
    ] as const) {
      const reply = await postSimple(url, query({ action: unknown }))
      assert.equal(reply.status, 400)
      assert.deepEqual(faultOf(reply).subcodes, ['wsa:ActionNotSupported'])
      assert.equal(addressing(reply, 'Action'), `${ns.wsa}/fault`)
      assert.equal(addressing(reply, 'RelatesTo'), messageId)
    }
  })

  it('answers a body that is not that of the action with a fault', async () => {
    await open()
    const reply = await postSimple(door.registry, query({ body: `<x xmlns="${ns.query}"/>` }))
    assert.equal(reply.status, 400)
    assert.equal(faultOf(reply).code, 'soap:Sender')
  })

  it('says every fault in French and in English', async () => {
    await open()
    const { reasons } = faultOf(await postSimple(door.registry, query({ security: '' })))
    assert.equal(reasons.fr, 'Aucune identité présentée.')
    assert.equal(reasons.en, 'No identity was presented.')
  })

  for (const [code, subcode] of [
    ['identity-missing', 'wsse:FailedAuthentication'],
    ['identity-invalid', 'wsse:InvalidSecurityToken'],
    ['identity-expired', 'wsse:MessageExpired'],
  ] as const)
    it(`answers ${code} with the fault ${subcode}`, async () => {
      await open({ identity: { fromAssertion: refusing({ code, detail: 'Send another.' }) } })
      const reply = await postSimple(door.registry, query())
      assert.equal(reply.status, 400)
      const fault = faultOf(reply)
      assert.deepEqual(fault.subcodes, [subcode])
      assert.deepEqual(fault.details, ['Send another.'])
      assert.deepEqual(
        door.log.map((line) => ({ ...line, ms: 0 })),
        [{ ms: 0, transaction: 'ITI-18', outcome: 'fault', code: subcode }],
      )
    })

  it('lets nobody in without an assertion, unless the identity knows an anonymous caller', async () => {
    await open()
    assert.deepEqual(faultOf(await postSimple(door.registry, query({ security: '' }))).subcodes, [
      'wsse:FailedAuthentication',
    ])
    await door.close()
    await open({ identity: { anonymous: () => ({ ...professional, kind: 'tester', proof: 'anonymous' }) } })
    assert.equal(outcomeOf(await postSimple(door.registry, query({ security: '' }))).status, 'Success')
    // Something was presented, and it is not what this door reads
    const bearer = await postSimple(door.registry, query({ security: '' }), { Authorization: 'Bearer x' })
    assert.deepEqual(faultOf(bearer).subcodes, ['wsse:FailedAuthentication'])
  })

  it('names a mandatory header block that it did not understand', async () => {
    await open()
    const reply = await postSimple(
      door.registry,
      query({ headers: '<n:New xmlns:n="urn:n" soap:mustUnderstand="1"/>' }),
    )
    assert.equal(reply.status, 500)
    assert.equal(faultOf(reply).code, 'soap:MustUnderstand')
    const header = child(reply.envelope, ns.soap, 'Header')
    assert.equal(header && children(header, ns.soap, 'NotUnderstood').length, 1)
    assert.match(reply.text, /<soap:NotUnderstood xmlns:nu="urn:n" qname="nu:New"\/>/)
    assert.equal(addressing(reply, 'Action'), `${ns.wsa}/soap/fault`)
  })

  it('answers SOAP 1.1 with VersionMismatch and says what it speaks', async () => {
    await open()
    const inside = await postSimple(door.registry, query().replaceAll(ns.soap, ns.soap11))
    const outside = await post(door.registry, { 'Content-Type': 'text/xml' }, Buffer.from('<x/>'))
    for (const reply of [inside, outside]) {
      assert.equal(faultOf(reply).code, 'soap:VersionMismatch')
      assert.match(reply.text, /<soap:SupportedEnvelope qname="soap:Envelope"\/>/)
    }
  })

  it('refuses what is no SOAP over HTTP with the status of HTTP', async () => {
    await open()
    const json = await post(door.registry, { 'Content-Type': 'application/json' }, Buffer.from('{}'))
    assert.equal(json.status, 415)
    const latin = await post(
      door.registry,
      { 'Content-Type': 'application/soap+xml; charset=iso-8859-1' },
      Buffer.from(query()),
    )
    assert.equal(latin.status, 415)
    const get = await post(door.registry, {}, Buffer.alloc(0), 'PUT')
    assert.equal(get.status, 405)
    assert.equal(get.headers.allow, 'POST')
    assert.equal(faultOf(get).code, 'soap:Sender')
  })

  it('answers XML that is not well formed, has a DOCTYPE or is too large with a fault of the sender', async () => {
    await open()
    const malformed = await postSimple(door.registry, query().slice(0, -5))
    assert.equal(malformed.status, 400)
    assert.equal(faultOf(malformed).code, 'soap:Sender')
    const doctype = await postSimple(door.registry, query().replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>'))
    assert.equal(doctype.status, 400)
    const large = await postSimple(door.registry, query({ headers: `<!--${'x'.repeat(2 * 1024 * 1024)}-->` }))
    assert.equal(large.status, 413)
    assert.equal(faultOf(large).code, 'soap:Sender')
  })

  describe('what the request declares', () => {
    const contexts: unknown[] = []
    beforeEach(() => contexts.splice(0))
    const watching: DoorOptions = {
      operations: {
        find: async (_query, { declaration, purpose, reason, door: at, transaction }) => {
          contexts.push({ declaration, purpose, reason, at, transaction })
          return noFindings
        },
      },
    }
    const block = `<Consent xmlns="${ns.access}" basis="care-team" informed="true" episode="2026-E-118"/>`

    it('is read from the Consent header block', async () => {
      await open(watching)
      await postSimple(door.registry, query({ headers: block }))
      const declaration = { basis: 'care-team', informed: true, episode: '2026-E-118' }
      assert.deepEqual(contexts, [
        { declaration, purpose: 'normal', reason: undefined, at: 'xds', transaction: 'ITI-18' },
      ])
    })

    it('is read from the HTTP headers too, the access mode included', async () => {
      await open(watching)
      await postSimple(door.registry, query(), {
        'DMP-Consent': 'basis=explicit, means=oral',
        'DMP-Purpose-Of-Use': 'bris_de_glace; reason="patient inconscient"',
      })
      assert.deepEqual(contexts, [
        {
          declaration: { basis: 'explicit', means: 'oral' },
          purpose: 'bris_de_glace',
          reason: 'patient inconscient',
          at: 'xds',
          transaction: 'ITI-18',
        },
      ])
    })

    it('is refused as a fault when it comes twice, is not understood or contradicts the token', async () => {
      await open({
        ...watching,
        identity: { fromAssertion: async () => ({ ...professional, purposeOfUse: 'normal' }) },
      })
      const replies = [
        await postSimple(door.registry, query({ headers: block }), { 'DMP-Consent': 'basis=explicit' }),
        await postSimple(door.registry, query(), { 'DMP-Consent': 'basis=(' }),
        await postSimple(door.registry, query({ headers: `<Consent xmlns="${ns.access}" basis="perhaps"/>` })),
        await postSimple(door.registry, query(), { 'DMP-Purpose-Of-Use': 'centre_15' }),
      ]
      for (const reply of replies) {
        assert.equal(reply.status, 400)
        assert.equal(faultOf(reply).code, 'soap:Sender')
      }
      assert.deepEqual(contexts, [])
    })
  })

  it('answers a refusal of access as a Failure whose context begins with the reason code and the rule', async () => {
    await open({ operations: { find: refusing({ code: 'consent-missing', rule: 'CO3' }) } })
    const reply = await postSimple(door.registry, query())
    assert.equal(reply.status, 200)
    assert.equal(reply.body.local, 'AdhocQueryResponse')
    const { status, errors } = outcomeOf(reply)
    assert.equal(status, 'Failure')
    assert.equal(errors[0]?.errorCode, 'LocalPolicyRestrictionError')
    assert.match(errors[0]?.codeContext ?? '', /^consent-missing CO3: La déclaration de consentement manque/)
    assert.equal(errors[0]?.severity, 'Error')
  })

  it('says nothing of an unexpected error but that there was one, to the caller and to the log', async () => {
    await open({
      operations: {
        find: async () => {
          throw new TypeError('DUPONT Anne 260059999999999')
        },
      },
    })
    const reply = await postSimple(door.registry, query())
    assert.equal(outcomeOf(reply).errors[0]?.errorCode, 'XDSRegistryError')
    assert.doesNotMatch(reply.text + JSON.stringify(door.log), /DUPONT|260059999999999/)
    assert.match(JSON.stringify(door.log), /"err":"TypeError"/)
  })

  it('logs transaction, outcome and time, never content', async () => {
    await open()
    await postSimple(door.registry, query())
    const [line] = door.log as [{ ms: number; requestId: string }]
    assert.equal(door.log.length, 1)
    assert.deepEqual(
      { ...line, ms: 0, requestId: '' },
      { ms: 0, requestId: '', transaction: 'ITI-18', outcome: 'Success' },
    )
    assert.ok(line.ms > 0)
  })

  it('breaks the connection off when an answer fails midway, and leaves no whole-looking half', async () => {
    const stored = Array.from({ length: 200 }, () => aDocumentEntry())
    await open({
      operations: {
        find: async () => ({
          ...noFindings,
          documents: stored.map((entry) => ({ ...entry, patient: 'a' })) as never,
          async *entries() {
            yield* stored.slice(0, 150)
            throw new Error('the store is gone')
          },
        }),
      },
    })
    await assert.rejects(postSimple(door.registry, query({ body: body.replace('ObjectRef', 'LeafClass') })))
    assert.match(JSON.stringify(door.log), /broken-off/)
  })

  it('keeps nothing in the spool after a refused request', async () => {
    await open({ identity: { fromAssertion: refusing('identity-invalid') } })
    await postMtom(door.registry, query(), [Buffer.alloc(100_000, 1)])
    assert.deepEqual(await readdir(door.spoolDirectory), [])
    assert.equal(identityWith().anonymous(), undefined)
  })

  it('takes registry requests without MTOM alone in plain IHE, both ways in the DMP (H1)', async () => {
    await open({ profile: 'ihe' })
    const reply = await postMtom(door.registry, query())
    assert.match(reply.contentType, /^multipart\/related/)
    const { errors } = outcomeOf(reply)
    assert.deepEqual(
      errors.map(({ errorCode, location }) => [errorCode, location]),
      [['XDSRegistryError', 'Content-Type']],
    )
    assert.match(errors[0]?.codeContext ?? '', /^H1: /)
  })

  it('refuses what breaks the XML Schema, only tells the log, or does not look (XSD)', async () => {
    const wrong = query({ body: body.replace('<query:ResponseOption', '<query:ResponseOption unknown="x"') })
    await open()
    const { errors } = outcomeOf(await postSimple(door.registry, wrong))
    assert.deepEqual(
      errors.map(({ errorCode, location }) => [errorCode, location]),
      [['XDSRegistryError', 'ResponseOption/ResponseOption']],
    )
    assert.match(errors[0]?.codeContext ?? '', /^XSD: .*unknown/)
    for (const [xsd, told] of [
      ['warn', true],
      ['off', false],
    ] as const) {
      await door.close()
      await open({ xsd })
      assert.equal(outcomeOf(await postSimple(door.registry, wrong)).status, 'Success')
      assert.equal(
        door.log.some((line) => 'violations' in line),
        told,
      )
    }
  })
})
