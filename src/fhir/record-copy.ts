/**
 * `Patient/$copy`: everything the patient may see, as one ZIP: documents as they were fed, their metadata and the choices as
 * FHIR JSON, the access history as FHIR JSON and as text. Written as it is read; a copy that cannot be completed is cut, so
 * that nobody takes it for whole.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { AuditEvent, Resource } from '@medplum/fhirtypes'
import { ZipFile } from 'yazl'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { RecordCopy } from '../operations/record-operations.ts'
import { frenchTime } from '../operations/wording.ts'
import { toAuditEvent } from './audit-event.ts'
import { consentsOf, consentWriter } from './consent-writer.ts'
import { resourceWriter } from './document-resource.ts'
import { readParameters } from './parameters.ts'
import type { Exchange } from './parts.ts'
import { toPatient } from './patient.ts'
import { operationPatient } from './patient-operations.ts'

export async function copyRecord(exchange: Exchange): Promise<void> {
  const { parts, context, response } = exchange
  const patient = operationPatient(await readParameters(exchange, ['identifier']), exchange)
  const copy = await parts.operations.copy(patient, context)
  const files = await filesOf(copy, parts.repositoryUniqueId)
  const zip = new Archive(new Date(copy.at))
  zip.add('LISEZMOI.txt', () => Readable.from([readMe(copy, files)]))
  zip.add('metadonnees.json', () => Readable.from(collection(metadataOf(patient, copy, files, exchange))))
  for (const [entryUuid, path] of files) zip.add(path, async () => streamOf(copy, entryUuid))
  zip.add('historique.json', () => Readable.from(collection(auditEvents(copy, exchange))))
  zip.add('historique.txt', () => Readable.from(historyLines(copy, exchange)))
  zip.add('notifications.txt', () =>
    Readable.from(copy.notices.map(({ at, text }) => `${frenchTime(at)} – ${text}\r\n`)),
  )
  response.writeHead(200, {
    'Content-Type': 'application/zip',
    'Content-Disposition': `attachment; filename="dmp-copie-${copy.at.slice(0, 10)}.zip"`,
  })
  await zip.writeTo(response)
}

/** Files that are read one after the other, each opened when its turn has come. */
class Archive {
  readonly #zip = new ZipFile()
  readonly #mtime: Date
  #open: Readable | undefined

  constructor(mtime: Date) {
    this.#mtime = mtime
  }

  add(path: string, open: () => Readable | Promise<Readable>): void {
    this.#zip.addReadStreamLazy(path, { mtime: this.#mtime }, (done) => {
      const opened = async (): Promise<void> => {
        this.#open = await open()
        done(null, this.#open)
      }
      // A file that cannot be opened fails the archive.
      opened().catch((error: unknown) => this.#zip.emit('error', error))
    })
  }

  async writeTo(target: NodeJS.WritableStream): Promise<void> {
    const { outputStream } = this.#zip
    this.#zip.on('error', (error: Error) => {
      if (outputStream instanceof Readable) outputStream.destroy(error)
    })
    this.#zip.end()
    try {
      await pipeline(outputStream, target)
    } finally {
      this.#open?.destroy()
    }
  }
}

async function streamOf(copy: RecordCopy, entryUuid: EntryUuid): Promise<Readable> {
  const content = await copy.content(entryUuid)
  if (content === undefined) throw new Error('a document of the copy has no bytes')
  return content.stream()
}

/** Where each document stands in the archive: numbered, so that two of one title do not meet. */
async function filesOf(copy: RecordCopy, repositoryUniqueId: string): Promise<ReadonlyMap<EntryUuid, string>> {
  const files = new Map<EntryUuid, string>()
  const digits = String(copy.documents.length).length
  for await (const entry of copy.entries()) {
    // Registered without its bytes (ITI-42): they are in another repository
    if ((entry.repositoryUniqueId ?? repositoryUniqueId) !== repositoryUniqueId) continue
    const number = String(files.size + 1).padStart(digits, '0')
    files.set(entry.entryUuid, `documents/${number} ${nameOf(entry)}.${extensionOf(entry)}`)
  }
  return files
}

const extensions: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'application/xslt+xml': 'xml',
  'application/dicom': 'dcm',
  'application/rtf': 'rtf',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/tiff': 'tif',
  'text/plain': 'txt',
  'text/rtf': 'rtf',
  'text/xml': 'xml',
}

function extensionOf({ mimeType }: DocumentEntry): string {
  return extensions[mimeType?.split(';')[0]?.trim().toLowerCase() ?? ''] ?? 'bin'
}

/** A title that every file system takes. */
function nameOf({ title, typeCode }: DocumentEntry): string {
  const name = (title ?? typeCode?.display ?? '').normalize('NFC').replace(/[^\p{L}\p{N} _-]+/gu, ' ')
  return name.replace(/\s+/g, ' ').trim().slice(0, 60).trim() || 'document'
}

async function* metadataOf(
  patient: PatientKey,
  copy: RecordCopy,
  files: ReadonlyMap<EntryUuid, string>,
  exchange: Exchange,
): AsyncGenerator<Resource> {
  const { settings, demographics, documents, associations } = copy
  const patientId = exchange.patientIds.toId(patient)
  yield toPatient(patient, { facts: settings.facts, demographics }, exchange)
  yield* consentsOf(settings, consentWriter(patient, patientId), { caller: undefined, now: copy.at })
  const write = resourceWriter({ documents, associations }, exchange)
  for await (const entry of copy.entries()) {
    const resource = write(entry)
    const url = files.get(entry.entryUuid)
    yield url === undefined
      ? resource
      : { ...resource, content: resource.content.map((each) => ({ ...each, attachment: { ...each.attachment, url } })) }
  }
}

/** A collection Bundle, resource by resource. */
async function* collection(resources: AsyncIterable<Resource> | Iterable<Resource>): AsyncGenerator<string> {
  let separator = ''
  yield '{"resourceType":"Bundle","type":"collection","entry":['
  for await (const resource of resources) {
    yield `${separator}${JSON.stringify({ resource })}\n`
    separator = ','
  }
  yield ']}\n'
}

async function* auditEvents(copy: RecordCopy, { parts }: Exchange): AsyncGenerator<AuditEvent> {
  for await (const { record } of copy.history()) yield toAuditEvent(record, parts)
}

async function* historyLines(copy: RecordCopy, exchange: Exchange): AsyncGenerator<string> {
  for await (const { outcomeDesc = '' } of auditEvents(copy, exchange)) yield `${outcomeDesc}\r\n`
}

function readMe({ at, documents }: RecordCopy, files: ReadonlyMap<EntryUuid, string>): string {
  return [
    'Copie du dossier médical partagé',
    `Établie le ${frenchTime(at)} (heure de Paris).`,
    '',
    `documents/           ${files.size} documents, tels qu’ils ont été déposés`,
    `metadonnees.json     description de ${documents.length} documents et choix en vigueur (FHIR R4, Bundle)`,
    'historique.txt       historique des accès, du plus récent au plus ancien',
    'historique.json      le même, en FHIR R4 (AuditEvent)',
    'notifications.txt    ce dont vous avez été informé',
    '',
    'Un document qu’un professionnel doit d’abord vous expliquer n’y figure pas encore : il vous est accessible au plus',
    'tard un mois après son dépôt.',
    '',
  ].join('\r\n')
}
