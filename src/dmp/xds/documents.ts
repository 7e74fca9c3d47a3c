/** What the DMP accepts as documents: CDA as it is, other media wrapped in one or refused; each with the digest that is signed. */
import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { levelOneIssues, levelOneKind, writeLevelOne } from '../../cda/level-1.ts'
import { GatewayError, type Issue } from '../../errors.ts'
import { isOid } from '../../metadata/identifiers.ts'
import type { DocumentEntry } from '../../metadata/model.ts'
import { displayOf } from '../../nomenclature/index.ts'
import type { DocumentContent } from '../../operations/ports.ts'
import { encodeBase64, type Spool, type Spooled } from '../../spool/index.ts'
import { canonicalizeDocument } from '../../xml/c14n-inclusive.ts'
import { XmlError } from '../../xml/error.ts'
import type { SignedDocument } from './lot-signature.ts'
import type { NationalOptions } from './options.ts'

/** A document as it leaves. */
export interface Outgoing {
  readonly entry: DocumentEntry
  readonly content: DocumentContent
  readonly signed: SignedDocument
  readonly warnings: readonly Issue[]
  /** Forgets what was made here. */
  dispose(): Promise<void>
}

type Options = Pick<NationalOptions, 'documents' | 'limits' | 'lotSignatureHash'>

const xmlTypes: ReadonlySet<string> = new Set(['text/xml', 'application/xslt+xml', 'application/xml'])
/** Manifests of imaging studies (KOS). */
const dicom = 'application/dicom'

/** Why the DMP would not take a document under this entry; all of them at once. */
export function documentIssues(entry: DocumentEntry, { documents }: Options): readonly Issue[] {
  const issues: Issue[] = []
  const report = (code: Issue['code'], attribute: string, detail: string) =>
    issues.push({ code, rule: 'CDA2', location: `${entry.entryUuid}/${attribute}`, detail })
  if (!isOid(entry.uniqueId))
    report('XDSRegistryMetadataError', 'uniqueId', 'The DMP takes an OID without extension: send one.')
  const type = mediaTypeOf(entry)
  if (xmlTypes.has(type) || type === dicom) return issues
  if (levelOneKind(type) === undefined)
    report('XDSRegistryMetadataError', 'mimeType', 'Send a CDA, or a PDF, a text, an RTF, a JPEG or a TIFF.')
  else if (documents === 'refuse')
    report('XDSRegistryMetadataError', 'mimeType', 'This gateway wraps no documents: send a CDA.')
  else issues.push(...levelOneIssues(entry))
  return issues
}

/** To be called when there are no issues. Throws GatewayError. */
export async function outgoing(
  entry: DocumentEntry,
  content: DocumentContent,
  options: Options,
  about: { readonly spool: Spool; readonly custodian: { id: string; name: string }; readonly replaces?: string },
): Promise<Outgoing> {
  const type = mediaTypeOf(entry)
  if (xmlTypes.has(type)) {
    const digest = await canonicalDigest(entry, content, options)
    return { entry, content, signed: signedAs(entry, digest, true), warnings: [], dispose: async () => {} }
  }
  if (type === dicom) {
    const digest = await rawDigest(content, options.lotSignatureHash)
    return { entry, content, signed: signedAs(entry, digest, false), warnings: [], dispose: async () => {} }
  }
  return wrapped(entry, content, options, about)
}

async function wrapped(
  entry: DocumentEntry,
  content: DocumentContent,
  options: Options,
  { spool, custodian, replaces }: Parameters<typeof outgoing>[3],
): Promise<Outgoing> {
  const { head, tail } = writeLevelOne(entry, { custodian, ...(replaces !== undefined && { replaces }) })
  const spooled: Spooled = await spool.receive(
    (async function* () {
      yield head
      yield* encodeBase64(content.stream())
      yield tail
    })(),
  )
  try {
    const format = levelOneKind(entry.mimeType)?.format
    const display = format && displayOf(format.system, format.code)
    const cda: DocumentEntry = {
      ...entry,
      mimeType: 'text/xml',
      hash: spooled.sha1,
      size: spooled.size,
      ...(format && { formatCode: { ...format, ...(display !== undefined && { display }) } }),
    }
    // Written in canonical form: the digest of the bytes is that of their canonical form
    const digest = await rawDigest(spooled, options.lotSignatureHash)
    return {
      entry: cda,
      content: spooled,
      signed: signedAs(entry, digest, true),
      warnings: [
        {
          code: 'metadata-completed',
          severity: 'warning',
          rule: 'CDA1',
          location: entry.entryUuid,
          detail: 'The DMP takes CDA documents: this one was sent inside one, with a header made of its metadata.',
        },
      ],
      dispose: () => spooled.dispose(),
    }
  } catch (error) {
    await spooled.dispose()
    throw error
  }
}

function mediaTypeOf({ mimeType }: DocumentEntry): string {
  return mimeType.split(';')[0]?.trim().toLowerCase() ?? ''
}

function signedAs({ uniqueId }: DocumentEntry, digest: Buffer, canonical: boolean): SignedDocument {
  return { uniqueId, digest, canonical }
}

async function canonicalDigest(
  { entryUuid }: DocumentEntry,
  content: DocumentContent,
  { limits, lotSignatureHash }: Options,
): Promise<Buffer> {
  if (content.size > limits.signed)
    throw new GatewayError('over-limit', {
      detail: `A CDA is signed with its submission up to ${limits.signed} bytes: send a smaller one.`,
    })
  try {
    return createHash(lotSignatureHash)
      .update(canonicalizeDocument(await bytesOf(content)))
      .digest()
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new GatewayError({
      code: 'InvalidDocumentContent',
      rule: 'CDA2',
      location: entryUuid,
      detail: 'The document is not well-formed XML: send a CDA R2 document.',
    })
  }
}

async function bytesOf(content: DocumentContent): Promise<Buffer> {
  if (content.bytes !== undefined) return content.bytes
  const chunks: Buffer[] = []
  for await (const chunk of content.stream()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function rawDigest(content: DocumentContent, hash: Options['lotSignatureHash']): Promise<Buffer> {
  if (hash === 'sha1') return Buffer.from(content.sha1, 'hex')
  const digest = createHash(hash)
  await pipeline(content.stream(), digest)
  return digest.digest()
}
