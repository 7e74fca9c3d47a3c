/**
 * Object mothers: valid DMP metadata, all invented (patient INS 260059999999999 of the test authority, professionals
 * 8997000000xx, structure 1010099999). Every call makes an object with its own identifiers; a test changes one field,
 * and `undefined` takes an attribute away: `aDocumentEntry({ title: undefined })`.
 */
import { createHash } from 'node:crypto'
import type { Cx, Xcn, Xon } from '../../src/metadata/hl7.ts'
import { type Dtm, type EntryUuid, newEntryUuid, toOid, type UniqueId } from '../../src/metadata/identifiers.ts'
import type {
  Association,
  Author,
  Code,
  DocumentEntry,
  Folder,
  Submission,
  SubmissionSet,
} from '../../src/metadata/model.ts'

export type Changes<T> = { readonly [K in keyof T]?: T[K] | undefined }

export const insAuthority = '1.2.250.1.213.1.4.10'
export const ins = '260059999999999'
export const repositoryUniqueId = toOid('1.2.250.1.213.4.1.1.1.2')

/** The document that the hash and size of `aDocumentEntry` belong to. */
export const documentBytes: Buffer = Buffer.from(
  '<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Bilan sanguin</title></ClinicalDocument>\n',
)

export const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')

const structures = '1.2.250.1.71.4.2.2'
const persons = '1.2.250.1.71.4.2.1'
const loinc = '2.16.840.1.113883.6.1'
const confidentiality = '2.16.840.1.113883.5.25'
const visibility = '1.2.250.1.213.1.1.4.13'

export const codes = {
  /** CR d'examens biologiques, class 10 (ASS_X16). */
  bloodTest: { code: '11502-2', system: loinc, display: "CR d'examens biologiques" },
  report: { code: '10', system: '1.2.250.1.213.1.1.4.1', display: 'Compte rendu' },
  /** Synthèse médicale, class 11. */
  summaryType: { code: '60591-5', system: loinc, display: 'Synthèse médicale' },
  summary: { code: '11', system: '1.2.250.1.213.1.1.4.1', display: 'Synthèse' },
  /** Prescription de produits de santé, class 42. */
  prescriptionType: { code: '57833-6', system: loinc, display: 'Prescription de produits de santé' },
  prescription: { code: '42', system: '1.2.250.1.213.1.1.4.1', display: 'Prescription' },
  labFormat: {
    code: 'urn:ihe:lab:xd-lab:2008',
    system: '1.3.6.1.4.1.19376.1.2.3',
    display: "Compte rendu structuré d'examens de biologie médicale",
  },
  pdfFormat: {
    code: 'urn:ihe:iti:xds-sd:pdf:2008',
    system: '1.3.6.1.4.1.19376.1.2.3',
    display: 'Document à corps non structuré en Pdf/A-1',
  },
  hospital: { code: 'SA01', system: '1.2.250.1.71.4.2.4', display: 'Etablissement public de santé' },
  office: { code: 'SA07', system: '1.2.250.1.71.4.2.4', display: 'Cabinet individuel' },
  hospitalCare: { code: 'ETABLISSEMENT', system: '1.2.250.1.213.1.1.4.9', display: 'Etablissement de santé' },
  outpatientCare: { code: 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9', display: 'Ambulatoire' },
  fullStay: {
    code: '03',
    system: '1.2.250.1.213.2.2',
    display: 'Hospitalisation complète (non compris hospitalisation de semaine)',
  },
  normal: { code: 'N', system: confidentiality, display: 'Normal' },
  maskedToProfessionals: { code: 'MASQUE_PS', system: visibility, display: 'Masqué aux professionnels de santé' },
  hiddenFromPatient: { code: 'INVISIBLE_PATIENT', system: visibility, display: 'Non visible par le patient' },
  hiddenFromRepresentatives: {
    code: 'INVISIBLE_REPRESENTANTS_LEGAUX',
    system: visibility,
    display: 'Non visible par les représentants légaux du patient',
  },
} as const satisfies Record<string, Code>

/** `260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH` */
export function aPatientId(changes: Changes<Cx> = {}): Cx {
  return changed<Cx>({ id: ins, assigningAuthority: authority(insAuthority), typeCode: 'NH' }, changes)
}

/** `899700000001^EXEMPLE^Anne^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS` */
export function aProfessional(changes: Changes<Xcn> = {}): Xcn {
  return changed<Xcn>(
    {
      id: '899700000001',
      family: 'EXEMPLE',
      given: 'Anne',
      assigningAuthority: authority(persons),
      nameType: 'D',
      idType: 'IDNPS',
    },
    changes,
  )
}

/** `1010099999/77^AUTOMATE^Modèle 3^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI` */
export function aDevice(changes: Changes<Xcn> = {}): Xcn {
  return aProfessional({
    id: '1010099999/77',
    family: 'AUTOMATE',
    given: 'Modèle 3',
    nameType: 'U',
    idType: 'RI',
    ...changes,
  })
}

/** The patient as an author: `260059999999999^PATIENTE^Zoé^^^^^^&1.2.250.1.213.1.4.10&ISO^D^^^NH` */
export function aPatientPerson(changes: Changes<Xcn> = {}): Xcn {
  return aProfessional({
    id: ins,
    family: 'PATIENTE',
    given: 'Zoé',
    assigningAuthority: authority(insAuthority),
    idType: 'NH',
    ...changes,
  })
}

/** `CH EXEMPLE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1010099999` */
export function aStructure(changes: Changes<Xon> = {}): Xon {
  return changed<Xon>(
    { name: 'CH EXEMPLE', assigningAuthority: authority(structures), idType: 'IDNST', id: '1010099999' },
    changes,
  )
}

export function anAuthor(changes: Changes<Author> = {}): Author {
  return changed<Author>(
    {
      person: aProfessional(),
      institutions: [aStructure()],
      roles: ['Correspondant'],
      specialties: ['G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5'],
      telecoms: [],
    },
    changes,
  )
}

/** A blood test of a hospital in French, complete for CI-SIS; hash and size are those of `documentBytes`. */
export function aDocumentEntry(changes: Changes<DocumentEntry> = {}): DocumentEntry {
  const entryUuid = changes.entryUuid ?? newEntryUuid()
  return changed<DocumentEntry>(
    {
      kind: 'DocumentEntry',
      entryUuid,
      logicalId: entryUuid,
      version: 1,
      extra: [],
      uniqueId: aUniqueId(),
      repositoryUniqueId,
      availabilityStatus: 'Approved',
      stability: 'stable',
      limitedMetadata: false,
      patientId: aPatientId(),
      sourcePatientId: { id: 'IPP-0042', assigningAuthority: authority('1.2.250.1.999.1.7'), typeCode: 'PI' },
      sourcePatientInfo: [
        `PID-3|${ins}^^^&${insAuthority}&ISO^NH`,
        'PID-5|PATIENTE^Zoé^Zoé Marie^^^^L',
        'PID-7|20000229',
        'PID-8|F',
      ],
      authors: [anAuthor()],
      legalAuthenticator: aProfessional(),
      classCode: codes.report,
      typeCode: codes.bloodTest,
      formatCode: codes.labFormat,
      healthcareFacilityTypeCode: codes.hospital,
      practiceSettingCode: codes.hospitalCare,
      confidentialityCodes: [codes.normal],
      eventCodes: [],
      creationTime: '20260512081530' as Dtm,
      serviceStartTime: '202605120700' as Dtm,
      serviceStopTime: '202605120710' as Dtm,
      languageCode: 'fr-FR',
      mimeType: 'text/xml',
      title: 'Bilan sanguin du 12 mai',
      comments: 'Prélèvement à jeun, résultats validés.',
      hash: sha1(documentBytes),
      size: documentBytes.length,
      referenceIds: [],
    },
    changes,
  )
}

export function aSubmissionSet(changes: Changes<SubmissionSet> = {}): SubmissionSet {
  const entryUuid = changes.entryUuid ?? newEntryUuid()
  return changed<SubmissionSet>(
    {
      kind: 'SubmissionSet',
      entryUuid,
      logicalId: entryUuid,
      version: 1,
      extra: [],
      uniqueId: aUniqueId(),
      sourceId: '1.2.250.1.999.1.1',
      availabilityStatus: 'Approved',
      limitedMetadata: false,
      patientId: aPatientId(),
      submissionTime: '20260512081600' as Dtm,
      contentTypeCode: codes.fullStay,
      authors: [anAuthor()],
      intendedRecipients: [],
      title: 'Séjour de mai',
    },
    changes,
  )
}

/** Folders exist in profile `ihe` only; the codes are a local list. */
export function aFolder(changes: Changes<Folder> = {}): Folder {
  const entryUuid = changes.entryUuid ?? newEntryUuid()
  return changed<Folder>(
    {
      kind: 'Folder',
      entryUuid,
      logicalId: entryUuid,
      version: 1,
      extra: [],
      uniqueId: aUniqueId(),
      availabilityStatus: 'Approved',
      limitedMetadata: false,
      patientId: aPatientId(),
      codes: [{ code: 'suivi', system: '1.2.250.1.999.3', display: 'Suivi' }],
      title: 'Suivi 2026',
    },
    changes,
  )
}

/** By default a RPLC between two documents unknown elsewhere; give `source` and `target`. */
export function anAssociation(changes: Changes<Association> = {}): Association {
  const entryUuid = changes.entryUuid ?? newEntryUuid()
  return changed<Association>(
    {
      kind: 'Association',
      entryUuid,
      logicalId: entryUuid,
      version: 1,
      extra: [],
      type: 'RPLC',
      source: newEntryUuid(),
      target: newEntryUuid(),
      availabilityStatus: 'Approved',
    },
    changes,
  )
}

/** A HasMember; `Original` only where the member is a document. */
export function aMembership(source: EntryUuid, target: EntryUuid, status?: 'Original' | 'Reference'): Association {
  return anAssociation({ type: 'HasMember', source, target, submissionSetStatus: status })
}

/**
 * A SubmissionSet and what belongs to it: one entry unless `entries` are given, and the memberships of all entries and
 * folders unless `associations` are given. Further associations go into `more`.
 */
export function aSubmission(
  changes: Partial<Submission> = {},
  more: (submissionSet: SubmissionSet, entries: readonly DocumentEntry[]) => readonly Association[] = () => [],
): Submission {
  const entries = changes.entries ?? [aDocumentEntry()]
  const folders = changes.folders ?? []
  const submissionSet = changes.submissionSet ?? aSubmissionSet()
  const associations = changes.associations ?? [
    ...entries.map((entry) => aMembership(submissionSet.entryUuid, entry.entryUuid, 'Original')),
    ...folders.map((folder) => aMembership(submissionSet.entryUuid, folder.entryUuid)),
    ...more(submissionSet, entries),
  ]
  return { submissionSet, entries, folders, associations }
}

/** A submission whose only entry replaces `target`. */
export function aReplacement(target: EntryUuid, entry: DocumentEntry = aDocumentEntry()): Submission {
  return aSubmission({ entries: [entry] }, () => [anAssociation({ type: 'RPLC', source: entry.entryUuid, target })])
}

let made = 0
const run = Date.now()

/** An OID never given before in this process, and hardly in another. */
export function aUniqueId(): UniqueId {
  made += 1
  return `1.2.250.1.999.9.${process.pid}.${run}.${made}` as UniqueId
}

function authority(oid: string): { readonly universalId: string; readonly universalIdType: string } {
  return { universalId: oid, universalIdType: 'ISO' }
}

function changed<T extends object>(valid: T, changes: Changes<T>): T {
  return Object.fromEntries(Object.entries({ ...valid, ...changes }).filter(([, value]) => value !== undefined)) as T
}
