/**
 * Reading keys, certificates and revocation lists again: on demand (SIGHUP), and when their files change. Files are looked at
 * from time to time rather than watched: secrets that are mounted are swapped by links, which no watcher sees everywhere.
 */
import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { credentialFiles } from './files.ts'

export interface Reloader {
  reload(): Promise<void>
  close(): void
}

export interface ReloaderParts {
  readonly config: Config
  readonly log: Logger
  /** Each throws when what it read cannot be used, and then goes on with what it had. */
  readonly reload: readonly (() => Promise<void>)[]
}

export function createReloader({ config, log, reload }: ReloaderParts): Reloader {
  const files = [...new Set(credentialFiles(config).map(({ file }) => file))]
  let seen = ''
  let busy: Promise<void> = Promise.resolve()
  const all = async (): Promise<void> => {
    seen = await stateOf(files)
    const results = await Promise.allSettled(reload.map((each) => each()))
    const failed = results.filter((result) => result.status === 'rejected')
    for (const { reason } of failed)
      log.error(
        { reason: reason instanceof Error ? reason.message : 'unknown' },
        'credentials cannot be used: the old ones stay',
      )
    if (failed.length === 0) log.info({ files: files.length }, 'credentials read again')
  }
  /** One after the other: two reads at once could end with the older one in use. */
  const queue = (step: () => Promise<void>): Promise<void> => {
    busy = busy.then(step, step)
    return busy
  }
  const look = async (): Promise<void> => {
    if ((await stateOf(files)) !== seen) await all()
  }
  const { reloadSeconds } = config.server
  let timer: NodeJS.Timeout | undefined
  if (reloadSeconds > 0 && files.length > 0) {
    void queue(async () => {
      seen = await stateOf(files)
    })
    timer = setInterval(() => void queue(look), reloadSeconds * 1000)
    timer.unref()
  }
  return {
    reload: () => queue(all),
    close: () => clearInterval(timer),
  }
}

/** Changes when one of the files does; a file that is away for a moment is a change too. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      try {
        const { ino, size, mtimeMs } = await stat(file)
        return `${ino} ${size} ${mtimeMs}`
      } catch {
        return 'absent'
      }
    }),
  )
  return states.join('\n')
}
