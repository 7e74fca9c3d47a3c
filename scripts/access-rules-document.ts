/**
 * The generated part of docs/access-rules.md: every rule, and both matrices, from the code that decides: `npm run
 * access-rules`. What stands outside the two marks is written by hand.
 */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { consequences, filterRules, permissions, type Statement } from '../src/access/catalogue.ts'
import { rules } from '../src/access/decide.ts'
import type { Rule } from '../src/access/rule.ts'
import rights from '../src/nomenclature/data/functional-rights.json' with { type: 'json' }
import { habilitation, valueSet } from '../src/nomenclature/index.ts'

export const accessRulesFile = path.resolve(import.meta.dirname, '..', 'docs', 'access-rules.md')
export const begin = '<!-- made by npm run access-rules: begin -->'
export const end = '<!-- made by npm run access-rules: end -->'

/** What stands between the marks. */
export function generatedPart(): string {
  return `## Refusals, in order

The first that refuses is the answer. \`*\`: every operation, or every kind of caller.

| id | requirement | operations | of whom | source |
|---|---|---|---|---|
${rules.map(ruleLine).join('\n')}

## What permits

| id | rule | source |
|---|---|---|
${permissions.map(statementLine).join('\n')}

## What is shown: the filter

| id | rule | source |
|---|---|---|
${filterRules.map(statementLine).join('\n')}

## What follows

| id | rule | source |
|---|---|---|
${consequences.map(statementLine).join('\n')}

## Functional rights

${rights.version}. \`●\` opens, with the note that narrows it; an empty cell refuses (FR1). The gateway is stricter in one cell:
occupational physicians do not search metadata.

### Direct and indirect authentication

${rightsTable(rights.direct)}

### Reinforced indirect authentication (AIR)

${rightsTable(rights.air)}

Notes: ${Object.entries(rights.notes)
    .map(([note, text]) => `${note === '*' ? '\\*' : note} ${text}`)
    .join('; ')}.

## Habilitation

Which profession reads which type of document (DF1). \`X\` opens; a type or a profession that is not here is closed.

${habilitation.columns.map(({ key, label }) => `- **${key}** ${label}`).join('\n')}

| type | | ${habilitation.columns.map(({ key }) => key).join(' | ')} |
|---|---|${'---|'.repeat(habilitation.columns.length)}
${habilitation.types.map(habilitationLine).join('\n')}
`
}

function ruleLine({ id, says, operations, kinds, source }: Rule): string {
  return row(
    id,
    says,
    operations === 'all' ? '*' : operations.join(', '),
    kinds === 'all' ? '*' : kinds.join(', '),
    source,
  )
}

function statementLine({ id, says, source }: Statement): string {
  return row(id, says, source)
}

interface Grid {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

function rightsTable({ columns, rows }: Grid): string {
  const cell = (text: string): string => (text.startsWith('y') ? `● ${text.slice(1)}`.trim() : '')
  return [
    row('TD', '', ...columns.map((column) => column.replaceAll('_', ' '))),
    `|${'---|'.repeat(columns.length + 2)}`,
    ...rows.map(([td = '', label = '', ...cells]) => row(td, label.replaceAll('*', '\\*'), ...cells.map(cell))),
  ].join('\n')
}

function habilitationLine(type: string): string {
  const display = valueSet('typeCode').get(type)?.display ?? ''
  return row(type, display, ...habilitation.columns.map((column) => (habilitation.permits(column, type) ? 'X' : '')))
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

/** The whole document with its generated part made anew. Throws RangeError where the marks are missing. */
export function withGeneratedPart(document: string): string {
  const [before, rest] = document.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined)
    throw new RangeError(`docs/access-rules.md needs ${begin} and ${end}`)
  return `${before}${begin}\n${generatedPart()}${end}${after}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await writeFile(accessRulesFile, withGeneratedPart(await readFile(accessRulesFile, 'utf8')))
