/** Metadata of a document from the header of its CDA, as a hospital's software derives them (CI-SIS, Partage de documents). */
import { SaxesParser } from 'saxes'
import type { Dtm } from '../../src/metadata/identifiers.ts'
import type { Author, Code } from '../../src/metadata/model.ts'
import { classOfType, isDmpType, type ValueSetName, valueSet } from '../../src/nomenclature/index.ts'
import { attribute, child, children, type XmlElement } from '../../src/xml/tree.ts'
import { aProfessional, aStructure, codes, insAuthority } from '../mothers/metadata.ts'
import { aDocument, type TestDocument } from './documents.ts'
import { aPatient, type TestPatient } from './people.ts'

const persons = '1.2.250.1.71.4.2.1'
const structures = '1.2.250.1.71.4.2.2'
const insAuthorities = new Set([insAuthority, '1.2.250.1.213.1.4.8'])
const combinedSpecialty = '1.2.250.1.213.1.1.4.5'

/** The patient and the document, under a uniqueId of its own; what the header lacks is that of the mothers. */
export function documentOfCda(bytes: Buffer): { readonly patient: TestPatient; readonly document: TestDocument } {
  const cda = treeOf(bytes)
  const role = at(cda, 'recordTarget', 'patientRole')
  const patient = patientOf(role)
  const person = role && at(role, 'patient')
  const typeCode = typeOf(cda)
  const classCode = classOfType(typeCode.code)
  const [author] = children(cda, cda.ns, 'author').map(authorOf)
  const signer = at(cda, 'legalAuthenticator', 'assignedEntity')
  const service = at(cda, 'documentationOf', 'serviceEvent', 'effectiveTime')
  const encounter = at(cda, 'componentOf', 'encompassingEncounter')
  const facility = encounter && at(encounter, 'location', 'healthCareFacility', 'code')
  const created = time(at(cda, 'effectiveTime'))
  const document = aDocument(
    patient,
    {
      typeCode,
      ...(classCode && { classCode }),
      title: at(cda, 'title')?.text.replace(/\s+/g, ' ').trim() || 'Document sans titre',
      ...(created && { creationTime: created }),
      serviceStartTime: time(service && (at(service, 'low') ?? service)) ?? created,
      serviceStopTime: undefined,
      languageCode: attributeOf(at(cda, 'languageCode'), 'code') ?? 'fr-FR',
      formatCode: codes.labFormat,
      ...(author && { authors: [author] }),
      ...(signer && { legalAuthenticator: personOf(signer) }),
      healthcareFacilityTypeCode: coded('healthcareFacilityTypeCode', facility) ?? codes.hospital,
      practiceSettingCode:
        coded(
          'practiceSettingCode',
          at(
            cda,
            'documentationOf',
            'serviceEvent',
            'performer',
            'assignedEntity',
            'representedOrganization',
            'standardIndustryClassCode',
          ),
        ) ?? codes.hospitalCare,
      sourcePatientInfo: [
        `PID-3|${patient.ins}^^^&${patient.authority}&ISO^NH`,
        `PID-5|${nameOf(person && at(person, 'name')).join('^')}^^^^^L`,
        `PID-7|${attributeOf(person && at(person, 'birthTime'), 'value') ?? '19000101'}`,
        `PID-8|${attributeOf(person && at(person, 'administrativeGenderCode'), 'code') ?? 'U'}`,
      ].filter((line) => line !== 'PID-8|U'),
    },
    bytes,
  )
  return { patient, document }
}

function patientOf(role: XmlElement | undefined): TestPatient {
  const id = role && children(role, role.ns, 'id').find((each) => insAuthorities.has(attribute(each, 'root') ?? ''))
  return aPatient(attributeOf(id, 'extension'), attributeOf(id, 'root'))
}

/** ClinicalDocument/code where the DMP takes such documents, else a report of biology. */
function typeOf(cda: XmlElement): Code {
  const code = at(cda, 'code')
  const [value, system] = [attributeOf(code, 'code') ?? '', attributeOf(code, 'codeSystem') ?? '']
  const display = attributeOf(code, 'displayName')
  return isDmpType(value, system) ? { code: value, system, ...(display && { display }) } : codes.bloodTest
}

function coded(set: ValueSetName, element: XmlElement | undefined): Code | undefined {
  return valueSet(set).get(attributeOf(element, 'code') ?? '', attributeOf(element, 'codeSystem'))
}

function authorOf(author: XmlElement): Author {
  const assigned = at(author, 'assignedAuthor')
  if (assigned === undefined) throw new RangeError('an author of a CDA is assigned')
  const device = at(assigned, 'assignedAuthoringDevice')
  const organization = at(assigned, 'representedOrganization')
  const id = organization && idIn(organization, structures)
  const name = organization && at(organization, 'name')?.text.trim()
  const code = at(assigned, 'code')
  const specialty = [attributeOf(code, 'code'), attributeOf(code, 'displayName'), attributeOf(code, 'codeSystem')]
  return {
    person: device
      ? aProfessional({
          id: idIn(assigned, persons),
          family: at(device, 'manufacturerModelName')?.text.trim() || 'Dispositif',
          given: at(device, 'softwareName')?.text.trim(),
          nameType: 'U',
          idType: 'RI',
        })
      : personOf(assigned),
    institutions: id && name ? [aStructure({ id, name })] : [],
    roles: [],
    specialties: specialty[2] === combinedSpecialty ? [specialty.join('^')] : [],
    telecoms: [],
  }
}

function personOf(assigned: XmlElement) {
  const [family, given] = nameOf(at(assigned, 'assignedPerson', 'name'))
  return aProfessional({
    id: idIn(assigned, persons) ?? '899700000001',
    family: family || 'INCONNU',
    given: given || undefined,
  })
}

function nameOf(name: XmlElement | undefined): readonly [family: string, given: string] {
  const part = (local: string) => (name && at(name, local)?.text.trim()) ?? ''
  return [part('family') || (name?.text.trim() ?? ''), part('given')]
}

function idIn(element: XmlElement, root: string): string | undefined {
  return attributeOf(
    children(element, element.ns, 'id').find((id) => attribute(id, 'root') === root),
    'extension',
  )
}

/** HL7 TS → DTM in UTC, to the second. A day without a time stays a day. */
function time(element: XmlElement | undefined): Dtm | undefined {
  const [, day, clock = '', sign, hours = '0', minutes = '0'] =
    /^(\d{8})(\d{4,6})?(?:([+-])(\d\d)(\d\d))?$/.exec(attributeOf(element, 'value') ?? '') ?? []
  if (day === undefined) return undefined
  if (clock === '') return day as Dtm
  const [year, month, date, hour, minute, second] =
    `${day}${clock.padEnd(6, '0')}`.match(/^\d{4}|\d\d/g)?.map(Number) ?? []
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  const utc = Date.UTC(year ?? 0, (month ?? 1) - 1, date, hour, (minute ?? 0) - offset, second)
  return new Date(utc).toISOString().replace(/\D/g, '').slice(0, 14) as Dtm
}

interface Building {
  readonly ns: string
  readonly local: string
  readonly attributes: { readonly ns: string; readonly local: string; readonly value: string }[]
  readonly children: Building[]
  text: string
}

/** Documents are not messages: style sheets, comments and BOMs are theirs to have, so the gateway's reader is not for them. */
function treeOf(bytes: Buffer): XmlElement {
  const parser = new SaxesParser({ xmlns: true })
  const document: Building = { ns: '', local: '', attributes: [], children: [], text: '' }
  const open = [document]
  parser.on('opentag', ({ uri, local, attributes }) => {
    const given = Object.values(attributes).map((each) => ({ ns: each.uri, local: each.local, value: each.value }))
    const element: Building = { ns: uri, local, attributes: given, children: [], text: '' }
    open.at(-1)?.children.push(element)
    open.push(element)
  })
  parser.on('text', (text) => {
    const parent = open.at(-1)
    if (parent) parent.text += text
  })
  parser.on('closetag', () => void open.pop())
  parser.write(bytes.toString('utf8')).close()
  const cda = clinicalDocument(document)
  if (cda === undefined) throw new RangeError('there is no ClinicalDocument in the document')
  return cda
}

/** The document itself, or the one that a style sheet which presents itself carries inside. */
function clinicalDocument(element: XmlElement): XmlElement | undefined {
  if (element.local === 'ClinicalDocument') return element
  for (const each of element.children) {
    const found = clinicalDocument(each)
    if (found) return found
  }
  return undefined
}

function at(element: XmlElement, ...path: readonly string[]): XmlElement | undefined {
  let node: XmlElement | undefined = element
  for (const local of path) node = node && child(node, node.ns, local)
  return node
}

function attributeOf(element: XmlElement | undefined, name: string): string | undefined {
  return element && attribute(element, name)
}
