/**
 * The same property as at the FHIR door (test/fhir/hidden.test.ts): what is hidden from a caller changes nothing of what
 * the XDS door tells, by any stored query, retrieval, update or replacement, nor of the history that it leaves.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Caller } from '../../src/access/caller.ts'
import { splitPatientKey } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { thePatient } from '../dmp/mothers.ts'
import { aDocumentEntry, anAssociation, aSubmission, aSubmissionSet, repositoryUniqueId } from '../mothers/metadata.ts'
import { callers, choices, laterVersion, plans } from '../support/record-plans.ts'
import { type Asked, difference, type Twins, told, withTwins } from '../support/twin-records.ts'
import { provideBody, queryBody, retrieveBody } from '../support/xds-client.ts'
import { list, one, queryIds, statusChange, updateRequest } from './registry/registry.ts'
import { anEnvelope } from './support.ts'

const runs = Number(process.env.FC_RUNS ?? 4)

const { authority, id } = splitPatientKey(thePatient)
const cx = one(`${id}^^^&${authority}&ISO^NH`)
const urn = (status: string) =>
  /^A|^D(?!ep)/.test(status) && status !== 'Approved'
    ? `urn:asip:ci-sis:2010:StatusType:${status}`
    : `urn:oasis:names:tc:ebxml-regrep:StatusType:${status}`
const every = list(...['Approved', 'Deprecated', 'Archived', 'Deleted'].map(urn))
const current = list(...['Approved', 'Deprecated'].map(urn))

type Query = readonly [name: keyof typeof queryIds, parameters: Readonly<Record<string, string>>]

/** Every stored query that could tell of a document, by any of its names. */
function queriesAbout({ all, sets }: Twins): readonly Query[] {
  return [
    ['FindDocuments', { $XDSDocumentEntryPatientId: cx, $XDSDocumentEntryStatus: every }],
    ['FindDocuments', { $XDSDocumentEntryPatientId: cx, $XDSDocumentEntryStatus: every, $MetadataLevel: '2' }],
    ['FindSubmissionSets', { $XDSSubmissionSetPatientId: cx, $XDSSubmissionSetStatus: current }],
    ['FindFolders', { $XDSFolderPatientId: cx, $XDSFolderStatus: current }],
    [
      'GetAll',
      {
        $patientId: cx,
        $XDSDocumentEntryStatus: every,
        $XDSSubmissionSetStatus: current,
        $XDSFolderStatus: current,
      },
    ],
    ...all.flatMap(({ entry: { entryUuid, uniqueId } }): Query[] => {
      const [uuids, uids] = [list(entryUuid), list(uniqueId)]
      return [
        ['GetDocuments', { $XDSDocumentEntryEntryUUID: uuids }],
        ['GetDocuments', { $XDSDocumentEntryUniqueId: uids, $MetadataLevel: '2' }],
        ['GetDocuments', { $XDSDocumentEntryEntryUUID: list(laterVersion(entryUuid)) }],
        ['GetAssociations', { $uuid: uuids }],
        ['GetDocumentsAndAssociations', { $XDSDocumentEntryUniqueId: uids }],
        ['GetSubmissionSets', { $uuid: uuids }],
        ['GetFoldersForDocument', { $XDSDocumentEntryUniqueId: one(uniqueId) }],
        [
          'GetRelatedDocuments',
          {
            $XDSDocumentEntryUniqueId: one(uniqueId),
            $AssociationTypes: list('urn:ihe:iti:2007:AssociationType:RPLC'),
          },
        ],
      ]
    }),
    ...[...sets.values()].flatMap(({ entryUuid, uniqueId }): Query[] => [
      ['GetSubmissionSetAndContents', { $XDSSubmissionSetUniqueId: one(uniqueId) }],
      ['GetAssociations', { $uuid: list(entryUuid) }],
    ]),
  ]
}

function soap(caller: string, endpoint: 'registry' | 'repository', action: string, body: string): Asked {
  const assertion = `<saml2:Assertion xmlns:saml2="${ns.saml2}" ID="_${Buffer.from(caller).toString('base64url')}" Version="2.0"/>`
  const { kind } = callers[caller] as Caller
  const carer = kind !== 'patient' && kind !== 'representative'
  const security = `<wsse:Security xmlns:wsse="${ns.wsse}" soap:mustUnderstand="1">${assertion}</wsse:Security>`
  const consent = `<Consent xmlns="${ns.access}" basis="care-team" informed="true" episode="E-1"/>`
  return {
    target: `/xds/${endpoint}`,
    method: 'POST',
    type: 'application/soap+xml; charset=UTF-8',
    body: anEnvelope({ action, security, headers: carer ? consent : '', body }),
  }
}

async function compare({ caller, ask }: Twins, what: string, request: Asked): Promise<string> {
  const [said = '', expected = ''] = await Promise.all((await ask(request)).map(told))
  if (said !== expected) assert.fail(`${caller} ${what}: ${difference(said, expected)}`)
  return said
}

function stored(caller: string, ...[name, parameters, returnType]: readonly [...Query, string]): Asked {
  const body = queryBody(`urn:uuid:${queryIds[name]}`, parameters, returnType)
  return soap(caller, 'registry', 'urn:ihe:iti:2007:RegistryStoredQuery', body)
}

function retrieved(caller: string, uniqueIds: readonly string[]): Asked {
  const body = retrieveBody(uniqueIds).replaceAll(/(RepositoryUniqueId>)[\d.]+/g, `$1${repositoryUniqueId}`)
  return soap(caller, 'repository', 'urn:ihe:iti:2007:RetrieveDocumentSet', body)
}

const historyOf = `/fhir/AuditEvent?patient.identifier=urn:oid:${thePatient.replace('|', '%7C')}`

describe('What is hidden from a caller of the XDS door', function () {
  this.timeout(120_000)

  it('changes nothing of what the caller is told: objects, order, errors, acts, history', async () => {
    await fc.assert(
      fc.asyncProperty(plans, choices, fc.constantFrom(...Object.keys(callers)), (planned, settled, caller) =>
        withTwins({ planned, settled, caller }, async (twins) => {
          for (const [name, parameters] of queriesAbout(twins))
            for (const returnType of ['LeafClass', 'ObjectRef'])
              await compare(
                twins,
                `${name} ${JSON.stringify(parameters)}`,
                stored(caller, name, parameters, returnType),
              )
          const uniqueIds = twins.all.map(({ entry: { uniqueId } }) => uniqueId)
          for (const asked of [...uniqueIds.map((each) => [each]), uniqueIds])
            await compare(twins, `ITI-43 ${asked}`, retrieved(caller, asked))
          for (const { entry } of twins.all) if (!twins.seen.has(entry.entryUuid)) await compareActs(twins, entry)
          await compare(twins, 'history', { target: historyOf })
        }),
      ),
      { numRuns: runs, endOnFailure: true },
    )
  })

  it('is asked for in earnest: each request of the comparison is answered, and a difference is seen', async () => {
    const shown = {
      type: 'bloodTest',
      by: 'other',
      fedBy: 'other',
      visibility: 'open',
      fate: 'replaced',
      lot: 0,
      day: 1,
    } as const
    const planned = [shown, { ...shown, visibility: 'masked', fate: 'kept', lot: 1 }] as const
    const caller = 'colleague, bound'
    await withTwins({ planned, caller }, async (twins) => {
      assert.equal(twins.seen.size, 2)
      for (const [name, parameters] of queriesAbout(twins)) {
        const [{ bytes }] = await twins.ask(stored(caller, name, parameters, 'LeafClass'))
        assert.match(bytes.toString(), /ResponseStatusType:Success/, `${name} ${JSON.stringify(parameters)}`)
      }
      const [{ bytes }] = await twins.ask(retrieved(caller, [twins.all[0]?.entry.uniqueId ?? '']))
      assert.match(bytes.toString(), /ResponseStatusType:Success/)
    })
    await withTwins(
      { planned, caller },
      async (twins) => {
        const [query] = queriesAbout(twins)
        assert.ok(query)
        await assert.rejects(compare(twins, query[0], stored(caller, ...query, 'LeafClass')), /where nothing is hidden/)
      },
      new Set(),
    )
  })

  /** Replaces, changes and deletes what the caller does not see. */
  async function compareActs(twins: Twins, entry: DocumentEntry): Promise<void> {
    const { caller } = twins
    const { hash: _, size: __, ...replacement } = aDocumentEntry()
    const submission = aSubmission({ submissionSet: aSubmissionSet(), entries: [replacement] }, () => [
      anAssociation({ source: replacement.entryUuid, target: entry.entryUuid }),
    ])
    const provide = provideBody(submission, []).replace(
      '</xds:ProvideAndRegisterDocumentSetRequest>',
      `<xds:Document id="${replacement.entryUuid}">VGVzdA==</xds:Document></xds:ProvideAndRegisterDocumentSetRequest>`,
    )
    const action = 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b'
    await compare(twins, `ITI-41 RPLC ${entry.entryUuid}`, soap(caller, 'repository', action, provide))
    const set = aSubmission({ submissionSet: aSubmissionSet(), entries: [], associations: [] })
    const { entryUuid } = set.submissionSet
    for (const to of ['Archived', 'Deleted'] as const) {
      const change = updateRequest(set, statusChange(entryUuid, entry.entryUuid, 'Approved', to))
      await compare(twins, `ITI-57 ${to}`, soap(caller, 'registry', 'urn:ihe:iti:2010:UpdateDocumentSet', change))
    }
  }
})
