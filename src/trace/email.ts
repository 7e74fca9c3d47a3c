/**
 * Notifications by e-mail (R.1111-48 CSP: told afterwards, electronically). One message for each, plain text, in French; to
 * physicians only where their address is configured, which should be one of MSSanté.
 */
import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { splitPatientKey } from '../metadata/identifiers.ts'
import { frenchTime } from '../operations/wording.ts'
import type { Attempt, Channel, Notice } from './notifier.ts'

export interface EmailOptions {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (465); otherwise STARTTLS, which is required unless `plain`. */
  readonly secure: boolean
  /** No TLS at all: a relay on this machine. */
  readonly plain?: boolean
  readonly ca?: Buffer | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** Address of the sender. */
  readonly from: string
  /** Addresses by PS_IdNat; of structures by Struct_IdNat. */
  readonly professionals?: ReadonlyMap<string, string>
  /** Whether physicians are told whom it is about, in the message itself. */
  readonly identifyPatient?: boolean
  /** Milliseconds for one step of the conversation; default 20000. */
  readonly timeout?: number
}

const subjects: Readonly<Record<Notice['kind'], string>> = {
  'first-consultation': 'Première consultation de votre dossier médical',
  'emergency-access': 'Accès en urgence à un dossier médical',
  feed: 'Nouveau document dans votre dossier médical',
  'hidden-document': 'Un document vous sera expliqué',
  'visibility-change': 'Visibilité d’un document de votre dossier médical',
  'brain-death': 'Dossier médical d’un de vos patients',
  rectification: 'Demande de rectification d’un document',
}

export function emailChannel(options: EmailOptions): Channel {
  const recipients = ({ recipient, email, physicians, authors }: Notice): readonly string[] =>
    recipient === 'patient'
      ? [email ?? []].flat()
      : (recipient === 'author' ? authors : physicians).flatMap((id) => options.professionals?.get(id) ?? [])
  return {
    name: 'email',
    reaches: (notice) => recipients(notice).length > 0,
    async send(notice, signal) {
      const to = [...new Set(recipients(notice))]
      const message = await compose(notice, to, options)
      return converse(options, { from: options.from, to: [...to] }, message, signal)
    },
  }
}

function compose(notice: Notice, to: readonly string[], options: EmailOptions): Promise<Buffer> {
  const domain = options.from.slice(options.from.lastIndexOf('@') + 1)
  // The same for the same notice: a mail system that sees it again can tell. Nothing of the record can be read from it
  const id = createHash('sha256').update(`${notice.no} ${notice.at} ${notice.patient}`).digest('hex').slice(0, 32)
  return new MailComposer({
    from: options.from,
    to: [...to],
    subject: subjects[notice.kind],
    text: textOf(notice, options),
    messageId: `<dmp-${id}@${domain}>`,
    date: new Date(),
    // RFC 3834: nobody answers this, no absence message either
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    textEncoding: 'base64',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build()
}

function textOf(notice: Notice, { identifyPatient = false }: EmailOptions): string {
  const { authority, id } = splitPatientKey(notice.patient)
  const about = notice.recipient !== 'patient' && identifyPatient ? [`Patient : INS ${id} (${authority})`, ''] : []
  const where =
    notice.recipient === 'patient'
      ? 'Vous pouvez consulter l’historique des accès à votre dossier et régler qui peut y accéder.'
      : 'Vous pouvez consulter l’historique des accès au dossier de votre patient.'
  return [
    'Bonjour,',
    '',
    `Le ${frenchTime(notice.at)} : ${notice.text}`,
    '',
    ...about,
    where,
    '',
    'Ce message est envoyé automatiquement, n’y répondez pas.',
    '',
  ].join('\n')
}

interface Envelope {
  readonly from: string
  readonly to: string[]
}

/** Up to MAIL FROM nothing has left; from there on only an answer of the server says what became of the message. */
async function converse(
  options: EmailOptions,
  envelope: Envelope,
  message: Buffer,
  signal: AbortSignal,
): Promise<Attempt> {
  const { timeout = 20_000, ca, user, password } = options
  const connection = new SMTPConnection({
    host: options.host,
    port: options.port,
    secure: options.secure,
    ...(options.plain ? { ignoreTLS: true } : options.secure ? {} : { requireTLS: true }),
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
  })
  const failed = new Promise<SMTPConnection.SMTPError>((resolve) => {
    connection.once('error', resolve)
    signal.addEventListener('abort', () => resolve(new Error('stopped')), { once: true })
  })
  const step = (start: (done: (error?: SMTPConnection.SMTPError | null) => void) => void) =>
    Promise.race([
      failed,
      new Promise<SMTPConnection.SMTPError | undefined>((resolve) => start((error) => resolve(error ?? undefined))),
    ])
  try {
    const notConnected = await step((done) => connection.connect(done))
    if (notConnected) return 'later'
    if (user !== undefined) {
      const credentials = { user, pass: password ?? '' }
      const notKnown = await step((done) => connection.login(credentials, done))
      if (notKnown) return 'later'
    }
    const notSent = await step((done) => connection.send(envelope, message, done))
    return notSent === undefined ? 'sent' : verdict(notSent)
  } finally {
    connection.close()
  }
}

/** RFC 5321 4.2.1: 4yz may come again, 5yz never. No answer: it may have been taken. */
function verdict({ responseCode }: SMTPConnection.SMTPError): Attempt {
  if (responseCode === undefined) return 'uncertain'
  return responseCode >= 500 ? 'refused' : 'later'
}
