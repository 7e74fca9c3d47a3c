/** A real Audit Record Repository for syslog over TLS (RFC 5425), on a port of this machine: reads frames, keeps messages. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import { aServerCertificate, type Certified } from './pki.ts'

export interface SyslogReceiver {
  readonly port: number
  /** Messages in the order they came, over all connections. */
  readonly messages: string[]
  /** Common name of the client certificate of each connection, '' without one. */
  readonly clients: string[]
  /** Breaks each connection once it has read so many messages of it; undefined: none. */
  breakAfter: number | undefined
  /** Keeps connections open although the sender has ended. */
  deaf: boolean
  close(): Promise<void>
}

export interface ReceiverForm {
  /** The authority of its own certificate. */
  readonly root: Certified
  /** Authority of client certificates, which are then required. */
  readonly clients?: Certified
  readonly port?: number
}

export async function startSyslogReceiver({ root, clients, port = 0 }: ReceiverForm): Promise<SyslogReceiver> {
  const own = await aServerCertificate(root)
  const sockets = new Set<Socket>()
  const receiver = { messages: [] as string[], clients: [] as string[], breakAfter: undefined, deaf: false }
  const state: Omit<SyslogReceiver, 'port' | 'close'> = receiver
  const server = createServer(
    {
      key: own.keyPem,
      cert: own.pem,
      allowHalfOpen: true,
      ...(clients && { ca: clients.pem, requestCert: true, rejectUnauthorized: true }),
    },
    (socket) => {
      state.clients.push(/CN=([^\n]*)/.exec(socket.getPeerX509Certificate()?.subject ?? '')?.[1] ?? '')
      let buffer = Buffer.alloc(0)
      let seen = 0
      socket.on('data', (chunk: Buffer) => {
        buffer = Buffer.concat([buffer, chunk])
        for (;;) {
          const space = buffer.indexOf(0x20)
          const length = Number(buffer.subarray(0, Math.max(0, space)).toString())
          if (space < 1 || buffer.length < space + 1 + length) return
          if (state.breakAfter !== undefined && seen >= state.breakAfter) {
            socket.destroy()
            return
          }
          state.messages.push(buffer.subarray(space + 1, space + 1 + length).toString())
          seen++
          buffer = buffer.subarray(space + 1 + length)
        }
      })
      socket.on('end', () => {
        if (!state.deaf) socket.end()
      })
      socket.on('error', () => {})
    },
  )
  server.on('tlsClientError', () => {})
  // Raw ones: a handshake that fails leaves no other
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(state, {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  })
}

/** Header fields of RFC 5424 and the message. */
export function parseSyslog(message: string) {
  const [, pri, version, timestamp, host, app, processId, messageId, data, text] =
    /^<(\d+)>(\d+) (\S+) (\S+) (\S+) (\S+) (\S+) (-|\[.*?\]) (.*)$/s.exec(message) ?? []
  return { pri, version, timestamp, host, app, processId, messageId, data, text: text ?? '' }
}

/** The sequence that a message carries as a detail. */
export function sequenceOf(message: string): number {
  const [, value = ''] = /type="sequence" value="([^"]+)"/.exec(message) ?? []
  return Number(Buffer.from(value, 'base64').toString())
}
