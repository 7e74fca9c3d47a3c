/**
 * The main job, step by step, on the files of ihe-samples. A step says what must happen and what did; the demo succeeds
 * only if every one did what it says.
 */

import { randomUUID } from 'node:crypto'
import { localSystem } from '../../access/caller.ts'
import { type PatientKey, patientKey } from '../../metadata/identifiers.ts'
import type { AccessRecord } from '../../operations/ports.ts'
import type { SoapMessage } from '../../xds/soap/message.ts'
import { attribute } from '../../xml/tree.ts'
import { actRecord } from '../act.ts'
import { elements } from './soap.ts'
import { at, type FhirAnswer, garnier, insSystem, type Json, laurent, people, sha1, type World } from './world.ts'

export interface Step {
  readonly door: 'FHIR' | 'XDS.b' | 'DMP'
  readonly who: string
  readonly what: string
  readonly expected: string
  /** What happened; equal to `expected` when the step did what it says. */
  run(world: World): Promise<string>
}

const careTeam = 'basis=care-team, informed=?1, episode="2026-E-118"'
const identifier = (ins: string) => `identifier=urn:oid:${insSystem}%7C${ins}`
const search = (ins: string) => `/DocumentReference?patient.${identifier(ins)}&status=current`
const emergency = (who: typeof people.benali, reason?: string) =>
  ({ ...who, purpose: 'bris_de_glace', ...(reason !== undefined && { reason }) }) as const

export function scenario(): readonly Step[] {
  /** uniqueId of the certificate's document, as FHIR names it. */
  let certificateUrl = ''
  return [
    {
      door: 'FHIR',
      who: 'CH EXEMPLE (structure)',
      what: 'ITI-104 · ouvre le DMP de deux patients',
      expected: '201, 201',
      run: async (world) => {
        const statuses: number[] = []
        for (const [ins, name] of [
          [laurent, 'laurent'],
          [garnier, 'garnier'],
        ] as const) {
          const body = await world.sample(`iti-104/patient-${name}.json`)
          statuses.push(await world.openRecord(ins, body))
        }
        return statuses.join(', ')
      },
    },
    {
      door: 'XDS.b',
      who: 'CH EXEMPLE (structure)',
      what: 'ITI-41 · alimente un CR de biologie et une lettre de liaison',
      expected: 'Success',
      run: async (world) =>
        registryStatus(
          await world.xds(
            people.structure,
            'repository',
            (await world.sample('iti-41/provide-and-register.xml')).toString(),
            await parts(world, 'cr-biologie.xml', 'lettre-de-liaison.xml'),
          ),
        ),
    },
    {
      door: 'FHIR',
      who: 'CH EXEMPLE (structure)',
      what: 'ITI-65 · alimente un certificat médical',
      expected: '200, 201 Created ×3',
      run: async (world) => {
        const body = await world.sample('iti-65/bundle.json')
        const answer = await world.fhir(people.structure, 'POST', '', { body, consent: 'informed=?1, means=oral' })
        const created = list(at(answer.json, 'entry')).filter(
          (entry) => at(entry, 'response', 'status') === '201 Created',
        )
        return `${answer.status}, 201 Created ×${created.length}`
      },
    },
    {
      door: 'FHIR',
      who: 'Dr DUPONT',
      what: 'ITI-105 · alimente une ordonnance masquée aux autres professionnels',
      expected: '201',
      run: async (world) => {
        const body = await world.sample('iti-105/document-reference-masquee.json')
        return String(
          (await world.fhir(people.dupont, 'POST', '/DocumentReference', { body, consent: 'informed=?1' })).status,
        )
      },
    },
    {
      door: 'FHIR',
      who: 'Dr DUPONT',
      what: 'ITI-67 puis ITI-68 · lit la biologie venue par XDS.b',
      expected: '4 documents, octets identiques',
      run: async (world) => {
        const parameters = { 'patient.identifier': `urn:oid:${insSystem}|${laurent}`, status: 'current' }
        const found = await world.search(people.dupont, parameters, careTeam)
        certificateUrl = urlOf(found, '89601-9')
        const read = await world.fhir(people.dupont, 'GET', urlOf(found, '11502-2'), { consent: careTeam })
        return `${at(found, 'total')} documents, ${same(read.bytes, await world.sample('documents/cr-biologie.xml'))}`
      },
    },
    {
      door: 'XDS.b',
      who: 'Dr BENALI',
      what: 'ITI-18 puis ITI-43 · lit le certificat venu par FHIR, ne voit pas l’ordonnance masquée',
      expected: '3 documents, octets identiques',
      run: async (world) => {
        const found = await world.xds(
          people.benali,
          'registry',
          (await world.sample('iti-18/find-documents.xml')).toString(),
        )
        const read = await world.xds(
          people.benali,
          'repository',
          (await world.sample('iti-43/retrieve.xml')).toString(),
        )
        const document = elements(read.envelope, 'Document')[0]
        const content = document && read.document(document)
        const same = content?.sha1 === sha1(await world.sample('documents/certificat-medical.xml'))
        await read.dispose()
        return `${elements(found.envelope, 'ExtrinsicObject').length} documents, octets ${same ? 'identiques' : 'différents'}`
      },
    },
    {
      door: 'FHIR',
      who: 'Inf. MOREAU',
      what: 'ITI-67 · la matrice ferme le certificat médical aux infirmiers',
      expected: '2 documents, sans 89601-9',
      run: async (world) => {
        const found = await world.fhir(people.moreau, 'GET', search(laurent), { consent: careTeam })
        return `${at(found.json, 'total')} documents, ${urlOf(found.json, '89601-9') === '' ? 'sans' : 'avec'} 89601-9`
      },
    },
    {
      door: 'FHIR',
      who: 'Inf. MOREAU',
      what: 'ITI-68 · demande le certificat par son adresse : comme s’il n’existait pas',
      expected: '404 not-found, comme un absent',
      run: async (world) => {
        const closed = await world.fhir(people.moreau, 'GET', certificateUrl, { consent: careTeam })
        const absent = await world.fhir(people.moreau, 'GET', `/Binary/${randomUUID()}`, { consent: careTeam })
        return `${closed.status} ${reason(closed)}, ${closed.status === absent.status && reason(closed) === reason(absent) ? 'comme un absent' : 'distinct d’un absent'}`
      },
    },
    {
      door: 'FHIR',
      who: 'Dr BENALI',
      what: 'ITI-67 sans déclaration de consentement',
      expected: '403 consent-missing',
      run: async (world) => refusal(await world.fhir(people.benali, 'GET', search(laurent))),
    },
    {
      door: 'XDS.b',
      who: 'CH EXEMPLE (structure)',
      what: 'ITI-18 · un certificat de structure ne consulte pas',
      expected: 'Failure nominative-identity-required',
      run: async (world) => {
        const sample = (await world.sample('iti-18/find-documents.xml')).toString()
        return registryRefusal(await world.xds(people.structure, 'registry', sample))
      },
    },
    {
      door: 'XDS.b',
      who: 'CH EXEMPLE (structure)',
      what: 'ITI-18 par uniqueId (TD3.1b) puis ITI-41 · remplace la biologie',
      expected: 'Success, ancienne version obsolète',
      run: async (world) => {
        const reference = await world.xds(
          people.structure,
          'registry',
          (await world.sample('iti-18/get-documents.xml')).toString(),
        )
        const target = elements(reference.envelope, 'ExtrinsicObject')[0]
        const replace = (await world.sample('iti-41/replace.xml')).toString()
        const sent = await world.xds(
          people.structure,
          'repository',
          replace.replace('urn:uuid:00000000-0000-4000-8000-000000000000', (target && attribute(target, 'id')) ?? ''),
          await parts(world, 'cr-biologie-corrige.xml'),
        )
        const old = await world.fhir(
          people.dupont,
          'GET',
          `/DocumentReference?patient.${identifier(laurent)}&status=superseded`,
          { consent: careTeam },
        )
        return `${registryStatus(sent)}, ${at(old.json, 'total') === 1 ? 'ancienne version obsolète' : 'ancienne version en vigueur'}`
      },
    },
    {
      door: 'FHIR',
      who: 'Dr BENALI',
      what: 'ITI-67 en bris de glace sans motif',
      expected: '403 reason-required',
      run: async (world) => refusal(await world.fhir(emergency(people.benali), 'GET', search(laurent))),
    },
    {
      door: 'FHIR',
      who: 'Dr BENALI',
      what: 'ITI-67 en bris de glace, « patiente inconsciente », sans consentement',
      expected: '200, 3 documents',
      run: async (world) => {
        const found = await world.fhir(emergency(people.benali, 'patiente inconsciente'), 'GET', search(laurent))
        return `${found.status}, ${at(found.json, 'total')} documents`
      },
    },
    {
      door: 'DMP',
      who: 'M. GARNIER (patient)',
      what: 'refuse le bris de glace, puis ITI-67 en bris de glace par le Dr BENALI',
      expected: '403 emergency-refused-by-patient',
      run: async (world) => {
        const patient = patientKey(insSystem, garnier)
        await world.dmp.administration.setChoice(patient, 'breakGlassPermitted', false, byPatient(patient))
        return refusal(await world.fhir(emergency(people.benali, 'patient inconscient'), 'GET', search(garnier)))
      },
    },
  ]
}

/** The history as the patient reads it, in the gateway's own table: date, author of the action, action, context. */
export async function accessHistory(world: World): Promise<readonly (readonly [string, string, string, string])[]> {
  const accept = 'text/csv'
  const answer = await world.fhir(people.patient, 'GET', `/AuditEvent?patient.${identifier(laurent)}`, { accept })
  if (answer.status !== 200) throw new Error(`the access history answered ${answer.status}`)
  const [, ...rows] = answer.bytes.toString('utf8').trimEnd().split('\r\n')
  return rows.map((row) => {
    const [date = '', author = '', action = '', context = ''] = row
      .slice(1, -1)
      .split('";"')
      .map((cell) => cell.replaceAll('""', '"'))
    return [date, author, action, context]
  })
}

/** What the patient settles in Mon espace santé. */
function byPatient(patient: PatientKey): AccessRecord {
  return actRecord(patient, { transaction: 'demo', caller: { ...localSystem, kind: 'patient', proof: 'jwt', patient } })
}

async function parts(world: World, ...names: readonly string[]) {
  return Promise.all(
    names.map(async (name, index) => ({
      contentId: `document0${index + 1}@ch-exemple.example`,
      bytes: await world.sample(`documents/${name}`),
    })),
  )
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function urlOf(bundle: Json | undefined, type: string): string {
  const entry = list(at(bundle, 'entry')).find(
    (candidate) => at(candidate, 'resource', 'type', 'coding', 0, 'code') === type,
  )
  return String(at(entry, 'resource', 'content', 0, 'attachment', 'url') ?? '')
}

function same(left: Buffer, right: Buffer): string {
  return `octets ${left.equals(right) ? 'identiques' : 'différents'}`
}

function reason(answer: FhirAnswer): string {
  return String(
    at(answer.json, 'issue', 0, 'details', 'coding', 0, 'code') ?? at(answer.json, 'issue', 0, 'code') ?? '',
  )
}

function refusal(answer: FhirAnswer): string {
  return `${answer.status} ${reason(answer)}`
}

function registryStatus(message: SoapMessage): string {
  const response = elements(message.envelope, 'RegistryResponse')[0]
  const status = response && attribute(response, 'status')
  if (status?.endsWith(':Success')) return 'Success'
  return elements(message.envelope, 'RegistryError')
    .map((error) => `${attribute(error, 'errorCode')} ${attribute(error, 'codeContext')}`)
    .concat(elements(message.envelope, 'Fault').map(() => 'Fault'))
    .join('; ')
}

function registryRefusal(message: SoapMessage): string {
  const error = elements(message.envelope, 'RegistryError')[0]
  return error ? `Failure ${attribute(error, 'codeContext')?.split(' ')[0]}` : registryStatus(message)
}
