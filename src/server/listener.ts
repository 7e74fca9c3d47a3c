/** The listening server: plain, TLS, or mutual TLS, whose files can be read again while it runs. */
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Config } from './config.ts'

export interface Listener {
  readonly server: Server
  /** Throws when the files cannot be used; connections then go on with what was read before. */
  reload(): Promise<void>
}

type Tls = NonNullable<Config['server']['tls']>

/** S579: TLS 1.2 and above; the suites of the national DMP are among those of Node. */
const minVersion = 'TLSv1.2'

export async function createListener({ server: { tls } }: Config, listener: RequestListener): Promise<Listener> {
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
  return {
    server,
    async reload() {
      const context = await contextOf(tls)
      // Throws here, before anything changes, when key and certificate do not belong together
      createSecureContext(context)
      server.setSecureContext(context)
    },
  }
}

async function contextOf({ key, certificate, clientAuthorities, revocationLists }: Tls): Promise<SecureContextOptions> {
  const all = (files: readonly string[]) => Promise.all(files.map((file) => readFile(file)))
  return {
    key: await readFile(key),
    cert: await readFile(certificate),
    minVersion,
    ...(clientAuthorities.length > 0 && { ca: await all(clientAuthorities) }),
    ...(revocationLists.length > 0 && { crl: await all(revocationLists) }),
  }
}
