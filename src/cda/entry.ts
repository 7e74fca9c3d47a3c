/**
 * A DocumentEntry from the header of its document (ITI-106, ITI TF-3 4.3): what the header says, and of the setting of
 * care, where the header is silent, what the caller is known for.
 */
import type { Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Code, DocumentEntry } from '../metadata/model.ts'
import { classOfType, codeOf } from '../nomenclature/index.ts'
import { formatOfOwnModel } from './format.ts'
import type { CdaHeader } from './header.ts'
import { present } from './values.ts'

export interface EntryOptions {
  readonly entryUuid: EntryUuid
  readonly mimeType: string
  /** Sector of activity of the caller, SAxx. */
  readonly sector?: string
}

export interface EntryOfHeader {
  /** Undefined when one of the issues is an error. Whether it is complete the metadata rules say. */
  readonly entry: DocumentEntry | undefined
  readonly issues: readonly Issue[]
}

export function entryOf(header: CdaHeader, { entryUuid, mimeType, sector }: EntryOptions): EntryOfHeader {
  const { uniqueId, patientId, related, custodian, ...attributes } = header
  const issues: Issue[] = []
  const missing = (where: string, detail: string) =>
    issues.push({ code: 'InvalidDocumentContent', rule: 'CDA', location: `ClinicalDocument/${where}`, detail })
  if (uniqueId === undefined) missing('id', 'The document has no identifier: give it an id with an OID as its root.')
  if (patientId === undefined)
    missing('recordTarget/patientRole/id', 'The document names no patient: give the INS, root and extension.')
  if (uniqueId === undefined || patientId === undefined) return { entry: undefined, issues }
  const setting = settingOf(header, sector)
  for (const attribute of setting.taken)
    issues.push({
      code: 'metadata-completed',
      severity: 'warning',
      rule: 'CDA',
      location: `${entryUuid}/${attribute}`,
      detail: `The header says no ${attribute}: it was taken from the sector of the caller.`,
    })
  const entry = present<DocumentEntry>({
    kind: 'DocumentEntry',
    entryUuid,
    logicalId: entryUuid,
    version: 1,
    availabilityStatus: 'Approved',
    stability: 'stable',
    limitedMetadata: false,
    extra: [],
    ...attributes,
    uniqueId,
    patientId,
    mimeType,
    classCode: header.typeCode && classOfType(header.typeCode.code),
    formatCode: header.formatCode ?? formatOfOwnModel(),
    healthcareFacilityTypeCode: setting.facility,
    practiceSettingCode: setting.practice,
  } as { [K in keyof DocumentEntry]: DocumentEntry[K] | undefined })
  return { entry, issues }
}

interface Setting {
  readonly facility: Code | undefined
  readonly practice: Code | undefined
  /** Attributes that the caller gave. */
  readonly taken: readonly string[]
}

function settingOf(header: CdaHeader, sector: string | undefined): Setting {
  const facility =
    header.healthcareFacilityTypeCode ??
    (sector === undefined ? undefined : codeOf('healthcareFacilityTypeCode', sector))
  const practice = header.practiceSettingCode ?? practiceOf(facility?.code)
  const taken = [
    ...(facility && !header.healthcareFacilityTypeCode ? ['healthcareFacilityTypeCode'] : []),
    ...(practice && !header.practiceSettingCode ? ['practiceSettingCode'] : []),
  ]
  return { facility, practice, taken }
}

/** Sectors (JDV_J61) whose setting of care (JDV_J62) goes without saying; of the others nothing is supposed. */
const settings: Readonly<Record<string, readonly string[]>> = {
  ETABLISSEMENT: ['SA01', 'SA02', 'SA03', 'SA04', 'SA30', 'SA36', 'SA53'],
  AMBULATOIRE: ['SA05', 'SA07', 'SA08', 'SA09', 'SA25', 'SA29', 'SA33', 'SA40', 'SA50', 'SA52', 'SA59', 'SA64'],
  AMO: ['SA24'],
}

function practiceOf(sector: string | undefined): Code | undefined {
  const code = Object.keys(settings).find((practice) => sector !== undefined && settings[practice]?.includes(sector))
  return code === undefined ? undefined : codeOf('practiceSettingCode', code)
}
