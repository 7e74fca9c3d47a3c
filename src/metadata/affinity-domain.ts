/**
 * The codes of an XDS affinity domain, where a deployment has chosen them (`metadata.codes`, an IHE codes.xml). The codes
 * of the DMP are no matter of configuration: the access rules know them (FE3).
 */
import type { Code } from './model.ts'

/** Attributes that have codes of their own, named as in codes.xml (a folder's codeList is `folderCodeList` there). */
export const codedAttributes = [
  'classCode',
  'typeCode',
  'formatCode',
  'healthcareFacilityTypeCode',
  'practiceSettingCode',
  'confidentialityCode',
  'eventCodeList',
  'contentTypeCode',
  'codeList',
  'associationDocumentation',
] as const
export type CodedAttribute = (typeof codedAttributes)[number]

export interface AffinityDomain {
  /** Whether a code may stand in an attribute. */
  permits(attribute: CodedAttribute, code: Code): boolean
  /** Whether documents may be of a type; any type where the domain leaves that open. */
  permitsMimeType(mimeType: string): boolean
}

export interface AffinityDomainCodes {
  readonly codes: ReadonlyMap<CodedAttribute, readonly Pick<Code, 'code' | 'system'>[]>
  /** Codes of no attribute in particular: they may stand in every one. */
  readonly anywhere: readonly Pick<Code, 'code' | 'system'>[]
  /** Absent: not checked. */
  readonly mimeTypes?: readonly string[]
}

/** An attribute without codes takes none: what a domain does not list it does not share (ITI TF-1 10.1.2). */
export function createAffinityDomain({ codes, anywhere, mimeTypes }: AffinityDomainCodes): AffinityDomain {
  const keys = (list: readonly Pick<Code, 'code' | 'system'>[]) => list.map(keyOf)
  const known = new Map(
    codedAttributes.map((attribute) => [attribute, new Set([...keys(codes.get(attribute) ?? []), ...keys(anywhere)])]),
  )
  const types = mimeTypes && new Set(mimeTypes.map((type) => type.toLowerCase()))
  return {
    permits: (attribute, code) => known.get(attribute)?.has(keyOf(code)) ?? false,
    // Parameters (`;charset=…`) are not part of the type (RFC 6838)
    permitsMimeType: (mimeType) => types?.has((mimeType.split(';')[0] ?? '').trim().toLowerCase()) ?? true,
  }
}

/** A system is the same with and without `urn:oid:`. */
function keyOf({ code, system }: Pick<Code, 'code' | 'system'>): string {
  return `${code}^^${system.replace(/^urn:oid:/, '')}`
}
