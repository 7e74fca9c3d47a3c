/**
 * DF6 and DF8 as one property: what is hidden from a caller changes nothing of what the caller is told. The same requests
 * go to a record, and to one from which everything hidden from this caller is missing; the answers are the same bytes.
 */
import assert from 'node:assert/strict'
import type { Bundle } from '@medplum/fhirtypes'
import fc from 'fast-check'
import type { SubmissionSet } from '../../src/metadata/model.ts'
import { thePatient } from '../dmp/mothers.ts'
import { callers, choices, type Fed, laterVersion, plans } from '../support/record-plans.ts'
import { type Asked, baseUrl, difference, type Reply, type Twins, told, withTwins } from '../support/twin-records.ts'

const runs = Number(process.env.FC_RUNS ?? 4)

const token = `urn:oid:${thePatient.replace('|', '%7C')}`
const patientQuery = `patient.identifier=${token}`
const searches = [
  'status=current',
  'status=current&_count=1',
  'status=current&_count=2&_sort=_lastUpdated',
  'status=superseded',
  'status=entered-in-error',
  'status=current&isArchived=true',
  'status=current,superseded,entered-in-error&_sort=date',
  'status=current&_summary=count',
  'status=current&type=11502-2',
  'status=current&security-label=MASQUE_PS',
  'status=current&author.family=exemple',
  'status=current&date=ge2026-05-13',
].map((query) => `/DocumentReference?${patientQuery}&${query}`)

const others = [
  `/List?${patientQuery}&code=submissionset&status=current`,
  `/List?${patientQuery}&code=submissionset&_count=1`,
  `/List?${patientQuery}&_summary=count`,
  `/DocumentReference/$changes?${patientQuery}&since=2026-05-20T08:00:05Z`,
  `/DocumentReference/$changes?${patientQuery}&since=2026-05-20T08:00:05Z&_count=1`,
  `/Consent?${patientQuery}`,
  `/Patient?identifier=${token}`,
]

const bare = (id: string) => id.slice('urn:uuid:'.length)

/** Every request that could tell of a document, by any of its names. */
function requestsAbout(all: readonly Fed[], sets: ReadonlyMap<number, SubmissionSet>): string[] {
  return [
    ...searches,
    ...others,
    ...all.flatMap(({ entry: { entryUuid, uniqueId } }) => [
      `/DocumentReference/${bare(entryUuid)}`,
      `/DocumentReference/${bare(laterVersion(entryUuid))}`,
      `/DocumentReference/${bare(entryUuid)}/_history`,
      `/DocumentReference/${bare(entryUuid)}/_history/1`,
      `/DocumentReference?${patientQuery}&identifier=urn:oid:${uniqueId}`,
      `/DocumentReference?${patientQuery}&_id=${bare(entryUuid)}&status=current,superseded,entered-in-error`,
      `/Binary/${bare(entryUuid)}`,
    ]),
    ...[...sets.values()].flatMap(({ entryUuid, uniqueId }) => [
      `/List/${bare(entryUuid)}`,
      `/List/${bare(entryUuid)}/_history`,
      `/List?${patientQuery}&identifier=urn:oid:${uniqueId}`,
    ]),
  ]
}

function asked(caller: string, path: string, rest: Partial<Asked> = {}): Asked {
  const declared = caller === 'patient' || caller === 'representative' || caller === 'administrator'
  const headers = declared ? {} : { 'DMP-Consent': 'basis=care-team, informed=?1, episode="E-1"' }
  return { target: `/fhir${path.replace(baseUrl, '')}`, headers, ...rest }
}

/** The same request to both, or each its own. */
async function compare({ caller, ask }: Twins, request: Asked | readonly [Asked, Asked], as?: string) {
  const [whole, partial] = await ask(request, as)
  const [said, expected] = [await told(whole), await told(partial)]
  const { target, method = 'GET' } = 'target' in request ? request : request[0]
  if (said !== expected) assert.fail(`${caller} ${method} ${target}: ${difference(said, expected)}`)
  return [whole, partial] as const
}

/** The answer, and those its links lead to. */
async function comparePages(twins: Twins, start: string): Promise<void> {
  let targets: readonly [string, string] | undefined = [start, start]
  for (let page = 0; targets !== undefined && page < 30; page++) {
    const [first, second]: readonly [string, string] = targets
    const answers = await compare(twins, [asked(twins.caller, first), asked(twins.caller, second)])
    const [whole, partial] = answers.map(nextOf)
    targets = whole === undefined || partial === undefined ? undefined : [whole, partial]
  }
}

function nextOf({ status, bytes }: Reply): string | undefined {
  const text = bytes.toString()
  if (status !== 200 || !text.startsWith('{"resourceType":"Bundle"')) return undefined
  return (JSON.parse(text) as Bundle).link?.find(({ relation }) => relation === 'next')?.url
}

const json = 'application/fhir+json'
const parameters = (...parameter: readonly object[]) => JSON.stringify({ resourceType: 'Parameters', parameter })

/** What is asked to be done, of each document by its names. */
async function compareActs(twins: Twins): Promise<void> {
  const { caller, all, seen } = twins
  const post = (path: string, body: string) => asked(caller, path, { method: 'POST', type: json, body })
  for (const { entry } of all) {
    const why = parameters({ name: 'reason', valueString: 'allergie inexacte' })
    await compare(twins, post(`/DocumentReference/${bare(entry.entryUuid)}/$request-rectification`, why))
    await compareExplanation(twins, entry.uniqueId)
    if (seen.has(entry.entryUuid)) continue
    const patch = '[{"op":"replace","path":"/status","value":"entered-in-error"}]'
    const target = `/DocumentReference?identifier=urn:oid:${entry.uniqueId}`
    await compare(twins, asked(caller, target, { method: 'PATCH', type: 'application/json-patch+json', body: patch }))
  }
}

/** The administrator is told no more of a document than the caller in question sees. */
async function compareExplanation(twins: Twins, document: string): Promise<void> {
  const { kind, authentication, person, structure, profession, specialities, purposeOfUse, reason } =
    callers[twins.caller] ?? assert.fail()
  const [authority, value] = thePatient.split('|')
  const given = { kind, authentication, person: person?.id, structure: structure?.id, profession: profession?.code }
  const more = { purpose: purposeOfUse, reason, basis: 'explicit', specialty: specialities[0]?.code }
  const named = Object.entries({ ...given, ...more, document })
  const body = parameters(
    { name: 'identifier', valueIdentifier: { system: `urn:oid:${authority}`, value } },
    ...named.flatMap(([name, text]) => (text === undefined ? [] : [{ name, valueString: text }])),
  )
  const request = asked('administrator', '/DocumentReference/$explain-access', { method: 'POST', type: json, body })
  const [{ status }] = await compare(twins, request, 'administrator')
  assert.equal(status, 200)
}

describe('What is hidden from a caller', function () {
  this.timeout(120_000)

  it('changes nothing of what the caller is told: ids, totals, links, ETags, errors, acts, history, copy', async () => {
    await fc.assert(
      fc.asyncProperty(plans, choices, fc.constantFrom(...Object.keys(callers)), (planned, settled, caller) =>
        withTwins({ planned, settled, caller }, async (twins) => {
          for (const target of requestsAbout(twins.all, twins.sets)) await comparePages(twins, target)
          await compareActs(twins)
          // Afterwards: nothing of what was just asked tells one from the other
          await comparePages(twins, `/AuditEvent?${patientQuery}`)
          await comparePages(twins, `/AuditEvent?${patientQuery}&_count=3`)
          for (const accept of ['text/csv', 'text/html'])
            await compare(twins, asked(caller, `/AuditEvent?${patientQuery}`, { headers: { Accept: accept } }))
          await compare(twins, asked(caller, `/Patient/$copy?identifier=${token}`))
        }),
      ),
      { numRuns: runs, endOnFailure: true },
    )
  })

  it('is told from what is shown: the comparison above sees a difference where there is one', async () => {
    const planned = [
      { type: 'bloodTest', by: 'other', fedBy: 'other', visibility: 'open', fate: 'kept', lot: 0, day: 1 },
      { type: 'summary', by: 'other', fedBy: 'other', visibility: 'masked', fate: 'kept', lot: 0, day: 2 },
    ] as const
    await withTwins(
      { planned, caller: 'colleague' },
      async (twins) => {
        assert.equal(twins.seen.size, 1)
        const [target = ''] = searches
        const [whole, partial] = await twins.ask(asked('colleague', target))
        assert.notEqual(await told(whole), await told(partial))
      },
      new Set(),
    )
  })
})
