/**
 * Replays other people's conformance suites (../shared/conformance) against the gateway in conformance mode, each on a
 * gateway of its own: the NIST XDS Toolkit test kit, and the MHD and PDSm tests. Ends with 0 when every test passes, and
 * says SKIPPED where the suites are not beside the project.
 *
 *   npm run conformance                                             both
 *   npm run conformance -- xds-replay --collections reg --verbose   one, with options of the tool
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '..', '..')
const run = path.resolve(root, '..', 'shared', 'conformance', 'run.sh')

interface Tool {
  /** Where the tool finds the gateway. */
  readonly target: (url: string) => readonly string[]
  /** What is asked when nothing else is. */
  readonly asked: readonly string[]
}

const fhir = (url: string) => ['--fhir', `${url}/fhir`]
const tools: Readonly<Record<string, Tool>> = {
  'xds-replay': {
    target: (url) => ['--registry', `${url}/xds/registry`, '--repository', `${url}/xds/repository`, ...fhir(url)],
    asked: ['--collections', 'reg,reg_mu,reg_mu_beta,reg_rm,reg_rmu,reg_isr,rep,rep_rd,raw'],
  },
  // A run that skips everything is no success: the tool has more than 400 tests.
  'mhd-replay': { target: fhir, asked: ['--min-pass', '400'] },
}

/** The URL of a gateway that keeps its data only as long as it runs. */
async function start(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout ?? process.stdin })) {
    const [, url] = /^listening on (\S+)$/.exec(line) ?? []
    if (url !== undefined) return url
  }
  throw new Error('the gateway did not start')
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

async function replay(name: string, { target, asked }: Tool, options: readonly string[]): Promise<number> {
  const command = ['src/cli/serve.ts', '--config', 'config/conformance.yaml', '--port', '0']
  const server = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const stopped = ended(server)
  try {
    const url = await start(server)
    return await ended(
      spawn(run, [name, ...target(url), ...(options.length > 0 ? options : asked)], { stdio: 'inherit' }),
    )
  } finally {
    server.kill('SIGTERM')
    await stopped
  }
}

const [only, ...options] = process.argv.slice(2)
if (only !== undefined && !(only in tools)) throw new Error(`no tool ${only}: ${Object.keys(tools).join(', ')}`)
if (existsSync(run)) {
  for (const [name, tool] of Object.entries(tools))
    if (only === undefined || only === name) process.exitCode ||= await replay(name, tool, options)
} else console.log(`SKIPPED: ${run} is not there`)
