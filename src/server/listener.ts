/** The listening server: plain, TLS, or mutual TLS, whose files can be read again while it runs. */
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import type { Alerts } from '../operations/ports.ts'
import { type Config, ConfigError } from './config.ts'

export interface Listener {
  readonly server: Server
  /** Throws when the files cannot be used; connections then go on with what was read before. */
  reload(): Promise<void>
}

type Tls = NonNullable<Config['server']['tls']>

/** S579: TLS 1.2 and above; the suites of the national DMP are among those of Node. */
const minVersion = 'TLSv1.2'

export async function createListener(
  { server: { tls } }: Config,
  alerts: Alerts,
  listener: RequestListener,
): Promise<Listener> {
  if (!tls) return { server: createServer(listener), reload: async () => {} }
  const requestCert = tls.clientAuthorities.length > 0
  const server = createTlsServer(
    {
      ...(await contextOf(tls)),
      requestCert,
      // With `request` a caller may come without; one that comes with a certificate that is not trusted is refused by
      // identity/, which sees that the connection is not authorized
      rejectUnauthorized: requestCert && tls.clientCertificates === 'require',
    },
    listener,
  )
  // Asked for now, an address is still known when the connection is gone
  server.on('connection', ({ remoteAddress }: Socket) => remoteAddress)
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    if (isAboutCertificate(error, socket))
      alerts.authenticationFailed({ door: 'tls', reason: 'node-certificate', client: addressOf(socket) })
  })
  return {
    server,
    async reload() {
      server.setSecureContext(await contextOf(tls))
    },
  }
}

/** @throws ConfigError when they cannot serve together: before anything changes */
async function contextOf({ key, certificate, clientAuthorities, revocationLists }: Tls): Promise<SecureContextOptions> {
  const all = (files: readonly string[]) => Promise.all(files.map((file) => readFile(file)))
  const context = {
    key: await readFile(key),
    cert: await readFile(certificate),
    minVersion,
    ...(clientAuthorities.length > 0 && { ca: await all(clientAuthorities) }),
    ...(revocationLists.length > 0 && { crl: await all(revocationLists) }),
  } as const
  try {
    createSecureContext(context)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unreadable'
    throw new ConfigError(
      `server.tls: key, certificate, clientAuthorities and revocationLists cannot be used together: all are PEM, and the certificate is that of the key (${reason})`,
      { cause },
    )
  }
  return context
}

/** Node closes the connection before it tells: the address is then that of the socket below, which keeps it. */
function addressOf(socket: TLSSocket): string {
  const below: unknown = Reflect.get(socket, '_parent')
  return socket.remoteAddress ?? (below instanceof Socket ? below.remoteAddress : undefined) ?? 'unknown'
}

/** Node ends such a connection itself: the verdict is on the socket, or in the error of OpenSSL. */
function isAboutCertificate(error: Error, { authorizationError }: TLSSocket): boolean {
  return Boolean(authorizationError) || ('code' in error && /CERTIFICATE/.test(String(error.code)))
}
