import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { accessRulesFile, withGeneratedPart } from '../../scripts/access-rules-document.ts'
import { consequences, filterRules, permissions } from '../../src/access/catalogue.ts'
import { rules } from '../../src/access/decide.ts'
import { loadConfig } from '../../src/server/config.ts'

const root = path.resolve(import.meta.dirname, '../..')
const document = readFileSync(accessRulesFile, 'utf8')
const ids = [...new Set([...rules, ...permissions, ...filterRules, ...consequences].map(({ id }) => id))]
const isMentioned = (id: string, text: string) => new RegExp(`(?<![A-Za-z0-9])${id}(?![A-Za-z0-9])`).test(text)

/** Cells of the tables under a heading of the second level, heading rows left out. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const section = document.split(/^## /m).find((part) => part.startsWith(heading)) ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
    .filter(([first]) => first !== 'statement' && first !== 'point')
}

/** A test is a line that names the rule: in a title, or as the key of a group of cases. */
const testFiles = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('docs'))
  .map((name) => ({ name, text: readFileSync(path.join(root, 'test', name), 'utf8') }))

function isTested(id: string, text: string): boolean {
  const title = new RegExp(
    `(?:it|describe|withGateway|atBothDoors|permit|deny)\\([^\\n]*(?<![A-Za-z0-9])${id}(?![A-Za-z0-9])`,
  )
  const group = new RegExp(`^ {2}${id}: \\[`, 'm')
  const asserted = new RegExp(`['\`"/^ ]${id}(?:['\`": ]|\\\\s)`)
  return title.test(text) || group.test(text) || asserted.test(text)
}

describe('docs/access-rules.md', () => {
  it('has the rules and the matrices as the code has them (npm run access-rules)', () => {
    assert.equal(document, withGeneratedPart(document))
  })

  it('has a line for every rule of the code', () => {
    for (const id of ids) assert.match(document, new RegExp(`^\\| ${id} \\|`, 'm'))
  })

  it('names no rule that the code does not have', () => {
    const handwritten = document.split('<!-- made by')[0] + (document.split('begin -->')[1]?.split('end -->')[1] ?? '')
    const named = [
      ...handwritten.matchAll(/(?<![A-Za-z0-9-])(?:ID|FR|BL|BD|EM|CO|FE|UP|SY|AD|MT|PA|RC|DF|CH|HI|TR|NO|AU)\d(?!\d)/g),
    ]
    assert.ok(named.length > 100)
    assert.deepEqual(
      [...new Set(named.map(([id]) => id))].filter((id) => !ids.includes(id)),
      [],
    )
  })

  it('has a test for every rule', () => {
    assert.deepEqual(
      ids.filter((id) => !testFiles.some(({ text }) => isTested(id, text))),
      [],
    )
  })

  it('has for every rule that refuses a table of cases, which must hold one refused and one that passes', () => {
    // describeRules in test/access/rules/table.ts asserts both for every group whose key is a rule
    const tables = testFiles.filter(({ name }) => name.startsWith(path.join('access', 'rules')))
    const refusing = [...new Set(rules.map(({ id }) => id))]
    assert.deepEqual(
      refusing.filter((id) => !tables.some(({ text }) => new RegExp(`^ {2}${id}: \\[`, 'm').test(text))),
      [],
    )
  })

  it('gives each statement of the texts rules, and tests that are there and name one of them', () => {
    const statements = tableUnder('The texts, statement by statement')
    assert.ok(statements.length > 45)
    for (const [statement = '', rulesCell = '', testsCell = ''] of statements) {
      const held = ids.filter((id) => isMentioned(id, rulesCell))
      assert.ok(held.length > 0, `no rule: ${statement}`)
      const files = [...testsCell.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)
      assert.ok(files.length > 0, `no test: ${statement}`)
      const texts = files.map((file) => {
        assert.ok(existsSync(path.join(root, file)), `${file} is not there: ${statement}`)
        return readFileSync(path.join(root, file), 'utf8')
      })
      // The matrices have their cells for names
      const isMatrix = files.some((file) => file.endsWith('matrices.test.ts'))
      assert.ok(
        isMatrix || texts.some((text) => held.some((id) => isMentioned(id, text))),
        `${files} name none of ${held}`,
      )
    }
  })

  it('names keys of the configuration that exist, and every one about access', () => {
    const { access } = loadConfig({ overrides: { 'access.authorisationDays': 1 } })
    const named = new Set([...document.matchAll(/`access\.([A-Za-z]+)/g)].map(([, key = '']) => key))
    assert.deepEqual([...named].sort(), Object.keys(access).sort())
  })
})
