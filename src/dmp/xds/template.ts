/**
 * Bodies of the messages that no published schema of ours describes: one file each under messages/, where a site that has
 * its own contract (WSDL) can put its own in their place. `{{name}}` stands for a value, which is escaped.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseXml } from '../../xml/reader.ts'
import { escapeAttribute } from '../../xml/writer.ts'

/** The values that each has to offer: TD0.2 and TD1.3a, TD0.3, TD1.6, TD0.4. */
const values = {
  'patient-status': [
    ...['messageRoot', 'messageId', 'queryRoot', 'queryId', 'now', 'processingCode', 'softwareOid', 'softwareName'],
    ...['reason', 'reasonName', 'insAuthority', 'ins'],
  ],
  'set-authorization': ['action'],
  'list-authorizations': ['mode'],
  'patient-list': ['startDate', 'dateType'],
} as const

export type MessageName = keyof typeof values

const names = Object.keys(values) as readonly MessageName[]
const place = /\{\{([^{}]*)\}\}/g

export type Templates = <Name extends MessageName>(
  name: Name,
  given: Readonly<Record<(typeof values)[Name][number], string>>,
) => Buffer

/**
 * @param folder of a site's own templates; those it does not have are ours
 * @throws Error that names the file: not well formed, or with a place that nothing is put into
 */
export function readTemplates(folder?: string): Templates {
  const texts = new Map(names.map((name) => [name, read(name, folder)]))
  return (name, given) => {
    const filled: Readonly<Record<string, string>> = given
    return Buffer.from((texts.get(name) ?? '').replace(place, (_, key: string) => escapeAttribute(filled[key] ?? '')))
  }
}

function read(name: MessageName, folder: string | undefined): string {
  const file = `${name}.xml`
  const own = folder && path.join(folder, file)
  const text = own === undefined ? undefined : readOrNothing(own)
  if (text === undefined) return readFileSync(path.join(import.meta.dirname, 'messages', file), 'utf8')
  try {
    parseXml(text)
  } catch (cause) {
    throw new Error(`${own}: not well formed`, { cause })
  }
  const known: readonly string[] = values[name]
  for (const [, key = ''] of text.matchAll(place))
    if (!known.includes(key)) throw new Error(`${own}: {{${key}}} is not among ${known.join(', ')}`)
  return text
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
