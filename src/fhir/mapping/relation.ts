/**
 * Associations between documents ↔ relatesTo. XFRM_RPLC replaces and transforms: both codes are written with the same
 * target and read as one association. IsSnapshotOf is written as transforms with the type beside it (MHD ConceptMap
 * AssociationTypeVsRelatesTo).
 */
import type { DocumentReferenceRelatesTo, Identifier } from '@medplum/fhirtypes'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { Association, Code } from '../../metadata/model.ts'
import { readConcept, writeConcept } from './coding.ts'
import { extensionOf, type Reading, some } from './reading.ts'
import { ext } from './terms.ts'

export type RelationType = 'RPLC' | 'APND' | 'XFRM' | 'XFRM_RPLC' | 'signs' | 'IsSnapshotOf'

/** A relationship of the document being written, to the document with this logicalId. */
export interface Relation {
  readonly type: RelationType
  readonly target: EntryUuid
  readonly documentation?: Code
}

/** A relationship as it was read; the door finds the target by reference or by identifier. */
export interface ReadRelation {
  readonly type: RelationType
  readonly target: { readonly reference?: string; readonly identifier?: Identifier }
  readonly documentation?: Code
  /** FHIRPath of the relatesTo. */
  readonly location: string
}

type RelatesToCode = DocumentReferenceRelatesTo['code']

const codes: Readonly<Record<RelationType, readonly RelatesToCode[]>> = {
  RPLC: ['replaces'],
  APND: ['appends'],
  XFRM: ['transforms'],
  XFRM_RPLC: ['replaces', 'transforms'],
  signs: ['signs'],
  IsSnapshotOf: ['transforms'],
}
const types: Readonly<Record<RelatesToCode, RelationType>> = {
  replaces: 'RPLC',
  appends: 'APND',
  transforms: 'XFRM',
  signs: 'signs',
}

export function isRelationType(type: Association['type']): type is RelationType {
  return type in codes
}

/** The relationships that start at `source`, given the logicalId of each entryUUID that may be shown. */
export function relationsOf(
  source: EntryUuid,
  associations: readonly Association[],
  logicalIdOf: (entryUuid: EntryUuid) => EntryUuid | undefined,
): readonly Relation[] {
  return associations.flatMap(({ type, source: from, target, documentation }) => {
    const logicalId = from === source && isRelationType(type) ? logicalIdOf(target) : undefined
    if (logicalId === undefined || !isRelationType(type)) return []
    return { type, target: logicalId, ...(documentation && { documentation }) }
  })
}

export function writeRelations(relations: readonly Relation[]): DocumentReferenceRelatesTo[] | undefined {
  return some(
    relations.flatMap(({ type, target, documentation }) => {
      const extension = some([
        ...(type === 'IsSnapshotOf' ? [{ url: ext.associationType, valueCode: type }] : []),
        ...(documentation
          ? [{ url: ext.associationDocumentation, valueCodeableConcept: writeConcept(documentation) }]
          : []),
      ])
      return codes[type].map((code) => ({
        ...(extension && { extension }),
        code,
        target: { reference: `DocumentReference/${target.slice('urn:uuid:'.length)}` },
      }))
    }),
  )
}

export function readRelations(
  relatesTo: readonly DocumentReferenceRelatesTo[] | undefined,
  path: string,
  reading: Reading,
): readonly ReadRelation[] {
  const relations: ReadRelation[] = []
  for (const [index, each] of (relatesTo ?? []).entries()) {
    const location = `${path}.relatesTo[${index}]`
    reading.extensions(each, location, [ext.associationType, ext.associationDocumentation])
    const type =
      extensionOf(each, ext.associationType)?.valueCode === 'IsSnapshotOf' ? 'IsSnapshotOf' : types[each.code]
    const { reference, identifier } = each.target ?? {}
    if (type === undefined) {
      reading.problems.error(`${location}.code`, 'Send replaces, appends, transforms or signs.')
    } else if (reference === undefined && identifier?.value === undefined) {
      const detail = 'Send a reference to the other document, or its identifier with system and value.'
      reading.problems.error(`${location}.target`, detail)
    } else {
      const concept = extensionOf(each, ext.associationDocumentation)?.valueCodeableConcept
      const documentation = readConcept(concept, `${location}.extension`, reading)
      const target = { ...(reference !== undefined && { reference }), ...(identifier && { identifier }) }
      merge(relations, { type, target, location, ...(documentation && { documentation }) })
    }
  }
  return relations
}

/** replaces and transforms of the same document are one XFRM_RPLC. */
function merge(relations: ReadRelation[], relation: ReadRelation): void {
  const other = relation.type === 'RPLC' ? 'XFRM' : relation.type === 'XFRM' ? 'RPLC' : undefined
  const key = (each: ReadRelation) => JSON.stringify(each.target)
  const index = relations.findIndex((each) => each.type === other && key(each) === key(relation))
  const twin = relations[index]
  if (twin === undefined) relations.push(relation)
  else relations[index] = { ...relation, ...twin, type: 'XFRM_RPLC' }
}
