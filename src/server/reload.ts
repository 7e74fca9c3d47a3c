/**
 * Reading keys, certificates and revocation lists again: on demand (SIGHUP), and when their files change. Files are looked at
 * from time to time rather than watched: secrets that are mounted are swapped by links, which no watcher sees everywhere.
 */
import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Config } from './config.ts'

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
  const files = credentialFiles(config)
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

/** Every file behind a credential. */
function credentialFiles({
  server: { tls },
  identity: { jwt, vihf, xua },
  dmp: { national, fhir },
  trace,
  notifications: { email, webhook },
}: Config): readonly string[] {
  const server = tls ? [tls.key, tls.certificate, ...tls.clientAuthorities, ...tls.revocationLists] : []
  const issuers = jwt.flatMap(({ jwks, key, userinfo }) => [
    jwks,
    key,
    userinfo?.ca,
    userinfo?.certificate,
    userinfo?.key,
  ])
  const pairs = [national?.authentication, national?.signature, fhir?.authentication]
  const connector = [
    ...pairs.flatMap((pair) => filesOf(pair ?? {})),
    ...(national?.authorities ?? []),
    ...(fhir ? [fhir.token.key, ...fhir.authorities] : []),
  ]
  const peers = [trace.syslog, trace.fhir].flatMap((peer) => [peer?.ca, peer?.certificate, peer?.key])
  const told = [email?.ca, email?.passwordFile, email?.professionals, webhook?.ca, webhook?.secretFile]
  return [
    ...new Set([
      ...server,
      ...vihf.certificates,
      ...vihf.revocationLists,
      ...xua.flatMap(({ certificates }) => certificates),
      ...[...connector, ...issuers, ...peers, trace.fhir?.tokenFile, ...told].filter((file) => file !== undefined),
    ]),
  ]
}

/** PEM or PKCS#12. */
function filesOf(pair: {
  readonly key?: string | undefined
  readonly certificate?: string | undefined
  readonly pkcs12?: string | undefined
  readonly passphraseFile?: string | undefined
}): readonly string[] {
  return [pair.key, pair.certificate, pair.pkcs12, pair.passphraseFile].filter((file) => file !== undefined)
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
