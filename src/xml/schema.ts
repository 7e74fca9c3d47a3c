/** XML Schema validation by libxml2. Schemas are trusted files, read at start; what they validate may come from the wire. */
import {
  ParseOption,
  XmlBufferInputProvider,
  XmlDocument,
  XmlLibError,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from 'libxml2-wasm'
import { malformed } from './error.ts'

export interface XmlSchema {
  /**
   * Every violation as `line L: message`; none when the document is valid. A DOCTYPE or a document that is not well formed is
   * a violation like the others.
   */
  validate(xml: string): string[]
  dispose(): void
}

const base = 'dmp-schema:///'
const parsing = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NO_SYS_CATALOG

/**
 * Compiles a schema from memory.
 * @param files Path → content, of all schemas that import or include each other by relative paths. Nothing else is opened.
 * @param main The path of the schema to begin with.
 * @throws XmlError malformed when the schema does not compile
 */
export function loadSchema(files: Readonly<Record<string, Uint8Array>>, main: string): XmlSchema {
  const source = files[main]
  if (source === undefined) throw new RangeError(`there is no schema file ${main}`)
  const validator = compile(files, main, source)
  return {
    validate(xml) {
      if (xml.includes('<!DOCTYPE')) return ['line 1: a DOCTYPE is not accepted']
      return violations(() => {
        // As bytes: a string would be copied into the memory of libxml2 character by character
        const document = XmlDocument.fromBuffer(Buffer.from(xml), { option: parsing, encoding: 'utf-8' })
        try {
          validator.validate(document)
        } finally {
          document.dispose()
        }
      })
    },
    dispose: () => validator.dispose(),
  }
}

function compile(files: Readonly<Record<string, Uint8Array>>, main: string, source: Uint8Array): XsdValidator {
  const named = Object.fromEntries(Object.entries(files).map(([path, content]) => [`${base}${path}`, content]))
  xmlRegisterInputProvider(new XmlBufferInputProvider(named))
  try {
    // NONET and NO_XXE would keep the imports from being read; the provider is the only place they can come from
    const document = XmlDocument.fromBuffer(source, { url: `${base}${main}` })
    try {
      return XsdValidator.fromDoc(document)
    } finally {
      document.dispose()
    }
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error
    throw malformed(`the schema does not compile: ${error.message.slice(0, 500)}`)
  } finally {
    xmlCleanupInputProvider()
  }
}

function violations(check: () => void): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error
    if (error.details.length === 0) return [error.message]
    return error.details.map((detail) => `line ${detail.line}: ${detail.message.trim()}`)
  }
}
