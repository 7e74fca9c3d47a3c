import assert from 'node:assert/strict'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import type { Findings, StoredQuery } from '../../src/operations/operations.ts'
import { readObjects } from '../../src/xds/ebrim/reader.ts'
import { registryStoredQuery as iti18 } from '../../src/xds/iti-18.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { attribute, child } from '../../src/xml/tree.ts'
import { aDocumentEntry, anAssociation, aPatientId, ins, insAuthority } from '../mothers/metadata.ts'
import {
  approved,
  findByReferenceId,
  findDocuments,
  findingsOf,
  getAssociations,
  getDocuments,
  type Parameters,
  patient,
  request,
  required,
  uuid,
} from './iti-18-support.ts'
import { anEnvelope, noFindings, outcomeOf, postSimple, type Reply, type RunningDoor, startDoor } from './support.ts'

describe('ITI-18 Registry Stored Query', () => {
  let door: RunningDoor
  let asked: StoredQuery[]
  let found: Findings
  beforeEach(async () => {
    asked = []
    found = noFindings
    door = await startDoor({
      operations: {
        find: async (query) => {
          asked.push(query)
          return found
        },
      },
    })
  })
  afterEach(() => door.close())

  const send = (id: string, parameters: Parameters, returnType?: string): Promise<Reply> =>
    postSimple(door.registry, request(id, parameters, returnType))

  /** What FindDocuments asked of the registry with these parameters besides the required ones. */
  async function criteria(parameters: Parameters): Promise<object> {
    const { errors } = outcomeOf(await send(findDocuments, { ...required, ...parameters }))
    assert.deepEqual(errors, [])
    const query = asked.at(-1)
    assert.ok(query?.kind === 'FindDocuments')
    const { stability, ...rest } = query.criteria
    return parameters.XDSDocumentEntryType === undefined ? rest : { stability, ...rest }
  }

  /** Code and place of each error. */
  async function errors(id: string, parameters: Parameters, returnType?: string): Promise<readonly string[]> {
    const reply = await send(id, parameters, returnType)
    assert.equal(reply.body.local, 'AdhocQueryResponse')
    const { status, errors: list } = outcomeOf(reply)
    assert.equal(status, 'Failure')
    assert.deepEqual(asked, [])
    return list.map(({ errorCode, location }) => `${errorCode} ${location}`)
  }

  describe('the answer', () => {
    it('with LeafClass holds the entries as they are stored, in the order found', async () => {
      const entries = [aDocumentEntry(), aDocumentEntry({ availabilityStatus: 'Archived', version: 2 })]
      found = findingsOf(entries)
      const reply = await send(findDocuments, required)
      const list = child(reply.body, ns.rim, 'RegistryObjectList')
      assert.ok(list)
      const read = readObjects(list, 'stored')
      assert.deepEqual(read.issues, [])
      assert.deepEqual(read.entries, entries)
      assert.equal(outcomeOf(reply).status, 'Success')
    })

    it('with ObjectRef holds their ids', async () => {
      const entries = [aDocumentEntry(), aDocumentEntry()]
      found = findingsOf(entries)
      const reply = await send(findDocuments, required, 'ObjectRef')
      const list = child(reply.body, ns.rim, 'RegistryObjectList')
      assert.deepEqual(
        list?.children.map((element) => [element.local, attribute(element, 'id')]),
        entries.map(({ entryUuid }) => ['ObjectRef', entryUuid]),
      )
    })

    it('is an empty list when nothing is found', async () => {
      const reply = await send(findDocuments, required)
      assert.deepEqual(child(reply.body, ns.rim, 'RegistryObjectList')?.children, [])
    })

    it('always says the repository of an entry, our own when none was stored', async () => {
      found = findingsOf([aDocumentEntry({ repositoryUniqueId: undefined })])
      assert.match((await send(findDocuments, required)).text, /name="repositoryUniqueId"/)
    })

    it('never holds metadata of two patients, but may hold references', async () => {
      const other = aPatientId({ id: '260059999999998' })
      found = findingsOf([aDocumentEntry(), aDocumentEntry({ patientId: other })])
      const ids = { XDSDocumentEntryUniqueId: "('1.2.3','1.2.4')" }
      const { status, errors: list } = outcomeOf(await send(getDocuments, ids))
      assert.deepEqual([status, list[0]?.errorCode], ['Failure', 'XDSResultNotSinglePatient'])
      assert.equal(outcomeOf(await send(getDocuments, ids, 'ObjectRef')).status, 'Success')
    })

    it('to GetAssociations holds the associations', async () => {
      const association = anAssociation()
      found = { ...noFindings, associations: [association] }
      const reply = await send(getAssociations, { uuid: `('${uuid}')` })
      const list = child(reply.body, ns.rim, 'RegistryObjectList')
      assert.ok(list)
      assert.deepEqual(readObjects(list, 'stored').associations, [association])
      assert.deepEqual(asked, [{ kind: 'GetAssociations', ids: [uuid] }])
    })

    it('is the same when it is asked again, of which only what is new is read', async () => {
      const entries = [aDocumentEntry(), aDocumentEntry(), aDocumentEntry()] as const
      const read: string[] = []
      const watch = (some: readonly DocumentEntry[]): Findings => {
        const findings = findingsOf(some)
        return {
          ...findings,
          entries: (documents) => {
            read.push(...documents.map(({ entryUuid }) => entryUuid))
            return findings.entries(documents)
          },
        }
      }
      const objectsIn = async (): Promise<readonly string[]> => {
        const { text } = await send(findDocuments, required)
        return text.match(/<rim:ExtrinsicObject.*?<\/rim:ExtrinsicObject>/g) ?? []
      }
      found = watch([entries[0], entries[2]])
      const [first, third] = await objectsIn()
      found = watch(entries)
      const all = await objectsIn()
      assert.deepEqual([all[0], all[2]], [first, third])
      assert.equal(all.length, 3)
      assert.deepEqual(read, [entries[0].entryUuid, entries[2].entryUuid, entries[1].entryUuid])
    })

    it('passes over an entry that is gone by the time it is read', async () => {
      const entries = [aDocumentEntry(), aDocumentEntry(), aDocumentEntry()]
      const all = findingsOf(entries)
      found = { ...all, entries: (documents) => all.entries(documents.slice(1)) }
      const { text } = await send(findDocuments, required)
      assert.equal(text.match(/<rim:ExtrinsicObject/g)?.length, 2)
    })

    it('of thousands of entries leaves complete', async () => {
      found = findingsOf(Array.from({ length: 1500 }, () => aDocumentEntry()))
      const reply = await send(findDocuments, required)
      assert.equal(child(reply.body, ns.rim, 'RegistryObjectList')?.children.length, 1500)
    })
  })

  describe('FindDocuments', () => {
    it('asks by patient and status, for stable documents when no type is given', async () => {
      await send(findDocuments, required)
      assert.deepEqual(asked, [
        {
          kind: 'FindDocuments',
          patient: `${insAuthority}|${ins}`,
          statuses: ['Approved'],
          criteria: { stability: ['stable'] },
        },
      ])
    })

    it('takes the French statuses, in one Value or in several', async () => {
      const statuses = [
        approved,
        "('urn:asip:ci-sis:2010:StatusType:Archived','urn:asip:ci-sis:2010:StatusType:Deleted')",
      ]
      await send(findDocuments, { ...required, XDSDocumentEntryStatus: statuses })
      assert.deepEqual(asked[0]?.kind === 'FindDocuments' && asked[0].statuses, ['Approved', 'Archived', 'Deleted'])
    })

    it('refuses a status it does not know rather than leave it out', async () => {
      const XDSDocumentEntryStatus = `${approved.slice(0, -1)},'urn:asip:ci-sis:2010:StatusType:Lost')`
      assert.deepEqual(await errors(findDocuments, { ...required, XDSDocumentEntryStatus }), [
        'XDSRegistryError $XDSDocumentEntryStatus',
      ])
    })

    for (const [name, attributeName] of [
      ['ClassCode', 'classCodes'],
      ['TypeCode', 'typeCodes'],
      ['PracticeSettingCode', 'practiceSettingCodes'],
      ['HealthcareFacilityTypeCode', 'healthcareFacilityTypeCodes'],
      ['FormatCode', 'formatCodes'],
    ] as const)
      it(`reads ${name} as alternatives of code and scheme`, async () => {
        assert.deepEqual(await criteria({ [`XDSDocumentEntry${name}`]: ["('a^^1.2')", "('b^^1.2','c^^http://x')"] }), {
          [attributeName]: [
            { code: 'a', system: '1.2' },
            { code: 'b', system: '1.2' },
            { code: 'c', system: 'http://x' },
          ],
        })
      })

    for (const [name, attributeName] of [
      ['EventCodeList', 'eventCodes'],
      ['ConfidentialityCode', 'confidentialityCodes'],
    ] as const)
      it(`reads a repeated ${name} as AND, the values of one as OR`, async () => {
        assert.deepEqual(await criteria({ [`XDSDocumentEntry${name}`]: [["('a^^1.2','b^^1.2')"], ["('c^^1.2')"]] }), {
          [attributeName]: [
            [
              { code: 'a', system: '1.2' },
              { code: 'b', system: '1.2' },
            ],
            [{ code: 'c', system: '1.2' }],
          ],
        })
      })

    for (const [name, attributeName] of [
      ['CreationTime', 'creationTime'],
      ['ServiceStartTime', 'serviceStartTime'],
      ['ServiceStopTime', 'serviceStopTime'],
    ] as const)
      it(`reads ${name} as a range, quoted or not, open at either end`, async () => {
        const [from, to] = [`XDSDocumentEntry${name}From`, `XDSDocumentEntry${name}To`]
        assert.deepEqual(await criteria({ [from]: '2026', [to]: "'20260512'" }), {
          [attributeName]: [{ from: '2026', to: '20260512' }],
        })
        assert.deepEqual(await criteria({ [to]: '20260512' }), { [attributeName]: [{ to: '20260512' }] })
      })

    it('reads names of authors with commas and quotes in them', async () => {
      assert.deepEqual(await criteria({ XDSDocumentEntryAuthorPerson: "('%O''EXEMPLE, Anne%','_^X')" }), {
        authorPersons: ["%O'EXEMPLE, Anne%", '_^X'],
      })
    })

    it('reads the type and the availability of documents', async () => {
      const both = "('urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1','urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')"
      assert.deepEqual(
        await criteria({
          XDSDocumentEntryType: both,
          XDSDocumentEntryDocumentAvailability: "('urn:ihe:iti:2010:DocumentAvailability:Offline')",
        }),
        { stability: ['stable', 'on-demand'], documentAvailability: ['Offline'] },
      )
    })

    it('ignores parameters it does not know', async () => {
      assert.deepEqual(
        await criteria({
          XDSDocumentEntryPracticeSettingCodeScheme: "('x')",
          homeCommunityId: "'urn:oid:1.2'",
          MetadataLevel: '1',
          unheardOf: 'not even (a value',
        }),
        {},
      )
    })

    it('requires patient and status, and names both when both are missing', async () => {
      assert.deepEqual(await errors(findDocuments, {}), [
        'XDSStoredQueryMissingParam $XDSDocumentEntryPatientId',
        'XDSStoredQueryMissingParam $XDSDocumentEntryStatus',
      ])
    })

    it('takes one patient, well formed, and no SQL behind it', async () => {
      const wrong = (XDSDocumentEntryPatientId: string | readonly string[]) =>
        errors(findDocuments, { ...required, XDSDocumentEntryPatientId })
      const at = '$XDSDocumentEntryPatientId'
      assert.deepEqual(await wrong([patient, patient]), [`XDSStoredQueryParamNumber ${at}`])
      assert.deepEqual(await wrong(`(${patient},${patient})`), [`XDSStoredQueryParamNumber ${at}`])
      assert.deepEqual(await wrong(`(${patient})`), [`XDSRegistryError ${at}`])
      assert.deepEqual(await wrong(`'${ins}'`), [`XDSRegistryError ${at}`])
      assert.deepEqual(await wrong(ins), [`XDSRegistryError ${at}`, `XDSRegistryError ${at}`])
      assert.ok((await wrong(`${patient.slice(0, -1)}'' and 1=1--`)).includes(`XDSRegistryError ${at}`))
    })

    it('says every fault of the parameters at once, without repeating their values', async () => {
      const reply = await send(findDocuments, {
        XDSDocumentEntryPatientId: "'SECRET'",
        XDSDocumentEntryStatus: approved,
        XDSDocumentEntryClassCode: "('SECRET')",
        XDSDocumentEntryTypeCode: "'a^^b'",
        XDSDocumentEntryCreationTimeFrom: '20260231',
        XDSDocumentEntryFormatCode: [["('a^^b')"], ["('c^^d')"]],
      })
      assert.deepEqual(
        outcomeOf(reply).errors.map(({ errorCode, location }) => `${errorCode} ${location}`),
        [
          'XDSRegistryError $XDSDocumentEntryPatientId',
          'XDSRegistryError $XDSDocumentEntryClassCode',
          'XDSRegistryError $XDSDocumentEntryTypeCode',
          'XDSStoredQueryParamNumber $XDSDocumentEntryFormatCode',
          'XDSRegistryError $XDSDocumentEntryCreationTimeFrom',
        ],
      )
      assert.doesNotMatch(reply.text, /SECRET/)
    })
  })

  describe('FindDocumentsByReferenceId', () => {
    const reference = "'2026-ACC-1^^^&1.2.250.1.999&ISO^urn:ihe:iti:xds:2013:accession'"

    it('asks by references, a repeated one as AND', async () => {
      const list = [[`(${reference})`], ["('b^^^^urn:x')"]]
      await send(findByReferenceId, { ...required, XDSDocumentEntryReferenceIdList: list })
      assert.deepEqual(asked[0]?.kind === 'FindDocuments' && asked[0].criteria.referenceIds, [
        [reference.slice(1, -1)],
        ['b^^^^urn:x'],
      ])
    })

    it('is never without them', async () => {
      assert.deepEqual(await errors(findByReferenceId, required), [
        'XDSStoredQueryMissingParam $XDSDocumentEntryReferenceIdList',
      ])
    })
  })

  describe('GetDocuments', () => {
    it('asks by entryUUID, uniqueId or logicalID', async () => {
      await send(getDocuments, { XDSDocumentEntryEntryUUID: [`('${uuid}')`, `('${uuid.replace('a', 'A')}')`] })
      await send(getDocuments, { XDSDocumentEntryUniqueId: "('1.2.3^x','1.2.4')" })
      await send(getDocuments, { XDSDocumentEntryLogicalID: `('${uuid}')` })
      assert.deepEqual(asked, [
        { kind: 'GetDocuments', by: 'entryUuid', ids: [uuid, uuid] },
        { kind: 'GetDocuments', by: 'uniqueId', ids: ['1.2.3^x', '1.2.4'] },
        { kind: 'GetDocuments', by: 'logicalId', ids: [uuid] },
      ])
    })

    it('takes exactly one of them', async () => {
      const all = '$XDSDocumentEntryEntryUUID, $XDSDocumentEntryUniqueId, $XDSDocumentEntryLogicalID'
      assert.deepEqual(await errors(getDocuments, {}), [`XDSStoredQueryMissingParam ${all}`])
      const two = { XDSDocumentEntryEntryUUID: `('${uuid}')`, XDSDocumentEntryUniqueId: "('1.2.3')" }
      assert.deepEqual(await errors(getDocuments, two), [
        'XDSStoredQueryParamNumber $XDSDocumentEntryEntryUUID, $XDSDocumentEntryUniqueId',
      ])
    })

    it('refuses what is no id', async () => {
      for (const value of ["('Document01')", "('')", `(${uuid})`, `'${uuid}'`])
        assert.notDeepEqual(await errors(getDocuments, { XDSDocumentEntryEntryUUID: value }), [])
    })

    it('takes at most a thousand at once', async () => {
      const many = Array.from({ length: 1001 }, (_, index) => `('1.2.${index}')`)
      assert.deepEqual(await errors(getDocuments, { XDSDocumentEntryUniqueId: many }), [
        'XDSRegistryOutOfResources $XDSDocumentEntryUniqueId',
      ])
    })
  })

  it('refuses a stored query it does not know, naming those it does', async () => {
    assert.deepEqual(await errors('00000000-0000-4000-8000-000000000000', {}), ['XDSUnknownStoredQuery AdhocQuery/id'])
  })

  it('refuses a return type it does not know', async () => {
    assert.deepEqual(await errors(findDocuments, required, 'LeafClassWithRepositoryItem'), [
      'XDSRegistryError ResponseOption/returnType',
    ])
  })

  it('refuses a request without a query', async () => {
    const body = `<q:AdhocQueryRequest xmlns:q="${ns.query}"><q:ResponseOption returnType="ObjectRef"/></q:AdhocQueryRequest>`
    const reply = await postSimple(door.registry, anEnvelope({ action: iti18.requestAction, body }))
    assert.deepEqual(
      outcomeOf(reply).errors.map(({ errorCode, location }) => [errorCode, location]),
      [['XDSRegistryError', 'AdhocQuery']],
    )
  })
})
