/**
 * formatCode from the templateIds of a CDA (ASS_A11: model of content → formatCode), as far as the DMP takes the format
 * (JDV_J60). A document without structure goes by what it wraps.
 */
import type { Code } from '../metadata/model.ts'
import { codeOf } from '../nomenclature/index.ts'

/** CI-SIS models of content, without their common root. */
const root = '1.2.250.1.213.1.1.1'
const models: Readonly<Record<string, string>> = {
  '2.1.1': 'urn:asip:ci-sis:avk:2009',
  '2.1.2': 'urn:asip:ci-sis:tap:2009',
  '2.1.3': 'urn:asip:ci-sis:dci:2009',
  '2.1.4': 'urn:asip:ci-sis:psc:2009',
  '2.1.5': 'urn:asip:ci-sis:ppv:2009',
  '5.1': 'urn:asip:ci-sis:cse-cs8:2017',
  '5.2': 'urn:asip:ci-sis:cse-cs9:2017',
  '5.3': 'urn:asip:ci-sis:cse-cs24:2017',
  '5.4': 'urn:ans:ci-sis:cse-mde:2023',
  '8': 'urn:asip:ci-sis:frcp:2011',
  '9': 'urn:asip:ci-sis:idap:2011',
  '12.1': 'urn:asip:ci-sis:obp-sap:2023',
  '12.2': 'urn:asip:ci-sis:obp-snm:2023',
  '12.3': 'urn:asip:ci-sis:obp-sne:2023',
  '12.4': 'urn:asip:ci-sis:obp-scm:2023',
  '12.5': 'urn:asip:ci-sis:obp-sem:2023',
  '13': 'urn:asip:ci-sis:vsm:2012',
  '15': 'urn:asip:ci-sis:aunv:2013',
  '16': 'urn:asip:ci-sis:eunv:2013',
  '17': 'urn:asip:ci-sis:sunv:2013',
  '18': 'urn:asip:ci-sis:crrtn:2013',
  '21': 'urn:asip:ci-sis:ldl-ees:2017',
  '22': 'urn:asip:ci-sis:dlu:2015',
  '23': 'urn:asip:ci-sis:fludt:2017',
  '24': 'urn:asip:ci-sis:fludr:2017',
  '25': 'urn:asip:ci-sis:pavc:2016',
  '26': 'urn:asip:ci-sis:pps-cancer:2017',
  '27': 'urn:asip:ci-sis:d2lm-fin:2017',
  '28': 'urn:asip:ci-sis:d2lm-fidd:2017',
  '29': 'urn:asip:ci-sis:ldl-ses:2017',
  '30': 'urn:asip:ci-sis:sdm-mr:2017',
  '32': 'urn:asip:ci-sis:crgm:2018',
  '36': 'urn:asip:ci-sis:hr:2019',
  '37': 'urn:asip:ci-sis:vac:2019',
  '38': 'urn:asip:ci-sis:tlm-da:2020',
  '39': 'urn:ihe:pharm:pre:2010',
  '40': 'urn:asip:ci-sis:cr-anest:2020',
  '41': 'urn:asip:ci-sis:cr-cpa:2020',
  '42': 'urn:ihe:eyecare:geneyeevalcn:2014',
  '43': 'urn:ihe:eyecare:geneyeevalcn:2014',
  '44': 'urn:ihe:eyecare:geneyeevalcn:2014',
  '45': 'urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013',
  '46': 'urn:asip:ci-sis:vac-note:2021',
  '47': 'urn:ans:ci-sis:img-da:2022',
  '51': 'urn:ihe:pcc:ips:2020',
  '52': 'urn:ans:ci-sis:bio-ep-bio:2022',
  '54': 'urn:ihe:pharm:dis:2010',
  '55': 'urn:ihe:lab:xd-lab:2008',
  '56': 'urn:asip:ci-sis:ppp:2023',
  '57': 'urn:ihe:palm:apsr:2016',
  '59': 'urn:ans:ci-sis:trod:2024',
  '61': 'urn:asip:ci-sis:ft-su:2024',
  '62': 'urn:asip:ci-sis:fr-su:2024',
}
/** IHE models that CI-SIS uses without one of its own. */
const iheModels: Readonly<Record<string, string>> = { '1.3.6.1.4.1.19376.1.3.3': 'urn:ihe:lab:xd-lab:2008' }

/** What a body that is not XML holds (IHE XDS-SD). */
const wrapped: Readonly<Record<string, string>> = {
  'application/pdf': 'urn:ihe:iti:xds-sd:pdf:2008',
  'text/plain': 'urn:ihe:iti:xds-sd:text:2008',
  'image/jpeg': 'urn:ihe:iti-fr:xds-sd:jpeg:2010',
  'application/rtf': 'urn:ihe:iti-fr:xds-sd:rtf:2010',
  'text/rtf': 'urn:ihe:iti-fr:xds-sd:rtf:2010',
  'image/tiff': 'urn:ihe:iti-fr:xds-sd:tiff:2010',
}

/** “Document non référencé IHE ou CI-SIS”. */
const ownModel = 'urn:asipSante:modelesHorsProfils:2011'

/**
 * @param templateIds of the document, in its order
 * @param bodyType mediaType of a body that is not XML
 * @returns undefined where the table says nothing of this document
 */
export function formatOf(templateIds: readonly string[], bodyType: string | undefined): Code | undefined {
  if (bodyType !== undefined) return format(wrapped[bodyType.toLowerCase()])
  const models = templateIds.flatMap((id) => modelOf(id) ?? [])
  return format(models[0] ?? templateIds.map((id) => iheModels[id]).find(Boolean))
}

/** The format of a structured document that follows no model known here. */
export function formatOfOwnModel(): Code | undefined {
  return format(ownModel)
}

function modelOf(templateId: string): string | undefined {
  return templateId.startsWith(`${root}.`) ? models[templateId.slice(root.length + 1)] : undefined
}

function format(code: string | undefined): Code | undefined {
  return code === undefined ? undefined : codeOf('formatCode', code)
}
