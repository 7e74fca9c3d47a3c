import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Binary, OperationOutcome } from '@medplum/fhirtypes'
import { patientKey } from '../../src/metadata/identifiers.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { child } from '../../src/xml/tree.ts'
import { Door } from './door.ts'
import { aBundle, ins } from './mothers.ts'

const bytes = Buffer.from(Array.from({ length: 10_001 }, (_, index) => (index * 7) % 256))
const sha1 = createHash('sha1').update(bytes).digest('hex')

describe('ITI-68', () => {
  let door: Door
  let path: string

  async function publish(title: string, contentType = 'application/pdf'): Promise<string> {
    const bundle = aBundle({
      documents: [
        { bytes, change: ({ content }) => Object.assign(content[0]?.attachment ?? {}, { title, contentType }) },
      ],
    })
    const binary = bundle.entry?.at(-1)?.resource
    Object.assign(binary ?? {}, { contentType })
    const reply = await door.send('POST', '', bundle)
    assert.equal(reply.status, 200, reply.text)
    return `/Binary/${door.operations.entries.at(-1)?.entryUuid.slice(9)}`
  }

  before(async () => {
    door = await Door.open()
    door.operations.patients.set(patientKey('1.2.250.1.213.1.4.10', ins), { given: [] })
    path = await publish('Compte rendu')
  })
  after(() => door.close())

  it('gives the bytes under their own type, with a strong ETag, unless FHIR is asked for', async () => {
    for (const accept of [
      '*/*',
      'application/pdf',
      'application/*',
      'text/html,application/pdf;q=0.5',
      'image/png,*/*;q=0.1',
    ]) {
      const reply = await door.get(path, { accept })
      assert.equal(reply.status, 200)
      assert.equal(reply.headers.get('content-type'), 'application/pdf')
      assert.equal(reply.headers.get('content-length'), '10001')
      assert.equal(reply.headers.get('etag'), `"${sha1}"`)
      assert.deepEqual(reply.bytes, bytes)
    }
  })

  it('gives a FHIR Binary where that is asked for, streamed, of the length announced', async () => {
    for (const accept of ['application/fhir+json', 'application/fhir+json, */*;q=0.1', 'application/fhir+json, */*']) {
      const reply = await door.get(path, { accept })
      assert.equal(reply.headers.get('content-type'), 'application/fhir+json; charset=utf-8')
      assert.equal(Number(reply.headers.get('content-length')), reply.bytes.length)
      const binary = reply.body as Binary
      assert.equal(binary.resourceType, 'Binary')
      assert.equal(binary.contentType, 'application/pdf')
      assert.deepEqual(Buffer.from(binary.data ?? '', 'base64'), bytes)
      assert.notEqual(reply.headers.get('etag'), `"${sha1}"`)
    }
    assert.equal(((await door.get(`${path}?_format=json`)).body as Binary).resourceType, 'Binary')
  })

  it('gives it in XML too', async () => {
    const reply = await door.get(path, { accept: 'application/fhir+xml' })
    assert.equal(Number(reply.headers.get('content-length')), reply.bytes.length)
    const root = parseXml(reply.bytes)
    const data = child(root, 'http://hl7.org/fhir', 'data')?.attributes[0]?.value
    assert.deepEqual(Buffer.from(data ?? '', 'base64'), bytes)
  })

  it('says 406 when neither form is acceptable, and only for a document that is there', async () => {
    assert.equal((await door.get(path, { accept: 'image/png' })).status, 406)
    assert.equal((await door.get(`/Binary/${crypto.randomUUID()}`, { accept: 'image/png' })).status, 404)
  })

  it('answers HEAD with the headers of GET alone', async () => {
    for (const accept of ['*/*', 'application/fhir+json']) {
      const [head, get] = [await door.request('HEAD', path, { headers: { accept } }), await door.get(path, { accept })]
      assert.equal(head.status, 200)
      assert.equal(head.bytes.length, 0)
      for (const name of ['content-type', 'content-length', 'etag'])
        assert.equal(head.headers.get(name), get.headers.get(name))
    }
  })

  it('gives one range of bytes', async () => {
    const ranges: Record<string, [number, number]> = {
      'bytes=0-9': [0, 10],
      'bytes=9990-': [9990, 10_001],
      'bytes=-5': [9996, 10_001],
      'bytes=9990-99999': [9990, 10_001],
      'bytes=0-0': [0, 1],
    }
    for (const [range, [from, to]] of Object.entries(ranges)) {
      const reply = await door.get(path, { range })
      assert.equal(reply.status, 206, range)
      assert.deepEqual(reply.bytes, bytes.subarray(from, to))
      assert.equal(reply.headers.get('content-range'), `bytes ${from}-${to - 1}/10001`)
    }
    for (const range of ['bytes=0-1,3-4', 'lines=0-1', 'bytes=5-2', 'bytes=-'])
      assert.equal((await door.get(path, { range })).status, 200, range)
    const outside = await door.get(path, { range: 'bytes=10001-' })
    assert.equal(outside.status, 416)
    assert.equal((outside.body as OperationOutcome).resourceType, 'OperationOutcome')
    assert.equal((await door.get(path, { range: 'bytes=0-9', 'if-range': '"other"' })).status, 200)
    assert.equal((await door.get(path, { range: 'bytes=0-9', 'if-range': `"${sha1}"` })).status, 206)
  })

  it('says that nothing changed', async () => {
    for (const tag of [`"${sha1}"`, `W/"${sha1}"`, '*', `"x", "${sha1}"`])
      assert.equal((await door.get(path, { 'if-none-match': tag })).status, 304, tag)
    assert.equal((await door.get(path, { 'if-none-match': '"x"' })).status, 200)
  })

  it('runs nothing in a browser, and names the file safely', async () => {
    const inline = await door.get(path)
    assert.equal(
      inline.headers.get('content-disposition'),
      'inline; filename="Compte rendu.pdf"; filename*=UTF-8\'\'Compte%20rendu.pdf',
    )
    assert.equal(inline.headers.get('x-content-type-options'), 'nosniff')
    assert.match(inline.headers.get('content-security-policy') ?? '', /^sandbox/)
    const hostile = await door.get(await publish('../été"; filename=x\u2028.html\\😀', 'text/html'))
    const disposition = hostile.headers.get('content-disposition') ?? ''
    assert.match(disposition, /^attachment; filename="[\w .()-]+"; filename\*=UTF-8''[\w.%-]+$/)
    assert.equal(disposition.includes('..'), true)
    assert.equal(/[\\/]/.test(disposition), false)
  })

  it('answers for a hidden document exactly as for an absent one', async () => {
    const id = door.operations.entries[0]?.entryUuid
    assert.ok(id)
    door.operations.hidden.add(id)
    const hidden = await door.get(path)
    door.operations.hidden.delete(id)
    const absent = await door.get(`/Binary/${crypto.randomUUID()}`)
    assert.equal(hidden.status, 404)
    assert.deepEqual(hidden.bytes, absent.bytes)
    const names = ({ headers }: { headers: Headers }) => [...headers.keys()].join()
    assert.equal(names(hidden), names(absent))
    assert.equal((await door.get('/Binary/x')).status, 404)
  })
})
