/**
 * Compiles the published French code lists into the JSON files next to this one. Run by hand when a list changes, never
 * at run time: `node src/nomenclature/data/compile.ts FOLDER`, FOLDER holding one JSON file per published list.
 * It stops on anything it does not understand: an unknown code system, a duplicate, a stray value in a matrix.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: node src/nomenclature/data/compile.ts FOLDER')
const target = fileURLToPath(new URL('.', import.meta.url))

interface PublishedCode {
  readonly code: string
  readonly display: string
  readonly system?: string
  readonly systemOid?: string | null
}
interface PublishedSet {
  readonly name: string
  readonly oid: string
  readonly version?: string
  readonly source: string
  readonly note?: string
  readonly codes: readonly PublishedCode[]
}

function published<T>(file: string): T {
  return JSON.parse(readFileSync(join(folder ?? '', `${file}.json`), 'utf8')) as T
}

/** One line per innermost array, so that a change of one code is a change of one line. */
function lines(value: unknown, indent = ''): string {
  const deeper = `${indent} `
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) return JSON.stringify(value)
    return `[\n${value.map((item) => deeper + lines(item, deeper)).join(',\n')}\n${indent}]`
  }
  if (typeof value === 'object' && value !== null)
    return `{\n${Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${lines(item, deeper)}`)
      .join(',\n')}\n${indent}}`
  return JSON.stringify(value)
}

function write(file: string, value: unknown): void {
  writeFileSync(join(target, file), `${lines(value)}\n`)
}

// --- Code systems -------------------------------------------------------------------------------------------------

const NOS = 'https://mos.esante.gouv.fr/NOS/'
/** The FHIR URI of a terminology of the ANS: `TRE_A03-ClasseDocument` → `…/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument`. */
const nos = (name: string): string => `${NOS}${name}/FHIR/${name.replaceAll('_', '-')}`

/**
 * OID (or the word the ANS uses in its place), canonical FHIR URI, other URIs accepted on input. Where HL7, IHE or
 * Regenstrief publish a URI and the ANS publishes a second one for the same list, theirs is canonical (PDSm and MHD use it).
 */
const systems: readonly (readonly [oid: string, uri: string, ...variants: string[]])[] = [
  ['1.2.250.1.213.1.1.4.1', nos('TRE_A03-ClasseDocument')],
  ['1.2.250.1.213.1.1.4.12', nos('TRE_A05-TypeDocComplementaire')],
  ['1.2.250.1.213.1.1.4.13', nos('TRE_A07-StatusVisibiliteDocument'), nos('TRE_A07-StatutVisibiliteDocument'), nos('TRE_A07-StatusVisibilite'), nos('TRE_A07-StatutVisibilite')],
  ['1.2.250.1.213.1.1.4.6', nos('TRE_A00-ProducteurDocNonPS')],
  ['1.2.250.1.213.1.1.4.9', nos('TRE_A01-CadreExercice')],
  ['1.2.250.1.213.1.1.4.5', nos('TRE_A02-ProfessionSavFaire-CISIS')],
  ['1.2.250.1.213.1.1.4.2.282', nos('TRE_A06-FormatCodeComplementaire')],
  ['2.16.840.1.113883.5.25', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', nos('TRE_A08-HL7Confidentiality'), 'http://hl7.org/fhir/v3/Confidentiality'],
  ['1.2.840.10008.2.6.1', nos('TRE_A09-DICOMuidRegistry')],
  ['URN', nos('TRE_A10-NomenclatureURN')],
  ['1.3.6.1.4.1.19376.1.2.3', 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode', nos('TRE_A11-IheFormatCode'), 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem'],
  ['ASTM', nos('TRE_A12-NomenclatureASTM')],
  ['1.2.250.1.71.4.2.4', nos('TRE_R02-SecteurActivite')],
  ['1.2.250.1.213.2.2', nos('TRE_R209-TypeActivite')],
  ['1.2.250.1.213.1.6.1.128', nos('TRE_R276-FormeActivite')],
  ['1.2.250.1.71.1.2.7', nos('TRE_G15-ProfessionSante')],
  ['1.2.250.1.71.1.2.8', nos('TRE_G16-ProfessionFormation')],
  ['1.2.250.1.213.1.6.1.4', nos('TRE_R94-ProfessionSocial')],
  ['1.2.250.1.213.1.6.1.109', nos('TRE_R95-UsagerTitre')],
  ['1.2.250.1.213.1.6.1.140', nos('TRE_R291-AutreProfession')],
  ['1.2.250.1.213.1.6.1.19', nos('TRE_R22-GenreActivite')],
  ['1.2.250.1.213.1.6.1.17', nos('TRE_R21-Fonction')],
  ['1.2.250.1.71.4.2.5', nos('TRE_R01-EnsembleSavoirFaire-CISIS')],
  ['1.2.250.1.71.4.2.6', nos('TRE_G05-SousSectionTableauCNOP')],
  ['1.2.250.1.213.1.6.1.107', nos('TRE_R85-RolePriseCharge')],
  ['1.2.250.1.213.1.1.4.2.280', nos('TRE_R258-RelationPriseCharge')],
  ['1.2.250.1.213.1.1.4.347', nos('TRE_R342-XdsTypesIdentifiantsReferenceId')],
  ['1.2.250.1.213.1.1.4.248', nos('TRE_R248_ModeAcces'), nos('TRE_R248-ModeAcces')],
  ['2.16.840.1.113883.6.1', 'http://loinc.org'],
  ['2.16.840.1.113883.6.96', 'http://snomed.info/sct'],
  ['2.16.840.1.113883.6.3', 'http://hl7.org/fhir/sid/icd-10', 'https://smt.esante.gouv.fr/terminologie-cim-10'],
  ['1.2.250.1.213.2.5', nos('CCAM')],
  ['1.2.250.1.215.300.1', 'https://smt.esante.gouv.fr/terminologie-ccam'],
  ['1.2.840.10008.2.16.4', 'http://dicom.nema.org/resources/ontology/DCM'],
  ['2.16.840.1.113883.5.88', 'http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction'],
  ['2.16.840.1.113883.5.4', 'http://terminology.hl7.org/CodeSystem/v3-ActCode'],
  ['2.16.840.1.113883.5.8', 'http://terminology.hl7.org/CodeSystem/v3-ActReason'],
  ['2.16.840.1.113883.5.111', 'http://terminology.hl7.org/CodeSystem/v3-RoleCode'],
]

/** `…/NOS/TRE_X/FHIR/TRE-X` is also written `…/NOS/TRE_X`. */
const shortForm = (uri: string): readonly string[] => (uri.startsWith(NOS) ? [uri.slice(0, uri.indexOf('/FHIR/'))] : [])
const oidOfUri = new Map<string, string>()
const systemRows = systems.map(([oid, uri, ...others]) => {
  const accepted = [...shortForm(uri), ...others.flatMap((other) => [other, ...shortForm(other)])]
  for (const form of [uri, ...accepted]) {
    if (oidOfUri.has(form)) throw new Error(`two code systems for ${form}`)
    oidOfUri.set(form, oid)
  }
  return [oid, uri, ...accepted]
})
write('systems.json', {
  name: 'Code systems: OID, canonical FHIR URI, other URIs accepted on input',
  source: 'ANS Terminologies de Santé v1.12.0 to v1.14.0; PDSm 3.1.1 and MHD 4.2 for LOINC, HL7 v3 and IHE format codes',
  systems: systemRows,
})

/** The OID of a code in a published list: as given, else by its URI (some lists give only one of the two). */
function oidOf({ code, system, systemOid }: PublishedCode): string {
  const uri = system?.split(' ')[0]
  const byUri = uri === undefined ? undefined : oidOfUri.get(uri)
  const oid = systemOid ?? byUri
  if (oid === undefined || (byUri !== undefined && byUri !== oid)) throw new Error(`code system of ${code}: ${system} ${systemOid}`)
  if (!systems.some(([known]) => known === oid)) throw new Error(`unknown code system ${oid}`)
  return oid
}

// --- Value sets ---------------------------------------------------------------------------------------------------

const sets: readonly (readonly [key: string, file: string, systemOid?: string])[] = [
  ['typeCode', 'typeCode_JDV_J66_DMP'],
  ['classCode', 'classCode_JDV_J57_DMP'],
  ['confidentialityCode', 'confidentiality_JDV_J58_DMP'],
  ['visibility', 'confidentiality_TRE_A07'],
  ['formatCode', 'formatCode_JDV_J60_DMP'],
  ['healthcareFacilityTypeCode', 'healthcareFacilityType_JDV_J61_DMP'],
  ['practiceSettingCode', 'practiceSetting_JDV_J62_DMP'],
  ['contentTypeCode', 'contentType_JDV_J59_DMP'],
  ['subjectRole', 'subjectRole_JDV_J65_DMP_professions'],
  ['authorSpecialty', 'authorSpecialty_JDV_J01'],
  ['authorRole', 'authorRole_JDV_J47'],
  ['professionNonPs', 'professionNonPS_JDV_J48'],
  ['purposeOfUse', 'purposeOfUse_TRE_R248', '1.2.250.1.213.1.1.4.248'],
  ['availabilityStatus', 'availabilityStatus_JDV_J52', 'URN'],
  ['referenceIdType', 'referenceIdType_JDV_J231_DMP'],
]
write(
  'value-sets.json',
  Object.fromEntries(
    sets.map(([key, file, systemOid]) => {
      const set = published<PublishedSet>(file)
      const bySystem = new Map<string, string[][]>()
      for (const entry of set.codes) {
        const oid = systemOid ?? oidOf(entry)
        const list = bySystem.get(oid) ?? []
        if (list.some(([code]) => code === entry.code)) throw new Error(`${file}: ${entry.code} twice in ${oid}`)
        list.push([entry.code, entry.display])
        bySystem.set(oid, list)
      }
      const { name, oid, version, source, note } = set
      return [key, { name, oid, version, source, note, systems: [...bySystem].map(([system, codes]) => ({ system, codes })) }]
    }),
  ),
)

const association = published<{ name: string; oid: string; version: string; source: string; note: string; typeToClass: Record<string, { class: string }> }>('ass_x16_type_class_DMP')
write('type-class.json', {
  name: association.name,
  oid: association.oid,
  version: association.version,
  source: association.source,
  note: association.note,
  types: Object.entries(association.typeToClass).map(([type, row]) => [type, row.class]),
})

// --- Matrices -----------------------------------------------------------------------------------------------------

interface PublishedMatrix {
  readonly title: string
  readonly provenance: Record<string, unknown>
  readonly note: string
  readonly professions: readonly { key: string; label: string; codes: string[]; codeSystem: string; notes: string; codesOrigin: string }[]
  readonly classes: readonly { code: string; types: readonly { code: string; label: string; allowedByColumn: Record<string, boolean> }[] }[]
}
const matrix = published<PublishedMatrix>('habilitation_matrix_full')
const professionSystem: Record<string, string> = {
  TRE_G15: '1.2.250.1.71.1.2.7',
  TRE_R22: '1.2.250.1.213.1.6.1.19',
  TRE_R94: '1.2.250.1.213.1.6.1.4',
}
const columns = matrix.professions.map(({ key }) => key)
/** Fifteen rows of the matrix were published elsewhere with profession codes; the lists call that excerpt "seed". */
const plain = (text: string): string => text.replaceAll('the seed', 'the published excerpt').replaceAll('seed', 'published excerpt')
write('habilitation.json', {
  name: matrix.title,
  version: '2025-09-17',
  source: 'CNAM, Matrice d’habilitations des PS pour le DMP (annexe de l’arrêté du 26 octobre 2023), by way of an unofficial spreadsheet copy; the 15 rows published elsewhere agree exactly',
  status: 'unofficial copy (PDF to spreadsheet) of the official document, 2025 edition; the arrêté was annulled by Conseil d’État n° 490409 (15/10/2025) only in that it omitted the initial consent',
  reference: matrix.provenance.upstreamCitedByRepoReadme,
  limits: (matrix.provenance.limits as string[]).map(plain),
  note: plain(matrix.note),
  columns: matrix.professions.map(({ key, label, codes, codeSystem, notes, codesOrigin }) => {
    const system = professionSystem[codeSystem]
    if (system === undefined) throw new Error(`unknown code system ${codeSystem}`)
    return { key, system, codes, label, notes: plain(notes), origin: plain(codesOrigin) }
  }),
  rows: matrix.classes.flatMap((group) =>
    group.types.map(({ code, label, allowedByColumn }) => [
      code,
      group.code,
      label,
      columns
        .map((column) => {
          const allowed = allowedByColumn[column]
          if (typeof allowed !== 'boolean') throw new Error(`no cell ${code} × ${column}`)
          return allowed ? 'X' : '.'
        })
        .join(''),
    ]),
  ),
})

type PublishedRights = readonly { td: string; label: string; rights: Record<string, { allowed: boolean; note: string | null }> }[]
const rights = published<{ sources: string[]; status: string; notes: Record<string, string>; direct_and_indirect: PublishedRights; air: PublishedRights }>(
  'functional_rights_matrix',
)
function grid(rows: PublishedRights): { columns: string[]; rows: string[][] } {
  const cells = Object.keys(rows[0]?.rights ?? {})
  return {
    columns: cells,
    rows: rows.map(({ td, label, rights: row }) => {
      if (Object.keys(row).join() !== cells.join()) throw new Error(`${td}: other columns`)
      return [td, label, ...cells.map((cell) => `${row[cell]?.allowed === true ? 'y' : 'n'}${row[cell]?.note ?? ''}`)]
    }),
  }
}
write('functional-rights.json', {
  name: 'Matrice des droits fonctionnels du DMP: direct and indirect authentication, reinforced indirect authentication (AIR)',
  version: 'PDT-INF-526 v1.8, PDT-INF-606 v1.3',
  source: rights.sources,
  status: rights.status,
  notes: rights.notes,
  direct: grid(rights.direct_and_indirect),
  air: grid(rights.air),
})
