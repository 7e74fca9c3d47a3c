import assert from 'node:assert/strict'
import { request } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { CapabilityStatement, OperationOutcome } from '@medplum/fhirtypes'
import { GatewayError } from '../../src/errors.ts'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import { patientKey } from '../../src/metadata/identifiers.ts'
import { Door, professional } from './door.ts'
import { aBundle, ins, patientToken } from './mothers.ts'

const search = `/DocumentReference?status=current&patient.identifier=${encodeURIComponent(patientToken)}`

describe('The FHIR door', () => {
  let door: Door
  before(async () => {
    door = await Door.open()
    door.operations.patients.set(patientKey('1.2.250.1.213.1.4.10', ins), { given: [] })
  })
  after(() => door.close())

  function issue(reply: { body: unknown }) {
    return (reply.body as OperationOutcome).issue?.[0]
  }

  it('asks who is calling', async () => {
    const missing = await door.get(search, { authorization: '' })
    assert.equal(missing.status, 401)
    assert.equal(missing.headers.get('www-authenticate'), 'Bearer realm="dmp-gateway"')
    assert.equal(issue(missing)?.details?.coding?.[0]?.code, 'identity-missing')
    for (const authorization of [
      'Basic YTpi',
      'Bearer',
      'Bearer a b',
      'Bearer é'.normalize('NFD').replace(/[^\x20-\x7e]/g, '*'),
    ]) {
      const reply = await door.get(search, { authorization })
      assert.equal(reply.status, 401, authorization)
      assert.match(reply.headers.get('www-authenticate') ?? '', /invalid_token/)
    }
  })

  it('hands on who calls, in which mode, and what was declared', async () => {
    await door.get(search, {
      'dmp-consent': 'basis=care-team, informed=?1, episode="2026-E-1"',
      'dmp-purpose-of-use': 'bris_de_glace; reason="patient inconscient"',
      'x-request-id': 'abc-1',
    })
    const context = door.operations.contexts.at(-1)
    assert.deepEqual(context?.declaration, { basis: 'care-team', informed: true, episode: '2026-E-1' })
    assert.equal(context?.purpose, 'bris_de_glace')
    assert.equal(context?.reason, 'patient inconscient')
    assert.equal(context?.caller, professional)
    assert.deepEqual([context?.door, context?.transaction, context?.requestId], ['fhir', 'ITI-67', 'abc-1'])
  })

  it('tells the access mode when it is not the normal one', async () => {
    const reply = await door.get(search, { 'dmp-purpose-of-use': 'centre_15' })
    assert.equal(reply.headers.get('dmp-access-mode'), 'centre_15')
    assert.equal((await door.get(search)).headers.has('dmp-access-mode'), false)
  })

  it('refuses headers it does not understand', async () => {
    assert.equal((await door.get(search, { 'dmp-consent': 'basis=maybe' })).status, 400)
    assert.equal((await door.get(search, { 'dmp-purpose-of-use': '"' })).status, 400)
  })

  it('answers unknown paths with 404, and methods that a path has not with 405 and Allow', async () => {
    assert.equal(issue(await door.get('/Observation'))?.code, 'not-found')
    const deletion = await door.request('DELETE', '/DocumentReference/1')
    assert.equal(deletion.status, 405)
    assert.equal(deletion.headers.get('allow'), 'GET, HEAD, PATCH')
    assert.equal((await door.request('PUT', '/DocumentReference')).headers.get('allow'), 'GET, HEAD, POST, PATCH')
    assert.equal((await door.get('/documentreference')).status, 404)
    assert.equal((await door.get('/DocumentReference/%FF')).status, 400)
  })

  it('declares exactly what it has, to anyone', async () => {
    const reply = await door.get('/metadata', { authorization: '' })
    assert.equal(reply.status, 200)
    const statement = reply.body as CapabilityStatement
    assert.deepEqual(checkStructure(statement), [])
    const declared = statement.rest?.[0]?.resource?.map(
      ({ type, interaction = [] }) => `${type}: ${interaction.map(({ code }) => code).join()}`,
    )
    assert.deepEqual(declared, [
      'Patient: search-type,update,read',
      'DocumentReference: search-type,create,read,patch,history-instance,vread',
      'Consent: search-type,create,read',
      'List: search-type,read,history-instance,vread',
      'Binary: read',
      'AuditEvent: search-type',
    ])
    assert.deepEqual(statement.rest?.[0]?.interaction, [{ code: 'transaction' }])
    assert.equal(statement.implementation?.url, door.url)
  })

  it('tells an error in the form asked for, in JSON to a caller who takes neither', async () => {
    const xml = await door.get('/Observation', { accept: 'application/fhir+xml' })
    assert.match(xml.text, /<OperationOutcome xmlns="http:\/\/hl7.org\/fhir"><issue><severity value="error"\/>/)
    const neither = await door.get(search, { accept: 'image/png' })
    assert.equal(neither.status, 406)
    assert.equal(neither.headers.get('content-type'), 'application/fhir+json; charset=utf-8')
  })

  it('chooses the form by quality, and by _format above all', async () => {
    const forms: Record<string, string> = {
      'application/fhir+xml': 'xml',
      'application/json': 'json',
      'text/xml': 'xml',
      '*/*': 'json',
      'application/fhir+json;q=0.2, application/fhir+xml;q=0.9': 'xml',
      'application/fhir+json; fhirVersion=4.0': 'json',
    }
    for (const [accept, form] of Object.entries(forms))
      assert.match((await door.get(search, { accept })).headers.get('content-type') ?? '', new RegExp(`fhir\\+${form}`))
    const reply = await door.get(`${search}&_format=application/fhir+xml`, { accept: 'application/fhir+json' })
    assert.match(reply.headers.get('content-type') ?? '', /xml/)
  })

  it('refuses bodies it cannot read, with the reason and never a 5xx', async () => {
    const json = 'application/fhir+json'
    const cases: [body: string | Uint8Array, type: string, status: number][] = [
      ['{', json, 400],
      ['', json, 400],
      ['null', json, 400],
      ['[]', json, 400],
      ['{"resourceType":"Bundle","type":"transaction","type":"batch"}', json, 400],
      ['{"resourceType":"Observation"}', json, 415],
      [Buffer.from('{"resourceType":"Bundle","id":"\xe9"}', 'latin1'), json, 400],
      ['{}', 'text/plain', 415],
      ['{}', `${json}; charset=latin1`, 415],
      ['<Bundle xmlns="http://hl7.org/fhir">', 'application/fhir+xml', 400],
      ['<!DOCTYPE x [<!ENTITY a "b">]><Bundle xmlns="http://hl7.org/fhir"/>', 'application/fhir+xml', 400],
      ['<Bundle/>', 'application/fhir+xml', 415],
      ['['.repeat(100), json, 413],
      [`{"resourceType":"Bundle","x":"${'y'.repeat(1_100_000)}"}`, json, 413],
    ]
    for (const [body, type, status] of cases) {
      const reply = await door.send('POST', '', body, { 'content-type': type })
      assert.equal(reply.status, status, `${String(body).slice(0, 60)}: ${reply.text}`)
      assert.equal((reply.body as OperationOutcome).resourceType, 'OperationOutcome')
    }
    const zipped = await door.send('POST', '', '{}', { 'content-encoding': 'gzip' })
    assert.equal(zipped.status, 415)
  })

  it('answers 413 to documents over the limit, and goes on serving', async () => {
    const limited = await Door.open({ limits: { maxMetadataBytes: 1024 * 1024, maxDocumentBytes: 100_000 } })
    try {
      const documents = [{ bytes: Buffer.alloc(60_000) }, { bytes: Buffer.alloc(60_000) }]
      const reply = await limited.send('POST', '', aBundle({ documents }))
      assert.equal(reply.status, 413)
      const large = await limited.send('POST', '', aBundle({ documents: [{ bytes: Buffer.alloc(20_000_000) }] }))
      assert.equal(large.status, 413)
      assert.equal((await limited.get('/metadata')).status, 200)
    } finally {
      await limited.close()
    }
  })

  it('keeps memory flat while a large document passes', async function () {
    this.timeout(30_000)
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const live = (): number => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const mark = Buffer.from('@').toString('base64')
    const [before = '', after = ''] = JSON.stringify(aBundle({ documents: [{ bytes: Buffer.from('@') }] })).split(mark)
    const piece = Buffer.alloc(48 * 1024, 65)
    const pieces = 800
    const start = live()
    let most = 0
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from(before)
      for (let sent = 0; sent < pieces; sent++) {
        yield piece
        if (sent % 80 === 79) most = Math.max(most, live() - start)
      }
      yield Buffer.from(after)
    }
    // The operations of this test would hold the whole document: they refuse it, once it has been read
    door.operations.refusal = new GatewayError('feed-opposed')
    const reply = await door.request('POST', '', {
      body: ReadableStream.from(body()) as never,
      duplex: 'half',
      headers: { 'content-type': 'application/fhir+json' },
    })
    door.operations.refusal = undefined
    assert.equal(reply.status, 403, reply.text)
    const whole = (pieces * piece.length * 3) / 4
    assert.ok(most < whole / 4, `${Math.round(most / 1024)} KiB held while ${Math.round(whole / 1024)} KiB passed`)
  })

  it('logs one line a request, with nothing personal in it', async () => {
    door.logged.length = 0
    await door.get(`${search}&author.family=Secret`)
    await door.get(`/DocumentReference?patient.identifier=${ins}`)
    assert.equal(door.logged.length, 2)
    const text = JSON.stringify(door.logged)
    for (const secret of [ins, 'Secret', 'DUPONT', professional.person?.id ?? ''])
      assert.equal(text.includes(secret), false)
    assert.deepEqual(door.logged[1]?.fields.code, 'invalid-parameter')
  })

  it('says nothing of what went wrong inside', async () => {
    door.operations.refusal = new TypeError('Dupont Anne') as never
    const reply = await door.get(search)
    door.operations.refusal = undefined
    assert.equal(reply.status, 500)
    assert.equal(reply.text.includes('Dupont'), false)
    assert.equal(JSON.stringify(door.logged).includes('Dupont'), false)
    assert.equal(issue(reply)?.code, 'exception')
  })

  it('builds absolute URLs from Host, which must be a host and nothing else, or from the configuration', async () => {
    const { port } = new URL(door.url)
    const ask = (host: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, path: '/fhir/metadata', headers: { host } }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        })
        asked.on('error', reject)
        asked.end()
      })
    assert.match((await ask('dmp.example:8443')).text, /"url":"http:\/\/dmp\.example:8443\/fhir"/)
    for (const host of ['evil.test/x', 'a b', '"', 'user@host']) assert.equal((await ask(host)).status, 400, host)
    const configured = await Door.open({ baseUrl: 'https://dmp.example/fhir' })
    try {
      assert.match((await configured.get('/metadata')).text, /"url":"https:\/\/dmp\.example\/fhir"/)
    } finally {
      await configured.close()
    }
  })
})
