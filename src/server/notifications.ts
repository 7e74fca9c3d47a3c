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
  let current = await channelsOf(notifications)
  const latest = (name: string) => current.get(name) as Channel
  const channels = [...current.keys()].map(
    (name): Channel => ({
      name,
      reaches: (notice) => latest(name).reaches(notice),
      send: (notice, signal) => latest(name).send(notice, signal),
    }),
  )
  const running = await startNotifier({ ...parts, channels })
  return {
    ...running,
    async reload() {
      current = await channelsOf(notifications)
    },
  }
}

async function channelsOf({ email, webhook }: Config['notifications']): Promise<ReadonlyMap<string, Channel>> {
  const channels: Channel[] = []
  if (email) channels.push(await openEmail(email))
  if (webhook) {
    const secret = (await readFile(webhook.secretFile, 'utf8')).trim()
    if (secret.length < 32)
      throw new ConfigError('notifications.webhook.secretFile: must hold a secret of at least 32 characters')
    const { ca } = await peerCredentials('notifications.webhook', webhook)
    channels.push(webhookChannel({ url: webhook.url, secret, ca }))
  }
  return new Map(channels.map((each) => [each.name, each]))
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
