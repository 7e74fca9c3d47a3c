/**
 * ITI-65 2:3.65.4.1.2.3 UpdateDocumentRefs: the entry that sets a replaced document to superseded. The replacement does so
 * by itself; the entry must not ask for anything else, and must name a document that the Bundle replaces.
 */
import type { Parameters } from '@medplum/fhirtypes'
import type { FeedOptions } from '../operations/operations.ts'
import type { ProvidedBundle, Reporter } from './bundle.ts'
import { parseQuery, queryOf } from './query.ts'
import type { Targets } from './relation-targets.ts'
import { parseToken } from './search-values.ts'

/** The documents that the entries name: whether the Bundle replaces them, operations.feed finds out. */
export function readSuperseding(
  bundle: ProvidedBundle,
  targets: Targets,
  report: Reporter,
): NonNullable<FeedOptions['superseded']> {
  return bundle.patches.flatMap(({ resource, path, url }) => {
    if (!supersedes(resource))
      report.error('UpdateDocumentRefs', path, 'Patch DocumentReference.status to superseded, and nothing else.')
    const id = targets.idOf(nameIn(url))
    if (id !== undefined) return [{ id, location: path }]
    report.error(
      'UpdateDocumentRefs',
      path,
      'Send request.url DocumentReference/ID or DocumentReference?identifier=system|value of the replaced document.',
    )
    return []
  })
}

/** `DocumentReference/ID`, its absolute URL, or `DocumentReference?identifier=system|value`. */
function nameIn(url: string): Name {
  if (!/^(https?:\/\/[^?]*\/)?DocumentReference\?/.test(url)) return { reference: url }
  const [[name, value] = ['', ''], ...others] = parseQuery(queryOf(url))
  if (name !== 'identifier' || others.length > 0) return {}
  const { system, code } = parseToken(value)
  return { identifier: { ...(system ? { system } : {}), ...(code === undefined ? {} : { value: code }) } }
}

type Name = globalThis.Parameters<Targets['idOf']>[0]

function supersedes({ parameter = [] }: Parameters): boolean {
  const [operation, ...others] = parameter
  const part = (name: string) => operation?.part?.find((each) => each.name === name)
  const text = (name: string) => part(name)?.valueCode ?? part(name)?.valueString
  return (
    others.length === 0 &&
    operation?.name === 'operation' &&
    text('type') === 'replace' &&
    text('path') === 'DocumentReference.status' &&
    text('value') === 'superseded'
  )
}
