/**
 * Jobs as folders: `<id>/job.json` and one file a document, then `<id>/result.json`. A job exists once its folder has its
 * name, and is finished once its result has its name: both are renames of what is on the disk already, synced with the
 * folder that holds them. Folders and files are for this user only.
 */
import { constants, createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../../errors.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { DocumentContent } from '../../operations/ports.ts'
import type { Job, JobState, Result, StoredDocument } from './job.ts'

/** A finished job is known for this long. */
const keptMilliseconds = 24 * 60 * 60 * 1000

interface Finished {
  readonly owner: string
  readonly result: Result
}

export class JobStore {
  readonly #directory: string

  /** @param directory made when missing; on the file system of the store, which takes large documents over by renaming */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Durable when it resolves; the documents are copied or linked, and stay the caller's. Gives the whole job. */
  async add(job: Omit<Job, 'documents'>, contents: ReadonlyMap<EntryUuid, DocumentContent>): Promise<Job> {
    const [making, folder] = [path.join(this.#directory, `.${job.id}`), this.#folder(job.id)]
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await mkdir(making, { mode: 0o700 })
      const documents: StoredDocument[] = []
      for (const [entryUuid, content] of contents) {
        const file = `document-${documents.length}`
        await keep(content, path.join(making, file))
        documents.push({ entryUuid, file, size: content.size, sha1: content.sha1 })
      }
      const whole: Job = { ...job, documents }
      await writeDurably(path.join(making, 'job.json'), whole)
      await syncFolder(making)
      await rename(making, folder)
      await syncFolder(this.#directory)
      return whole
    } catch (error) {
      await rm(making, { recursive: true, force: true }).catch(() => {})
      throw new GatewayError('store-unavailable', { cause: error })
    }
  }

  /** The documents of a job. What a store takes over by renaming is a link: the job keeps its own. */
  async contents({ id, documents }: Job): Promise<ReadonlyMap<EntryUuid, DocumentContent>> {
    const contents = new Map<EntryUuid, DocumentContent>()
    for (const { entryUuid, file, size, sha1 } of documents) {
      const kept = path.join(this.#folder(id), file)
      const given = `${kept}.given`
      await unlink(given).catch(() => {})
      await linkOrCopy(kept, given)
      contents.set(entryUuid, { size, sha1, path: given, stream: (range) => createReadStream(given, range ?? {}) })
    }
    return contents
  }

  /** Durable when it resolves; what the job held is removed, its result stays. */
  async finish({ id, owner, documents }: Job, result: Result): Promise<void> {
    const folder = this.#folder(id)
    const finished: Finished = { owner, result }
    await writeDurably(path.join(folder, '.result'), finished)
    await rename(path.join(folder, '.result'), path.join(folder, 'result.json'))
    await syncFolder(folder)
    const gone = ['job.json', ...documents.flatMap(({ file }) => [file, `${file}.given`])]
    for (const name of gone) await unlink(path.join(folder, name)).catch(() => {})
  }

  /** Undefined when there is no such job, or it is somebody else's. */
  async state(id: string, owner: string): Promise<JobState | undefined> {
    if (!isId(id)) return undefined
    const folder = this.#folder(id)
    const read = () => readJson<Finished>(path.join(folder, 'result.json'))
    const before = await read()
    const job = before ? undefined : await readJson<Job>(path.join(folder, 'job.json'))
    if (job) return job.owner === owner ? { state: 'queued' } : undefined
    // It may have been finished between the two looks
    const finished = before ?? (await read())
    return finished?.owner === owner ? { state: 'finished', result: finished.result } : undefined
  }

  /** Jobs without a result, the oldest first; what a crash left half made is removed. Before the first `add`. */
  async recover(): Promise<readonly Job[]> {
    const jobs: Job[] = []
    for (const name of await this.#names()) {
      const folder = path.join(this.#directory, name)
      const job = isId(name) ? await readJson<Job>(path.join(folder, 'job.json')) : undefined
      const finished = isId(name) && (await this.#finishedAt(name)) !== undefined
      if (job && !finished) jobs.push(job)
      else if (!finished) await rm(folder, { recursive: true, force: true })
    }
    return jobs.sort((a, b) => (a.at < b.at ? -1 : 1))
  }

  /** Forgets results of long ago. */
  async sweep(now: Date): Promise<void> {
    for (const name of await this.#names()) {
      const finished = isId(name) ? await this.#finishedAt(name) : undefined
      if (finished !== undefined && finished < now.getTime() - keptMilliseconds)
        await rm(this.#folder(name), { recursive: true, force: true })
    }
  }

  async #names(): Promise<readonly string[]> {
    return readdir(this.#directory).catch(() => [])
  }

  async #finishedAt(id: string): Promise<number | undefined> {
    const found = await stat(path.join(this.#folder(id), 'result.json')).catch(() => undefined)
    return found?.mtimeMs
  }

  #folder(id: string): string {
    return path.join(this.#directory, id)
  }
}

function isId(name: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name)
}

async function keep(content: DocumentContent, file: string): Promise<void> {
  if (content.path === undefined) {
    await pipeline(content.stream(), createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }))
    return
  }
  await linkOrCopy(content.path, file)
  await using handle = await open(file, 'r+')
  await handle.datasync()
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch {
    // Another file system, or one without links
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}

async function writeDurably(file: string, value: object): Promise<void> {
  await using handle = await open(file, 'w', 0o600)
  await handle.writeFile(JSON.stringify(value))
  await handle.sync()
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new GatewayError('store-unavailable', { cause: error })
  }
}
