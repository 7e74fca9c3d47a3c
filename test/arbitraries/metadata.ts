/**
 * fast-check arbitraries of the metadata model: what they make is valid in profile `ihe` (with `…For('ci-sis')` in the
 * French profile too), and both doors can carry it. Limits:
 * - text has no control characters, no white space at its ends nor twice in a row (XML and FHIR may normalise it), and
 *   inside an HL7 component none of `^ ~ & | \`; a string is never empty; a slot value has at most 256 characters;
 * - `rest` components occur in XCN only: the rules refuse them in CX and XON;
 * - no homeCommunityId: a registry drops it (XDS-RULES 4.5).
 */
import fc from 'fast-check'
import { type Cx, formatXcn, formatXon, formatXtn, type Xcn, type Xon } from '../../src/metadata/hl7.ts'
import type { UniqueId } from '../../src/metadata/identifiers.ts'
import type {
  Association,
  Author,
  AvailabilityStatus,
  Code,
  DocumentEntry,
  Folder,
  Recipient,
  Slot,
  Submission,
  SubmissionSet,
} from '../../src/metadata/model.ts'
import { aMembership, anAssociation } from '../mothers/metadata.ts'

import {
  type Arb,
  component,
  cxi,
  dtm,
  entryUuid,
  frenchPatientId,
  localPatientId,
  oid,
  type Profile,
  patientIdFor,
  period,
  record,
  text,
  token,
  uniqueId,
  xcnFor,
  xonFor,
  xtn,
} from './hl7.ts'

export * from './hl7.ts'

// --- Metadata types -------------------------------------------------------------------------------------------------

const scheme: Arb<string> = fc.oneof(
  { weight: 4, arbitrary: oid as Arb<string> },
  fc.constantFrom(
    '2.16.840.1.113883.6.1',
    '1.2.250.1.213.1.1.4.12',
    'http://loinc.org',
    'urn:oid:1.2.250.1.999.5',
    'urn:ietf:bcp:47',
    'Codes locaux du CH Exemple',
  ),
)

export const availabilityStatus: Arb<AvailabilityStatus> = fc.constantFrom(
  'Approved',
  'Deprecated',
  'Archived',
  'Deleted',
)

export const code: Arb<Code> = record({ code: fc.oneof(token, component), system: scheme, display: text }, [
  'code',
  'system',
])
const someCodes = fc.uniqueArray(code, {
  minLength: 1,
  maxLength: 4,
  selector: (each) => `${each.code}|${each.system}`,
})

/** Extra `urn:` slots with distinct names, several values each. */
export const extra: Arb<readonly Slot[]> = fc.uniqueArray(
  record({
    name: fc
      .tuple(fc.constantFrom('urn:oid:1.2.250.1.999.', 'urn:x-exemple:'), fc.integer({ min: 1, max: 99 }))
      .map(([a, b]) => `${a}${b}`),
    values: fc.array(text, { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 2, selector: (slot) => slot.name },
)

const roleOf: Arb<string> = fc.oneof(
  fc.constantFrom('Correspondant', 'Préleveur', "Responsable de l'admission"),
  component,
  fc.tuple(token, oid).map(([role, system]) => `${role}^^^&${system}&ISO`),
)
const specialty: Arb<string> = fc.oneof(
  fc.constantFrom(
    'G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5',
    'DISPOSITIF^Dispositif médical^1.2.250.1.213.1.1.4.6',
  ),
  component,
  fc.tuple(token, component, oid).map((parts) => parts.join('^')),
)

/** Several institutions and specialties in `ihe` only; the person is always there in `ci-sis`. */
export function authorFor(profile: Profile): Arb<Author> {
  const many = profile === 'ihe' ? 3 : 1
  return record(
    {
      person: xcnFor(profile),
      institutions: fc.array(xonFor(profile), { maxLength: many }),
      roles: fc.uniqueArray(roleOf, { maxLength: 3 }),
      specialties: fc.uniqueArray(specialty, { maxLength: many }),
      telecoms: fc.array(xtn, { maxLength: 2 }),
    },
    ['institutions', 'roles', 'specialties', 'telecoms', ...(profile === 'ci-sis' ? (['person'] as const) : [])],
  ).filter(({ person, institutions, telecoms }) => person !== undefined || institutions.length + telecoms.length > 0)
}

/** Together at most 256 characters, as they share one slot value. */
export const recipient: Arb<Recipient> = record(
  { organization: xonFor('ihe'), person: xcnFor('ihe'), telecom: xtn },
  [],
).filter(({ organization, person, telecom }) => {
  const parts = [organization && formatXon(organization), person && formatXcn(person), telecom && formatXtn(telecom)]
  return parts.some((part) => part !== undefined) && parts.join('|').length <= 256
})

const pidLines: Arb<readonly string[]> = fc.oneof(
  fc.constant([]),
  fc
    .tuple(
      fc.array(localPatientId, { minLength: 1, maxLength: 2 }),
      component,
      component,
      dtm.filter((value) => value.length <= 8),
      fc.constantFrom('F', 'M', 'U', 'O', 'A', 'N'),
      fc.boolean(),
    )
    .map(([ids, family, given, birth, sex, address]) => [
      `PID-3|${ids.map(({ id, assigningAuthority }) => `${id}^^^&${assigningAuthority?.universalId}&ISO`).join('~')}`,
      `PID-5|${family}^${given}^^^^^L`,
      `PID-7|${birth}`,
      `PID-8|${sex}`,
      ...(address ? ['PID-11|1 rue de l’Exemple^^Ville^^75999^FRA'] : []),
    ]),
)

const language = fc.constantFrom('fr-FR', 'fr', 'en-GB', 'br-FR')
const mimeType = fc.constantFrom(
  'text/xml',
  'application/xslt+xml',
  'application/pdf',
  'text/plain',
  'image/jpeg',
  'application/dicom',
)
const sha1 = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 })

interface EntryOptions {
  /** As stored: any version and status (default: as submitted, version 1 and Approved). */
  readonly stored?: boolean
}

/** A DocumentEntry with everything the profile requires, and in `ihe` sometimes limited metadata. */
export function documentEntryFor(profile: Profile, { stored = false }: EntryOptions = {}): Arb<DocumentEntry> {
  const coded = {
    sourcePatientId: profile === 'ci-sis' ? fc.oneof(frenchPatientId, localPatientId) : localPatientId,
    classCode: code,
    typeCode: code,
    formatCode: code,
    healthcareFacilityTypeCode: code,
    practiceSettingCode: code,
    creationTime: dtm,
    languageCode: language,
  }
  const french = { legalAuthenticator: xcnFor(profile), title: text, serviceStartTime: dtm }
  const free = {
    documentAvailability: fc.constantFrom('Online', 'Offline'),
    uri: fc.constantFrom('DOC00001.XML', 'IHE_XDM/SUBSET01/DOC00002.PDF'),
    repositoryUniqueId: oid,
    hash: sha1,
    size: fc.nat({ max: 2 ** 40 }),
    comments: text,
  }
  const limited = profile === 'ihe' ? fc.nat({ max: 4 }).map((dice) => dice === 0) : fc.constant(false)
  return limited.chain((limitedMetadata) => {
    const lists = {
      authors: fc.array(authorFor(profile), { minLength: profile === 'ci-sis' ? 1 : 0, maxLength: 3 }),
      confidentialityCodes: limitedMetadata ? fc.oneof(fc.constant([]), someCodes) : someCodes,
      eventCodes: fc.oneof(fc.constant([]), someCodes),
      referenceIds: fc.uniqueArray(cxi, { maxLength: 3, selector: (each) => each.id }),
      sourcePatientInfo: pidLines,
    }
    const identity = {
      entryUuid,
      logicalId: entryUuid,
      version: fc.integer({ min: 1, max: 4 }),
      availabilityStatus,
      uniqueId,
      patientId: patientIdFor(profile),
      mimeType,
      extra,
      period,
    }
    const required = [
      ...(Object.keys({ ...lists, ...identity }) as (keyof typeof lists | keyof typeof identity)[]),
      ...(limitedMetadata ? [] : (Object.keys(coded) as (keyof typeof coded)[])),
      ...(profile === 'ci-sis' ? (Object.keys(french) as (keyof typeof french)[]) : []),
    ]
    return record({ ...lists, ...identity, ...coded, ...french, ...free, withStop: fc.constant(true) }, required).map(
      ({ period: [start, stop], withStop, version, logicalId, availabilityStatus: status, ...rest }): DocumentEntry => {
        const first = !stored || version === 1
        return {
          kind: 'DocumentEntry',
          stability: 'stable',
          limitedMetadata,
          ...rest,
          ...(rest.serviceStartTime !== undefined && { serviceStartTime: start }),
          ...(withStop && { serviceStopTime: stop }),
          version: stored ? version : 1,
          logicalId: first ? rest.entryUuid : logicalId,
          availabilityStatus: stored ? status : 'Approved',
        } as DocumentEntry
      },
    )
  })
}

export function submissionSetFor(profile: Profile): Arb<SubmissionSet> {
  return record(
    {
      entryUuid,
      uniqueId: fc.oneof(oid, entryUuid).map((id) => id as string as UniqueId),
      sourceId: oid as Arb<string>,
      patientId: patientIdFor(profile),
      submissionTime: dtm,
      contentTypeCode: code,
      authors: fc.array(authorFor(profile), {
        minLength: profile === 'ci-sis' ? 1 : 0,
        maxLength: profile === 'ci-sis' ? 1 : 2,
      }),
      intendedRecipients: fc.array(recipient, { maxLength: 2 }),
      title: text,
      comments: text,
      extra,
    },
    [
      'entryUuid',
      'uniqueId',
      'sourceId',
      'patientId',
      'submissionTime',
      'contentTypeCode',
      'authors',
      'intendedRecipients',
      'extra',
    ],
  ).map(({ entryUuid: id, ...rest }) => ({
    kind: 'SubmissionSet',
    ...rest,
    entryUuid: id,
    logicalId: id,
    version: 1,
    availabilityStatus: 'Approved',
    limitedMetadata: false,
  }))
}

export const folder: Arb<Folder> = record(
  {
    entryUuid,
    uniqueId: oid.map((id) => id as string as UniqueId),
    patientId: patientIdFor('ihe'),
    codes: someCodes,
    title: text,
    comments: text,
    lastUpdateTime: dtm.filter((value) => value.length === 14),
    extra,
  },
  ['entryUuid', 'uniqueId', 'patientId', 'codes', 'title', 'extra'],
).map(({ entryUuid: id, ...rest }) => ({
  kind: 'Folder',
  ...rest,
  entryUuid: id,
  logicalId: id,
  version: 1,
  availabilityStatus: 'Approved',
  limitedMetadata: false,
}))

/** A relationship association between two documents. */
export const relationship: Arb<Association> = record(
  {
    entryUuid,
    source: entryUuid,
    target: entryUuid,
    type: fc.constantFrom('RPLC', 'APND', 'XFRM', 'XFRM_RPLC', 'signs'),
    documentation: code,
  },
  ['entryUuid', 'source', 'target', 'type'],
).map((parts) => anAssociation(parts))

/**
 * A whole submission about one patient: memberships of everything, sometimes a relationship to a document elsewhere,
 * in `ihe` sometimes folders with documents in them.
 */
export function submissionFor(profile: Profile): Arb<Submission> {
  return record({
    submissionSet: submissionSetFor(profile),
    entries: fc.array(documentEntryFor(profile), { minLength: 1, maxLength: 3 }),
    folders: fc.array(folder, { maxLength: profile === 'ihe' ? 2 : 0 }),
    relationships: fc.array(relationship, { maxLength: 2 }),
    filed: fc.boolean(),
  })
    .filter(({ submissionSet, entries, folders }) => allDistinct([submissionSet, ...entries, ...folders]))
    .map(({ submissionSet, entries, folders, relationships, filed }) => {
      const { patientId } = submissionSet
      const same = <T extends object>(object: T): T => (patientId === undefined ? object : { ...object, patientId })
      const filings = folders
        .slice(0, filed ? folders.length : 0)
        .map((each) => aMembership(each.entryUuid, entries[0]?.entryUuid ?? each.entryUuid))
      return {
        submissionSet,
        entries: entries.map(same),
        folders: folders.map(same),
        associations: [
          ...entries.map((entry) => aMembership(submissionSet.entryUuid, entry.entryUuid, 'Original')),
          ...folders.map((each) => aMembership(submissionSet.entryUuid, each.entryUuid)),
          ...filings,
          ...filings.map((filing) => aMembership(submissionSet.entryUuid, filing.entryUuid)),
          ...relationships.map((each) => ({ ...each, source: entries[0]?.entryUuid ?? each.source })),
        ],
      }
    })
}

function allDistinct(objects: readonly { readonly entryUuid: string; readonly uniqueId: string }[]): boolean {
  const ids = objects.flatMap((object) => [object.entryUuid, `unique ${object.uniqueId}`])
  return new Set(ids).size === ids.length
}

/** The most general of each, valid in `ihe`. */
export const documentEntry: Arb<DocumentEntry> = documentEntryFor('ihe')
export const submissionSet: Arb<SubmissionSet> = submissionSetFor('ihe')
export const submission: Arb<Submission> = submissionFor('ihe')
export const author: Arb<Author> = authorFor('ihe')
export const xcn: Arb<Xcn> = xcnFor('ihe')
export const xon: Arb<Xon> = xonFor('ihe')
export const cx: Arb<Cx> = patientIdFor('ihe')
