/** The gateway and the echo, each in a process of its own, as in production: the client's work is not theirs. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openEmbeddedDmp } from '../src/dmp/embedded/index.ts'
import type { PatientKey } from '../src/metadata/identifiers.ts'
import { toOid } from '../src/metadata/identifiers.ts'
import { type Clients, createClients } from '../test/support/gateway.ts'
import { repositoryUniqueId } from '../test/support/xds-client.ts'
import type { EchoAnswer } from './echo.ts'

const root = path.resolve(import.meta.dirname, '..')

export interface BenchGateway extends Clients {
  readonly port: number
  readonly data: string
  readonly pid: number
  /** Ends it, counts what it kept, and removes its data. */
  close(expected: Expected): Promise<void>
}

/** What must be there when a load has ended: an answer of 2xx is an access on record, and a feed is rows. */
export interface Expected {
  readonly answers: number
  /** Documents stored, by patient. */
  readonly documents: ReadonlyMap<PatientKey, number>
}

/** `serve.ts` with its defaults, logs included (to nowhere). @param options for node: `--cpu-prof` */
export async function startGateway(options: readonly string[] = []): Promise<BenchGateway> {
  const data = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-bench-'))
  const child = spawn(process.execPath, [...options, 'src/cli/serve.ts', '--port', '0', '--data', data], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const url = await listening(child)
  const clients = await createClients(url, data)
  return {
    ...clients,
    data,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    async close(expected) {
      child.kill('SIGTERM')
      await once(child, 'close')
      await count(data, expected)
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** The URL, once the gateway answers. The rest of what it prints is read away. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const url = /listening on (\S+)/.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('close', () => reject(new Error(`the gateway did not start: ${text}`)))
  })
}

/** A load ends by counting: answers = records of the trace, feeds answered = documents stored. */
async function count(directory: string, { answers, documents }: Expected): Promise<void> {
  const store = await openEmbeddedDmp({ directory, repositoryUniqueId: toOid(repositoryUniqueId) })
  try {
    const verdict = await store.verify()
    if (!verdict.whole || verdict.records !== answers)
      throw new Error(`${answers} answers, but the trace says ${JSON.stringify(verdict)}`)
    for (const [patient, expected] of documents) {
      const found = await store.dmp.find({ kind: 'FindDocuments', patient, statuses: ['Approved'], criteria: {} })
      if (found.documents.length !== expected)
        throw new Error(`${expected} documents were answered for, ${found.documents.length} are stored`)
    }
  } finally {
    await store.close()
  }
}

/**
 * Milliseconds of processor time that a process has used, all its threads together: what a request costs is the same
 * however busy the machine is with something else. Undefined where there is no /proc.
 */
export function processorTime(pid: number): number | undefined {
  try {
    // proc(5): fields 14 and 15, user and system time, in ticks of 10 ms; the name in field 2 may hold anything
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

export interface Echo {
  readonly port: number
  readonly pid: number
  answerWith(answer: { readonly contentType: string; readonly body: Buffer }): Promise<void>
  close(): Promise<void>
}

export async function startEcho(): Promise<Echo> {
  const child = fork(path.join(import.meta.dirname, 'echo.ts'), { stdio: 'ignore' })
  const [port] = (await once(child, 'message')) as [number]
  return {
    port,
    pid: child.pid ?? 0,
    async answerWith({ contentType, body }) {
      const ready = once(child, 'message')
      child.send({ contentType, body: body.toString('base64') } satisfies EchoAnswer)
      await ready
    },
    async close() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
