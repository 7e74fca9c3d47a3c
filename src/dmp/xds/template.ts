/**
 * Bodies of the messages that no published schema of ours describes: one file each under messages/, where a site that has
 * its own contract (WSDL) can put its own in their place. `{{name}}` stands for a value, which is escaped.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseXml } from '../../xml/reader.ts'
import { escapeAttribute } from '../../xml/writer.ts'

export type MessageName = 'patient-status' | 'set-authorization'

const names: readonly MessageName[] = ['patient-status', 'set-authorization']
const place = /\{\{([A-Za-z]+)\}\}/g

export type Templates = (name: MessageName, values: Readonly<Record<string, string>>) => Buffer

/**
 * @param folder of a site's own templates; those it does not have are ours
 * @throws Error that names the file: not well formed
 */
export function readTemplates(folder?: string): Templates {
  const texts = new Map(names.map((name) => [name, read(name, folder)]))
  return (name, values) =>
    Buffer.from(
      (texts.get(name) ?? '').replace(place, (_, key: string) => {
        const value = values[key]
        if (value === undefined) throw new RangeError(`the template ${name} asks for {{${key}}}, which there is not`)
        return escapeAttribute(value)
      }),
    )
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
