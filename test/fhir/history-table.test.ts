import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Response } from 'express'
import fc from 'fast-check'
import { sendTable, type TableFormat } from '../../src/fhir/history-table.ts'
import { tableFormat } from '../../src/fhir/negotiate.ts'
import type { TracedAccess } from '../../src/operations/ports.ts'
import { anAccessRecord, aProfessionalCaller, thePatient } from '../dmp/mothers.ts'
import { aDocument, declared, openGateway, people, type TestGateway, type TestPatient } from '../support/gateway.ts'

/** RFC 4180 with `;`, read by itself. */
function parseCsv(text: string): string[][] {
  assert.equal(text[0], '\ufeff')
  const rows: string[][] = [[]]
  const cells = /"((?:[^"]|"")*)"(;|\r\n)/gy
  cells.lastIndex = 1
  let end = 1
  for (const match of text.matchAll(cells)) {
    rows.at(-1)?.push((match[1] ?? '').replaceAll('""', '"'))
    if (match[2] === '\r\n') rows.push([])
    end = (match.index ?? 0) + match[0].length
  }
  assert.equal(end, text.length)
  return rows.slice(0, -1)
}

describe('the access history as a table', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
    const document = aDocument(patient, { title: '=HYPERLINK("http://x");<b>Bilan</b> « sanguin »' })
    const fed = await gateway.fhirDoor.feed(people.author, document, { consent: declared.informed })
    assert.ok(fed.stored, fed.text)
    await gateway.fhirDoor.retrieve(people.author, fed.stored, { consent: declared.careTeam })
    await gateway.fhirDoor.find(people.stranger, patient)
  })
  after(() => gateway.close())

  const ask = (accept: string | undefined, more = '') => {
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    return gateway.fhir.call(patient.identity, 'GET', `/AuditEvent?patient.identifier=${token}${more}`, {
      headers: { Accept: accept },
    })
  }

  it('is CSV with the columns of dmp.fr, newest first, titles and reasons in words', async () => {
    const reply = await ask('text/csv')
    assert.equal(reply.status, 200)
    assert.match(reply.headers.get('content-type') ?? '', /^text\/csv; charset=utf-8/)
    assert.match(reply.headers.get('content-disposition') ?? '', /^attachment; filename="historique-des-acces\.csv"$/)
    const [head, ...rows] = parseCsv(reply.bytes.toString())
    assert.deepEqual(head, ['Date', 'Auteur de l’action', 'Action réalisée', 'Contexte'])
    assert.deepEqual(
      rows.map(([, author, action, context]) => [author, action, context]),
      [
        ['Patient', 'a consulté l’historique des accès', 'Normal'],
        [
          'KERVELLA Yann (MSP EXEMPLE)',
          's’est vu refuser la consultation de la liste des documents : La déclaration de consentement manque.',
          'Normal',
        ],
        [
          'EXEMPLE Anne (CH EXEMPLE)',
          'a consulté le document « =HYPERLINK("http://x");<b>Bilan</b> « sanguin » »',
          'Normal',
        ],
        [
          'EXEMPLE Anne (CH EXEMPLE)',
          'a ajouté le document « =HYPERLINK("http://x");<b>Bilan</b> « sanguin » »',
          'Normal',
        ],
        ['CH EXEMPLE', 'a ouvert le DMP ou mis à jour ses données administratives', 'Normal'],
      ],
    )
  })

  it('is a page to print that runs and fetches nothing', async () => {
    const reply = await ask('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')
    assert.equal(reply.status, 200)
    assert.match(reply.headers.get('content-type') ?? '', /^text\/html; charset=utf-8/)
    assert.match(reply.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    const page = reply.bytes.toString()
    assert.match(page, /<html lang="fr">/)
    assert.match(page, /&lt;b&gt;Bilan&lt;\/b&gt;/)
    assert.doesNotMatch(page, /<b>|<(script|link|img|iframe|a) |\s(src|href|on\w+)=/)
    assert.match(page, new RegExp(`INS ${patient.ins}`))
  })

  it('takes the filters of the search, and stays FHIR for who asks for FHIR or for anything', async () => {
    assert.equal(parseCsv((await ask('text/csv', '&outcome=8')).bytes.toString()).length, 2)
    assert.equal(parseCsv((await ask(undefined, '&_format=text/csv&outcome=8')).bytes.toString()).length, 2)
    for (const accept of ['application/fhir+json', '*/*', 'application/fhir+json, text/html;q=0.5'])
      assert.match((await ask(accept)).headers.get('content-type') ?? '', /^application\/fhir\+json/)
    assert.equal((await ask('image/png')).status, 406)
  })

  it('is refused as the search is, in FHIR', async () => {
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    const other = await gateway.patient()
    const reply = await gateway.fhir.call(other.identity, 'GET', `/AuditEvent?patient.identifier=${token}`, {
      headers: { Accept: 'text/html' },
    })
    assert.equal(reply.status, 403)
    assert.equal(reply.outcome.code, 'patient-mismatch')
  })

  describe('whatever people and documents are called', () => {
    const write = async (format: TableFormat, name: string, title: string): Promise<string> => {
      const body = new PassThrough()
      const response = Object.assign(body, { writeHead: () => response }) as unknown as Response
      const caller = aProfessionalCaller({ person: { id: '899700000001', name } })
      const { entryUuid } = aDocument(patient).entry
      const record = anAccessRecord({
        caller,
        documents: [{ logicalId: entryUuid, uniqueId: aDocument(patient).entry.uniqueId, title }],
      })
      async function* rows(): AsyncGenerator<TracedAccess> {
        yield { sequence: 1, record }
      }
      const [written] = await Promise.all([buffer(body), sendTable(response, format, thePatient, rows())])
      return written.toString()
    }
    const text = fc.string({ unit: fc.constantFrom(...'=+-@"\';,<>&\t\r\n é\u0000a'), maxLength: 12 })

    it('has four cells a row in CSV, and none that a spreadsheet would compute', async () => {
      await fc.assert(
        fc.asyncProperty(text, text, async (name, title) => {
          for (const row of parseCsv(await write('csv', name, title))) {
            assert.equal(row.length, 4)
            for (const cell of row) assert.doesNotMatch(cell, /^\s*[=+\-@]/)
          }
        }),
      )
    })

    it('has no markup of theirs in the page', async () => {
      const tags = (page: string): string[] => page.match(/<[^>]*>/g) ?? []
      const usual = tags(await write('html', 'a', 'b'))
      await fc.assert(
        fc.asyncProperty(text, text, async (name, title) =>
          assert.deepEqual(tags(await write('html', name, title)), usual),
        ),
      )
    })
  })
})

describe('tableFormat', () => {
  it('is a table only where one is named, and wanted more than FHIR', () => {
    assert.equal(tableFormat(undefined, undefined), undefined)
    assert.equal(tableFormat('text/*', undefined), undefined)
    assert.equal(tableFormat('text/csv;q=0', undefined), undefined)
    assert.equal(tableFormat('text/html;q=0.4, text/csv;q=0.6', undefined), 'csv')
    assert.equal(tableFormat('text/html', 'json'), undefined)
    assert.equal(tableFormat('application/fhir+json', 'html'), 'html')
  })
})
