import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { validateSubmission } from '../../src/metadata/rules.ts'
import { readAffinityDomain } from '../../src/server/affinity-domain.ts'
import { ConfigError, loadConfig } from '../../src/server/config.ts'
import { aDocumentEntry, aFolder, aSubmission, codes } from '../mothers/metadata.ts'

/** Lists every code of the mothers, in the form of an IHE codes.xml. */
function codesXml(more = ''): string {
  const type = (name: string, ...listed: readonly { readonly code: string; readonly system: string }[]) =>
    `<CodeType name="${name}" classScheme="urn:uuid:0">${listed.map(({ code, system }) => `<Code code="${code}" display="x" codingScheme="${system}"/>`).join('')}</CodeType>`
  return `<?xml version="1.0"?><Codes>${[
    type('classCode', codes.report),
    type('typeCode', codes.bloodTest),
    type('formatCode', codes.labFormat),
    type('healthcareFacilityTypeCode', codes.hospital),
    type('practiceSettingCode', codes.hospitalCare),
    type('confidentialityCode', codes.normal),
    type('contentTypeCode', codes.fullStay),
    type('folderCodeList', { code: 'suivi', system: 'urn:oid:1.2.250.1.999.3' }),
    '<CodeType name="mimeType"><Code code="text/xml" ext="xml"/></CodeType>',
    more,
  ].join('')}</Codes>`
}

describe('codes of an affinity domain (metadata.codes)', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'codes-'))
  })
  after(() => rm(folder, { recursive: true }))

  const domainOf = async (xml: string, checkMimeType = false) => {
    const file = path.join(folder, 'codes.xml')
    await writeFile(file, xml)
    return readAffinityDomain(file, checkMimeType)
  }
  const broken = async (
    changes: Parameters<typeof aDocumentEntry>[0],
    { more = '', checkMimeType = false }: { more?: string; checkMimeType?: boolean } = {},
  ) => {
    const affinityDomain = await domainOf(codesXml(more), checkMimeType)
    const submission = aSubmission({ entries: [aDocumentEntry(changes)], folders: [aFolder()] })
    return validateSubmission(submission, { profile: 'ihe', affinityDomain })
      .filter(({ rule }) => rule === 'C11')
      .map(({ location }) => location?.replace(/^.*\//, ''))
  }

  it('lets pass what they list, with and without urn:oid:', async () => {
    assert.deepEqual(await broken({}), [])
  })

  it('refuses a code they do not list, in every attribute (C11)', async () => {
    const other = { code: 'autre', system: '1.2.3', display: 'Autre' }
    assert.deepEqual(
      await broken({
        classCode: other,
        typeCode: { ...codes.bloodTest, system: '1.2.3' },
        confidentialityCodes: [codes.normal, other],
        eventCodes: [other],
      }),
      ['classCode', 'typeCode', 'confidentialityCode[1]', 'eventCodeList[0]'],
    )
  })

  it('takes the codes of a type without a scheme in every attribute', async () => {
    const other = { code: 'autre', system: '1.2.3', display: 'Autre' }
    const more = '<CodeType name="local"><Code code="autre" codingScheme="1.2.3"/></CodeType>'
    assert.deepEqual(await broken({ classCode: other, eventCodes: [other] }, { more }), [])
  })

  it('looks at mimeType only where it is told to, without its parameters', async () => {
    assert.deepEqual(await broken({ mimeType: 'application/pdf' }), [])
    assert.deepEqual(await broken({ mimeType: 'application/pdf' }, { checkMimeType: true }), ['mimeType'])
    assert.deepEqual(await broken({ mimeType: 'text/xml;charset=utf-8' }, { checkMimeType: true }), [])
  })

  it('stop the start with a line when the file is none', async () => {
    for (const wrong of ['<Codes/>', 'no XML', '<Codes><CodeType/></Codes>'])
      await assert.rejects(
        domainOf(wrong),
        (error) => error instanceof ConfigError && /metadata\.codes/.test(error.message),
      )
    await assert.rejects(readAffinityDomain(path.join(folder, 'missing.xml'), false), ConfigError)
  })

  it('are needed where mimeTypes are to be checked', () => {
    assert.throws(() => loadConfig({ overrides: { 'metadata.checkMimeType': true } }), /metadata\.checkMimeType/)
  })
})
