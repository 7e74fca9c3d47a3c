/** A real SMTP server on a port of this machine: TLS by STARTTLS or from the first byte, messages kept as they came. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { aServerCertificate, type Certified } from './pki.ts'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
}

export interface MailServer {
  readonly port: number
  readonly mails: Mail[]
  /** Answers to the next messages, first for the next: a status and text, `drop` to break off after the message, `hang` to say nothing. */
  readonly answers: (readonly [status: number, text: string] | 'drop' | 'hang')[]
  /** What RCPT TO of an address is answered. */
  readonly rejected: Map<string, number>
  close(): Promise<void>
}

export interface MailServerForm {
  /** The authority of its certificate; absent: no TLS. */
  readonly root?: Certified
  readonly secure?: boolean
  readonly user?: string
  readonly password?: string
  readonly port?: number
}

export async function startMailServer({
  root,
  secure = false,
  user,
  password,
  port = 0,
}: MailServerForm = {}): Promise<MailServer> {
  const own = root && (await aServerCertificate(root))
  const mails: Mail[] = []
  const answers: MailServer['answers'] = []
  const rejected = new Map<string, number>()
  const server = new SMTPServer({
    secure,
    closeTimeout: 100,
    ...(own ? { key: own.keyPem, cert: own.pem } : { hideSTARTTLS: true }),
    ...(user === undefined ? { authOptional: true, disabledCommands: ['AUTH'] } : {}),
    logger: false,
    onAuth(auth, _session, callback) {
      if (auth.username === user && auth.password === password) callback(null, { user: auth.username })
      else callback(Object.assign(new Error('no'), { responseCode: 535 }))
    },
    onRcptTo({ address }, _session, callback) {
      const status = rejected.get(address)
      callback(status === undefined ? null : Object.assign(new Error('no such mailbox'), { responseCode: status }))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const answer = answers.shift()
        const mail = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
        }
        if (typeof answer !== 'object') mails.push(mail)
        if (answer === 'hang') return
        if (answer === 'drop') for (const connection of server.connections) connection._socket?.destroy()
        else if (answer === undefined) callback(null, 'taken')
        else callback(Object.assign(new Error(answer[1]), { responseCode: answer[0] }))
      })
    },
  })
  server.on('error', () => {})
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    answers,
    rejected,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** The text of a message in base64. */
export function bodyOf({ raw }: Mail): string {
  const [, body = ''] = raw.split(/\r\n\r\n/)
  return Buffer.from(body, 'base64').toString()
}

export function headerOf({ raw }: Mail, name: string): string | undefined {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]
}
