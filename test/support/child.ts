/** Commands of the project as processes of their own: started, spoken to over the network, ended by signal. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

export const projectRoot = path.resolve(import.meta.dirname, '../..')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Child {
  readonly process: ChildProcess
  /** What it has printed so far. */
  output(): string
  /** When a line of its output matches; rejects when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<Ended>
  /** Ends it and all it started, whatever it does. */
  kill(): void
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** @param command a program and its arguments; `node` is the one that runs the tests */
export function start(
  [program = 'node', ...args]: readonly string[],
  { environment = {}, cwd = projectRoot }: StartOptions = {},
): Child {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('DMP_GATEWAY_'))
  const child = spawn(program === 'node' ? process.execPath : program, args, {
    cwd,
    env: { ...Object.fromEntries(clean), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that nothing it started outlives a test
    detached: true,
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    text.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text.stderr += chunk.toString()
  })
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, ...text }))
  return {
    process: child,
    output: () => text.stdout + text.stderr,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(text.stdout + text.stderr)
          if (found) resolve(found)
        }
        look()
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        ended.then(
          ({ code, stderr }) => reject(new Error(`ended with ${code} before it printed ${pattern}: ${stderr}`)),
          reject,
        )
      }),
    ended,
    kill() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // it has just ended
      }
    },
  }
}

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export interface ServeOptions extends StartOptions {
  /** The command; the data folder and a free port are given by the environment. */
  readonly command?: readonly string[]
  readonly data?: string
}

export interface Served extends Child {
  readonly url: string
  readonly data: string
}

/** `serve.ts` on a free port, listening. */
export async function serve({
  command = ['node', 'src/cli/serve.ts'],
  data,
  ...options
}: ServeOptions = {}): Promise<Served> {
  const folder = data ?? (await temporaryFolder())
  const environment = { DMP_GATEWAY_DATA: folder, DMP_GATEWAY_PORT: '0', ...options.environment }
  const child = start(command, { ...options, environment })
  try {
    const [, url = ''] = await child.printed(/^listening on (http\S+)$/m)
    return { ...child, url, data: folder }
  } catch (error) {
    child.kill()
    throw error
  }
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'dmp-gateway-test-'))
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true })
}
