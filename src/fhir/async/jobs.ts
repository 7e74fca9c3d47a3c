/**
 * Submissions that are stored after they were accepted (FHIR R4 async.html). A job is on the disk before it is accepted,
 * and its result before it is told; what a restart interrupts goes on with the next start, and is stored once.
 */
import { type GatewayError, toGatewayError } from '../../errors.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { DocumentContent } from '../../operations/ports.ts'
import { feedWithLocations } from '../feed.ts'
import { servedAs } from '../iti-105.ts'
import { outcomeOf } from '../outcome.ts'
import type { FhirParts } from '../parts.ts'
import type { PatientIds } from '../patient-id.ts'
import { writeAnswer } from '../transaction-response.ts'
import type { Job, JobState, Result } from './job.ts'
import { JobStore } from './job-store.ts'

/** Stored at the same time: the store commits what waits together. */
const mostAtOnce = 8
/** Waiting; beyond it the caller is asked to come back. */
export const mostWaiting = 1000
const retryMilliseconds = 2000
const sweepMilliseconds = 60 * 60 * 1000
/** Attempts at a job that fails for no reason anybody gave. */
const mostAttempts = 3

export class Jobs {
  readonly #parts: FhirParts
  readonly #patientIds: PatientIds
  readonly #store: JobStore
  #ready: Promise<void> | undefined
  readonly #waiting: Job[] = []
  readonly #attempts = new Map<string, number>()
  #running = 0
  /** Accepted and not finished. */
  #open = 0

  constructor(parts: FhirParts, patientIds: PatientIds, directory: string) {
    this.#parts = parts
    this.#patientIds = patientIds
    this.#store = new JobStore(directory)
  }

  get full(): boolean {
    return this.#open >= mostWaiting
  }

  /** Takes up what an earlier run left. To be called once; what is accepted meanwhile waits for it. */
  recover(): Promise<void> {
    this.#ready = this.#recover()
    return this.#ready
  }

  async #recover(): Promise<void> {
    const left = await this.#store.recover()
    this.#open += left.length
    this.#waiting.push(...left)
    this.#next()
    await this.#store.sweep(new Date())
    setInterval(() => void this.#store.sweep(new Date()).catch(() => {}), sweepMilliseconds).unref()
  }

  /** Durable when it resolves. Throws GatewayError `store-unavailable`. */
  async accept(job: Omit<Job, 'documents'>, contents: ReadonlyMap<EntryUuid, DocumentContent>): Promise<void> {
    // What is half made on the disk is taken for what a crash left
    await this.#ready?.catch(() => {})
    const kept = await this.#store.add(job, contents)
    this.#open++
    this.#waiting.push(kept)
    this.#next()
  }

  state(id: string, owner: string): Promise<JobState | undefined> {
    return this.#store.state(id, owner)
  }

  #next(): void {
    while (this.#running < mostAtOnce) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      this.#running++
      void this.#run(job).finally(() => {
        this.#running--
        this.#next()
      })
    }
  }

  async #run(job: Job): Promise<void> {
    try {
      const result = await this.#resultOf(job)
      await this.#store.finish(job, result)
      this.#open--
      this.#attempts.delete(job.id)
    } catch {
      // Nothing was decided: the store does not answer, or is closing. A restart takes it up where it is.
      setTimeout(() => {
        this.#waiting.push(job)
        this.#next()
      }, retryMilliseconds).unref()
    }
  }

  async #resultOf(job: Job): Promise<Result> {
    const { answering, baseUrl, submission, context, targets, superseded } = job
    const exchange = { parts: this.#parts, patientIds: this.#patientIds, baseUrl, context }
    try {
      const contents = await this.#store.contents(job)
      const options = { targets: new Map(targets), superseded, resumed: true }
      const places = new Map(job.places)
      const toFeed = { submission, contents, locations: new Map(job.locations), options }
      const receipt = await feedWithLocations(toFeed, (id) => places.get(id), exchange)
      if (answering.transaction === 'ITI-65')
        return { status: 200, body: writeAnswer(answering.plan, receipt, exchange) }
      const body = servedAs(submission, receipt, exchange)
      const warnings = [...answering.warnings, ...receipt.warnings]
      return { status: 201, location: `${baseUrl}/DocumentReference/${body.id}/_history/1`, warnings, body }
    } catch (thrown) {
      const error = toGatewayError(thrown)
      if (this.#again(job, error)) throw error
      return { status: error.http, body: outcomeOf(error.issues) }
    }
  }

  /** What passes is tried again; what nobody foresaw a few times, and then told. */
  #again({ id }: Job, { http, code }: GatewayError): boolean {
    if (http === 503) return true
    const attempts = (this.#attempts.get(id) ?? 0) + 1
    this.#attempts.set(id, attempts)
    return code === 'internal' && attempts < mostAttempts
  }
}
