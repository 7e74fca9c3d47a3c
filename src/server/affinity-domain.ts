/** `metadata.codes`: an IHE codes.xml, the form in which test tools and registries exchange affinity domains. */
import { readFile } from 'node:fs/promises'
import { parseStringPromise } from 'xml2js'
import { z } from 'zod'
import {
  type AffinityDomain,
  type CodedAttribute,
  codedAttributes,
  createAffinityDomain,
} from '../metadata/affinity-domain.ts'
import { ConfigError } from './config.ts'

/** What xml2js makes of `<Codes><CodeType name classScheme><Code code codingScheme/></CodeType></Codes>`. */
const file = z.object({
  Codes: z.object({
    CodeType: z.array(
      z.object({
        $: z.object({ name: z.string(), classScheme: z.string().optional() }),
        Code: z.array(z.object({ $: z.object({ code: z.string(), codingScheme: z.string().optional() }) })).default([]),
      }),
    ),
  }),
})

/** @throws ConfigError when the file cannot be read or is no codes.xml */
export async function readAffinityDomain(path: string, checkMimeType: boolean): Promise<AffinityDomain> {
  const types = (await parse(path)).Codes.CodeType
  const codes = new Map<CodedAttribute, { code: string; system: string }[]>()
  const anywhere: { code: string; system: string }[] = []
  const mimeTypes: string[] = []
  for (const { $: type, Code: listed } of types) {
    if (type.name === 'mimeType') {
      mimeTypes.push(...listed.map(({ $: { code } }) => code))
      continue
    }
    const read = listed.map(({ $: { code, codingScheme = '' } }) => ({ code, system: codingScheme }))
    const name = type.name === 'folderCodeList' ? 'codeList' : type.name
    const attribute = codedAttributes.find((each) => each === name)
    if (attribute) codes.set(attribute, [...(codes.get(attribute) ?? []), ...read])
    else if (type.classScheme === undefined) anywhere.push(...read)
  }
  return createAffinityDomain({ codes, anywhere, ...(checkMimeType && { mimeTypes }) })
}

async function parse(path: string): Promise<z.infer<typeof file>> {
  try {
    return file.parse(await parseStringPromise(await readFile(path, 'utf8')))
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : ''
    throw new ConfigError(`metadata.codes: ${path} is no codes.xml (${detail.slice(0, 300)})`, { cause })
  }
}
