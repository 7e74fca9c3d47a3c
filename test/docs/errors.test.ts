import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { errorsDocument, errorsFile } from '../../scripts/errors-document.ts'
import { type ErrorCode, errorRow, errorTable, GatewayError } from '../../src/errors.ts'
import { outcomeOf } from '../../src/fhir/outcome.ts'
import { errorCodeOf, writeErrorList } from '../../src/xds/ebrim/response.ts'
import { XmlWriter } from '../../src/xml/writer.ts'

const text = readFileSync(errorsFile, 'utf8')

/** The cells of a line of a table, by its first cell. */
const lines = new Map(
  [...text.matchAll(/^\| `([\w-]+)` \|(.*)\|$/gm)].map(([, code = '', rest = '']) => [
    code,
    rest.split(' | ').map((cell) => cell.trim().replace(/^\| |`/g, '')),
  ]),
)
const codes = Object.keys(errorTable) as ErrorCode[]

describe('docs/errors.md', () => {
  it('is what npm run errors makes', () => {
    assert.equal(text, errorsDocument())
  })

  it('has a line for every error, and none for another', () => {
    const ofFaults = new Set(['identity-missing', 'identity-invalid', 'identity-expired'])
    assert.deepEqual([...lines.keys()].sort(), [...codes].sort())
    for (const code of codes)
      assert.equal(
        [...text.matchAll(new RegExp(`^\\| \`${code}\` \\|`, 'gm'))].length,
        ofFaults.has(code) ? 2 : 1,
        code,
      )
  })

  it('says how each error leaves by the FHIR door', () => {
    for (const code of codes.filter((each) => !each.startsWith('identity-'))) {
      const error = new GatewayError({ code })
      const [issue] = outcomeOf(error.issues).issue ?? []
      const cells = lines.get(code) ?? []
      assert.equal(cells[0], String(error.http), code)
      assert.equal(cells[1], issue?.code, code)
      assert.ok(cells.includes(issue?.details?.text ?? ''), code)
      const told = issue?.details?.coding?.map((coding) => coding.code)
      assert.deepEqual(told, code === errorRow(code).xds ? [code] : [code, errorRow(code).xds])
    }
  })

  it('says under which code each error leaves by the XDS.b door', () => {
    for (const code of codes) {
      const xml = new XmlWriter()
      writeErrorList(xml, [{ code }], 'registry')
      const [, errorCode = ''] = /errorCode="(\w+)"/.exec(xml.take().toString('utf8')) ?? []
      if (/^[a-z]/.test(code) && !code.startsWith('identity-')) assert.equal(lines.get(code)?.[2], errorCode, code)
      assert.ok(lines.has(errorCode), `${errorCode} has no line of its own`)
      const atRepository = errorCodeOf(code, 'repository')
      if (atRepository !== errorCode) assert.match(text, new RegExp(`\`${errorCode}\` is \`${atRepository}\``))
    }
  })
})
