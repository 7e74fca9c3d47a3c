import assert from 'node:assert/strict'
import { createClientAsync } from 'soap'
import { provideAndRegister } from '../../src/xds/iti-41.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { compareContract } from '../../src/xds/wsdl/contract.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { aDocumentEntry, aSubmission, aSubmissionSet } from '../mothers/metadata.ts'
import { send } from '../support/http.ts'
import { openRegistry, type Registry } from './registry/registry.ts'

describe('the WSDLs of the services', () => {
  let registry: Registry
  before(async () => {
    registry = await openRegistry()
  })
  after(() => registry.close())

  const get = async (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') => {
    const { status, bytes, headers: received } = await send(`${registry.gateway.url}/xds/${path}`, { method, headers })
    return { status, text: bytes.toString('utf8'), type: received['content-type'] }
  }

  for (const endpoint of ['registry', 'repository'])
    it(`describe the ${endpoint}, at the address it was asked at`, async () => {
      const { status, text, type } = await get(`${endpoint}?wsdl`)
      assert.deepEqual([status, type], [200, 'text/xml; charset=utf-8'])
      assert.equal(parseXml(text).local, 'definitions')
      assert.ok(text.includes(`location="${registry.gateway.url}/xds/${endpoint}"`))
      const places = [...text.matchAll(/schemaLocation="([^"]+)"/g)].map(([, place = '']) => place)
      assert.equal(places.length, 3)
      for (const place of places) {
        const schema = await send(place, { method: 'GET' })
        assert.equal(parseXml(schema.bytes).local, 'schema', place)
      }
    })

  it('answer HEAD, say nothing of schemas that are not, and leave the rest to SOAP', async () => {
    assert.deepEqual(await get('registry?wsdl', {}, 'HEAD'), { status: 200, text: '', type: 'text/xml; charset=utf-8' })
    assert.equal((await get('registry?xsd=..%2fpackage.json')).status, 405)
    assert.equal((await get('registry?xsd=other.xsd')).status, 404)
    assert.equal((await get('registry')).status, 405)
  })

  it('promise what the transactions take, or the gateway does not start', async () => {
    await assert.rejects(
      compareContract([{ ...provideAndRegister, requestAction: 'urn:example:other' }]),
      /urn:example:other/,
    )
  })

  it('are enough for a client of another maker to ask ITI-18', async () => {
    const patientId = await registry.patient()
    const entry = aDocumentEntry({ patientId })
    await registry.register(aSubmission({ submissionSet: aSubmissionSet({ patientId }), entries: [entry] }))
    const client = await createClientAsync(`${registry.gateway.url}/xds/registry?wsdl`, { forceSoap12Headers: true })
    client.addSoapHeader(
      `<wsa:Action xmlns:wsa="${ns.wsa}" xmlns:s="${ns.soap}" s:mustUnderstand="true">urn:ihe:iti:2007:RegistryStoredQuery</wsa:Action>`,
    )
    const ask = client.RegistryStoredQueryAsync as (request: object) => Promise<readonly [object]>
    const [answer] = await ask.call(client, {
      ResponseOption: { attributes: { returnType: 'ObjectRef' } },
      AdhocQuery: {
        attributes: { id: 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4' },
        Slot: [{ attributes: { name: '$XDSDocumentEntryUniqueId' }, ValueList: { Value: [`('${entry.uniqueId}')`] } }],
      },
    })
    assert.match(JSON.stringify(answer), new RegExp(entry.entryUuid))
    assert.match(JSON.stringify(answer), /ResponseStatusType:Success/)
  })
})
