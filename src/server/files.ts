/** The files of keys, certificates, revocation lists, tokens, passwords, secrets and addresses, with the settings that name them. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type Config, ConfigError } from './config.ts'

export interface SettingFile {
  /** As an administrator writes it: `server.tls.key`. */
  readonly setting: string
  readonly file: string
}

/** Every file behind a credential; none for a setting that holds the PEM itself. */
export function credentialFiles({
  server: { tls },
  identity: { jwt, vihf, xua },
  dmp: { national, fhir },
  trace,
  notifications: { email, webhook },
}: Config): readonly SettingFile[] {
  const named: readonly (readonly [setting: string, files: string | readonly string[] | undefined])[] = [
    ...keysOf('server.tls', tls, ['key', 'certificate', 'clientAuthorities', 'revocationLists']),
    ...jwt.flatMap((issuer, index) => [
      ...keysOf(`identity.jwt.${index}`, issuer, ['jwks', 'key']),
      ...keysOf(`identity.jwt.${index}.userinfo`, issuer.userinfo, ['ca', 'certificate', 'key']),
    ]),
    ...keysOf('identity.vihf', vihf, ['certificates', 'revocationLists']),
    ...xua.flatMap((issuer, index) => keysOf(`identity.xua.${index}`, issuer, ['certificates'])),
    ...keysOf('dmp.national.authentication', national?.authentication, keyFiles),
    ...keysOf('dmp.national.signature', national?.signature, keyFiles),
    ...keysOf('dmp.national', national, ['authorities']),
    ...keysOf('dmp.fhir.authentication', fhir?.authentication, keyFiles),
    ...keysOf('dmp.fhir.token', fhir?.token, ['key']),
    ...keysOf('dmp.fhir', fhir, ['authorities']),
    ...keysOf('trace.syslog', trace.syslog, ['ca', 'certificate', 'key']),
    ...keysOf('trace.fhir', trace.fhir, ['ca', 'certificate', 'key', 'tokenFile']),
    ...keysOf('notifications.email', email, ['ca', 'passwordFile', 'professionals']),
    ...keysOf('notifications.webhook', webhook, ['ca', 'secretFile']),
  ]
  return named.flatMap(([setting, files]) =>
    [files ?? []]
      .flat()
      .filter((file) => !file.includes('-----BEGIN'))
      .map((file) => ({ setting, file })),
  )
}

/** PEM or PKCS#12. */
const keyFiles = ['key', 'certificate', 'pkcs12', 'passphraseFile'] as const

function keysOf<K extends string>(
  prefix: string,
  settings: { readonly [key in K]?: string | readonly string[] | undefined } | undefined,
  keys: readonly K[],
): readonly (readonly [string, string | readonly string[] | undefined])[] {
  return keys.map((key) => [`${prefix}.${key}`, settings?.[key]])
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
}

/** @throws ConfigError that names the setting, where a file is not there or not readable */
export async function checkReadable(files: readonly SettingFile[]): Promise<void> {
  for (const { setting, file } of files) {
    try {
      await readFile(file)
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
      throw new ConfigError(`${setting}: ${path.resolve(file)} cannot be read: ${reasons[code] ?? code}`, { cause })
    }
  }
}
