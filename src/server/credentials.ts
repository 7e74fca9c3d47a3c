/** The identities of this configuration, read again from their files when they change. */
import type { Caller } from '../access/caller.ts'
import { createIdentity, createOnceOnly, type OnceOnly } from '../identity/index.ts'
import { type LocalIssuer, openLocalIssuer } from '../identity/issuer.ts'
import type { Identity } from '../operations/ports.ts'
import type { Config } from './config.ts'
import { checkReadable, credentialFiles } from './files.ts'

export interface Credentials {
  /** Always the one that was read last. */
  readonly identity: Identity
  /** Reads every file again. When one cannot be used it throws, and nothing changes. */
  reload(): Promise<void>
}

/**
 * @param data data folder: in development the local issuer lives there
 * @throws ConfigError or Error for the operator, that names the setting or the file at fault
 */
export async function openCredentials(config: Config, data: string): Promise<Credentials> {
  await checkReadable(credentialFiles(config))
  // The local issuer is neither made nor trusted in production
  const issuer = config.mode === 'development' ? await openLocalIssuer(data) : undefined
  const onceOnly = createOnceOnly(Date.now())
  const read = () => identityOf(config, issuer, onceOnly)
  let current = await read()
  return {
    identity: {
      fromBearer: (...args) => current.fromBearer(...args),
      fromAssertion: (...args) => current.fromAssertion(...args),
      fromConnection: (socket) => current.fromConnection(socket),
      anonymous: () => current.anonymous(),
    },
    async reload() {
      current = await read()
    },
  }
}

function identityOf(
  { identity, mode }: Config,
  issuer: LocalIssuer | undefined,
  onceOnly: OnceOnly,
): Promise<Identity> {
  const { certificates, ...vihf } = identity.vihf
  return createIdentity({
    mode,
    issuer,
    onceOnly,
    audience: identity.audience,
    clockSkewSeconds: identity.clockSkewSeconds,
    vihf,
    trustedJwtIssuers: identity.jwt.map(defined),
    trustedVihf: certificates.map((certificate) => ({ certificate })),
    trustedXua: identity.xua.map(defined),
    certificates: identity.mtls,
    ...(identity.anonymous === 'loopback' && { anonymous: tester }),
  })
}

/** Without what is undefined: an optional setting that was not given. */
function defined<T extends object>(settings: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** Conformance mode: requests from loopback without credentials act as this fixed test professional. */
const tester: Caller = {
  kind: 'tester',
  authentication: 'direct',
  person: { id: '899700000000', name: 'TESTEUR Conformité' },
  structure: { id: '1010000000', name: 'CONFORMITE' },
  profession: { code: '10', system: '1.2.250.1.71.1.2.7', display: 'Médecin' },
  specialities: [],
  purposeOfUse: 'normal',
  regulation: false,
  secretConnection: false,
  proof: 'anonymous',
}
