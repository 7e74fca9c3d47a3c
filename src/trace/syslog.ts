/**
 * ITI-20 over syslog: RFC 5424 messages, octet-counted on TLS (RFC 5425), to an Audit Record Repository.
 *
 * Syslog acknowledges nothing, and bytes handed to a dead connection are lost without a word. So a batch has a connection
 * of its own, which this side ends after the last message and a pause in which a broken one would show: once the receiver
 * has ended its side in turn, without an error, it has read what came before. Until then nothing counts as sent.
 */

import { once } from 'node:events'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { connect, type TLSSocket } from 'node:tls'
import type { TracedRecord } from '../operations/ports.ts'
import { type AuditSource, writeAuditMessage } from './dicom.ts'
import { DeliveryError, type Destination, type Refused } from './export.ts'

export interface SyslogOptions {
  readonly host: string
  readonly port: number
  /** Authorities of the receiver, PEM; default those of Node. */
  readonly ca?: Buffer | undefined
  /** Of this node (ATNA: mutual authentication), PEM. */
  readonly certificate?: Buffer | undefined
  readonly key?: Buffer | undefined
  readonly source: AuditSource
  /** Milliseconds for a connection, from the first byte to the close of the receiver; default 30000. */
  readonly timeout?: number
}

/** ITI TF-2 3.20.4.1.2: facility 10 (security, authorization), severity 5 (notice). */
const priority = 10 * 8 + 5
/** ITI TF-2 3.20.4.1.2, for the schema of RFC 3881 and that of DICOM. */
const messageId = 'IHE+RFC-3881'

export function syslogDestination(options: SyslogOptions): Destination {
  const { timeout = 30_000 } = options
  const host = printable(hostname(), 255)
  return {
    name: 'syslog',
    batch: 200,
    async send(records, signal) {
      const refused: Refused[] = []
      const frames: Buffer[] = []
      for (const each of records)
        try {
          frames.push(frame(formatSyslog(each, host, options.source)))
        } catch {
          // One record must not keep all that follow
          refused.push({ sequence: each.sequence, reason: 'cannot be written as an audit message' })
        }
      const socket = open(options)
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
      const stop = (): void => {
        socket.destroy(new DeliveryError(signal.aborted ? 'stopped' : `not confirmed within ${timeout} ms`))
      }
      limit.addEventListener('abort', stop)
      try {
        await deliver(socket, frames)
      } finally {
        limit.removeEventListener('abort', stop)
        socket.destroy()
      }
      return { through: records.at(-1)?.sequence ?? 0, refused }
    },
  }
}

function open({ host, port, ca, certificate, key }: SyslogOptions): TLSSocket {
  return connect({
    host,
    port,
    // RFC 6066: a server name is no address
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    minVersion: 'TLSv1.2',
  })
}

/** Least wait for a receiver that breaks off, milliseconds. */
const shortestSettling = 50

async function deliver(socket: TLSSocket, frames: readonly Buffer[]): Promise<void> {
  const started = performance.now()
  // Each of these rejects, whatever is awaited at the time, when the connection fails
  const ended = once(socket, 'end')
  const cut = once(socket, 'close').then(() => {
    throw new DeliveryError('the receiver broke the connection')
  })
  const endedEarly = ended.then(early)
  for (const each of [ended, cut, endedEarly]) each.catch(() => {})
  await Promise.race([once(socket, 'secureConnect'), cut])
  const roundTrips = performance.now() - started
  // Nothing is ever answered; what comes all the same is read so that the end can be seen
  socket.resume()
  for (const each of frames) if (!socket.write(each)) await Promise.race([once(socket, 'drain'), endedEarly, cut])
  // A receiver that breaks off in the middle says so by now: its end must not be taken for an answer to ours
  const settled = new Promise<void>((resolve) => setTimeout(resolve, Math.max(shortestSettling, roundTrips)))
  await Promise.race([settled, endedEarly, cut])
  const flushed = new Promise<void>((resolve) => socket.end(resolve))
  await Promise.race([flushed, cut])
  await Promise.race([ended, cut])
}

function early(): never {
  throw new DeliveryError('the receiver closed before it had everything')
}

/** One message: header, no structured data, the audit message in UTF-8 without a byte order mark. */
export function formatSyslog(traced: TracedRecord, host: string, source: AuditSource): string {
  const header = `<${priority}>1 ${traced.record.at} ${host} dmp-gateway ${process.pid} ${messageId} -`
  return `${header} <?xml version="1.0" encoding="UTF-8"?>${writeAuditMessage(traced, source)}`
}

/** RFC 5425 4.3: length in octets, a space, the message. */
function frame(message: string): Buffer {
  const bytes = Buffer.from(message)
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes])
}

/** RFC 5424 6: printable US-ASCII, or the nil value. */
function printable(text: string, max: number): string {
  const kept = text.replace(/[^\x21-\x7e]/g, '').slice(0, max)
  return kept === '' ? '-' : kept
}
