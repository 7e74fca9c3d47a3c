/** `npm run build`: compiles src to dist for the package, and copies the data that the code reads at run time. */
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
rmSync(path.join(root, 'dist'), { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
cpSync(path.join(root, 'src'), path.join(root, 'dist'), { recursive: true, filter: (file) => !file.endsWith('.ts') })
