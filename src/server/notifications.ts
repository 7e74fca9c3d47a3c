/** How people are told, as configured (`notifications.email`, `notifications.webhook`). */
import { readFile } from 'node:fs/promises'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { type Channel, emailChannel, type Notifier, startNotifier, webhookChannel } from '../trace/index.ts'
import type { NotifierParts } from '../trace/notifier.ts'
import { type Config, ConfigError, isLoopback } from './config.ts'
import { peerCredentials } from './peer-credentials.ts'

export interface ReloadableNotifier extends Notifier {
  /** Reads secrets, authorities and addresses again; throws when they cannot be used, and the old stay in use. */
  reload(): Promise<void>
}

/** @throws ConfigError naming the setting, Error naming the file that cannot be read */
export async function openNotifications(
  { notifications }: Config,
  parts: Omit<NotifierParts, 'channels'>,
): Promise<ReloadableNotifier> {
  const readers = readersOf(notifications)
  const current = await Promise.all(readers.map((read) => read()))
  const channels = current.map(
    ({ name }, index): Channel => ({
      name,
      reaches: (notice) => (current[index] as Channel).reaches(notice),
      send: (notice, signal) => (current[index] as Channel).send(notice, signal),
    }),
  )
  const running = await startNotifier({ ...parts, channels })
  return {
    ...running,
    async reload() {
      // One that cannot be read holds back no other
      const read = await Promise.allSettled(readers.map((each) => each()))
      for (const [index, result] of read.entries()) if (result.status === 'fulfilled') current[index] = result.value
      const failed = read.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

/** One for each channel that is configured. */
function readersOf({ email, webhook }: Config['notifications']): readonly (() => Promise<Channel>)[] {
  return [...(email ? [() => openEmail(email)] : []), ...(webhook ? [() => openWebhook(webhook)] : [])]
}

async function openWebhook(webhook: NonNullable<Config['notifications']['webhook']>): Promise<Channel> {
  const secret = (await readFile(webhook.secretFile, 'utf8')).trim()
  if (secret.length < 32)
    throw new ConfigError('notifications.webhook.secretFile: must hold a secret of at least 32 characters')
  const { ca } = await peerCredentials('notifications.webhook', webhook)
  return webhookChannel({ url: webhook.url, secret, ca })
}

const addresses = z.record(z.string().min(1), z.email())

async function openEmail(email: NonNullable<Config['notifications']['email']>): Promise<Channel> {
  const { host, tls, from, user, identifyPatient } = email
  if (tls === 'none' && !isLoopback(host))
    throw new ConfigError('notifications.email.tls: none is for a relay on this machine (127.0.0.1) only')
  const professionals = new Map<string, string>()
  if (email.professionals !== undefined) {
    const parsed = addresses.safeParse(parseYaml(await readFile(email.professionals, 'utf8')))
    if (!parsed.success)
      throw new ConfigError(`notifications.email.professionals: ${email.professionals} holds lines PS_IdNat: address`)
    for (const [person, address] of Object.entries(parsed.data)) professionals.set(person, address)
  }
  const password = email.passwordFile === undefined ? undefined : (await readFile(email.passwordFile, 'utf8')).trim()
  if (password === '') throw new ConfigError(`notifications.email.passwordFile: ${email.passwordFile} is empty`)
  const { ca } = await peerCredentials('notifications.email', email)
  return emailChannel({
    host,
    port: email.port ?? (tls === 'implicit' ? 465 : tls === 'starttls' ? 587 : 25),
    secure: tls === 'implicit',
    plain: tls === 'none',
    ca,
    user,
    password,
    from,
    professionals,
    identifyPatient,
  })
}
