import { IncomingMessage, type ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Caller } from '../../access/caller.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import type { Clock, Identity } from '../../operations/ports.ts'
import { XmlError } from '../../xml/reader.ts'
import type { XmlElement } from '../../xml/tree.ts'
import { answerFault, answerRegistry } from './answers.ts'
import { Check } from './check.ts'
import { type Framed, readFrame, type ServiceName } from './frame.ts'
import { checkPatientQuery, type PatientQuestion } from './hl7.ts'
import { checkListAuthorization, checkPatientList, checkSetAuthorization } from './proprietary.ts'
import { type Asked, checkQuery, checkRetrieve } from './query.ts'
import { checkProvide } from './submission.ts'
import { checkUpdate } from './update.ts'
import { checkRights, readVihf, type Td, type Vihf } from './vihf.ts'
import { documentBytes, readWire, Unreadable, type WireMessage } from './wire.ts'

/** A request that broke no rule. */
export interface Admitted {
  readonly service: ServiceName
  readonly td: Td
  readonly vihf: Vihf
  readonly caller: Caller
  readonly messageId: string
  readonly packaging: WireMessage['packaging']
  readonly body: XmlElement
  /** TD0.2 and TD1.3a. */
  readonly question?: PatientQuestion
  /** The same request, to be read again by the XDS.b door. */
  again(): IncomingMessage
}

export interface GateParts {
  readonly identity: Identity
  readonly clock: Clock
  /** Struct_IdNat of the sites of the legal entity of the certificate (EG under an EJ certificate). */
  readonly sites: readonly string[]
}

export type Gate = (
  request: IncomingMessage,
  response: ServerResponse,
  service: ServiceName,
) => Promise<Admitted | undefined>

/** Ids of assertions and messages that are remembered. */
const remembered = 100_000

/** @returns what admits a request, or answers it with what it breaks */
export function createGate(parts: GateParts): Gate {
  const used = new Set<string>()
  const messages = new Set<string>()
  const onlyOnce = (seen: Set<string>, id: string): boolean => {
    if (seen.has(id)) return false
    seen.add(id)
    const [oldest] = seen
    if (seen.size > remembered && oldest !== undefined) seen.delete(oldest)
    return true
  }
  return async (request, response, service) => {
    const check = new Check()
    let message: WireMessage
    try {
      message = await readWire(request, check)
    } catch (error) {
      if (!(error instanceof Unreadable || error instanceof XmlError)) throw error
      answerFault(response, 'Malformed', [{ rule: '§1', text: error.message }])
      return undefined
    }
    const url = `https://${request.headers.host ?? ''}${request.url ?? ''}`
    const framed = readFrame(message, service, url, check)
    if (framed === undefined || check.breaches.length > 0) {
      answerFault(response, 'DMPInvalidMessage', check.breaches, framed?.messageId)
      return undefined
    }
    const { messageId } = framed
    check.that(onlyOnce(messages, messageId), '§1.2 MessageID', 'déjà reçu')
    const vihf = readVihf(framed.assertion, parts.clock.now(), check)
    check.that(onlyOnce(used, vihf.id), 'DMP-FACTS §2.1 ID', 'une assertion sert une fois')
    check.that(
      structuresOf(request.socket as TLSSocket, parts.sites).includes(vihf.structure),
      'DMP-FACTS §1.1',
      'Identifiant_Structure n’est ni l’entité juridique du certificat ni un de ses sites',
    )
    const caller = await verified(parts.identity, framed.assertion, check)
    if (caller === undefined || check.breaches.length > 0) {
      answerFault(response, 'DMPInvalidVIHF', check.breaches, messageId)
      return undefined
    }
    const bodyCheck = new Check()
    const asked = checkBody(framed, message, vihf, bodyCheck)
    const rights = new Check()
    if (asked) checkRights(vihf, asked.td, asked.patients, rights)
    const refused = rights.breaches.filter(({ code }) => code === undefined)
    const wrong = [...bodyCheck.breaches, ...rights.breaches.filter(({ code }) => code !== undefined)]
    const registry = service === 'registry' || service === 'repository'
    if (refused.length > 0) answerFault(response, 'DMPAccessDeniedByRightsService', refused, messageId)
    else if (wrong.length > 0 && registry) answerRegistry(response, framed, message.packaging, wrong)
    else if (wrong.length > 0) answerFault(response, 'DMPInvalidMessage', wrong, messageId)
    else
      return {
        ...{ service, td: asked.td, vihf, caller, messageId, packaging: message.packaging, body: framed.body },
        ...('reason' in asked && { question: asked as PatientQuestion }),
        again: () => replay(request, message.bytes),
      }
    return undefined
  }
}

function checkBody({ operation, body }: Framed, message: WireMessage, vihf: Vihf, check: Check): Asked {
  switch (operation.body.local) {
    case 'PRPA_IN201307UV02':
      return checkPatientQuery(body, check)
    case 'setAuthorization':
      return checkSetAuthorization(body, check)
    case 'listAuthorizationByPatient':
      return checkListAuthorization(body, check)
    case 'patientList':
      return checkPatientList(body, vihf, check)
    case 'ProvideAndRegisterDocumentSetRequest':
      return { td: 'TD2.1', patients: checkProvide(body, (each) => documentBytes(message, each), vihf, check) }
    case 'RetrieveDocumentSetRequest':
      return checkRetrieve(body, check)
    case 'AdhocQueryRequest':
      return checkQuery(body, check)
    default:
      return checkUpdate(body, check)
  }
}

/** The signature of the VIHF, its trust, and the caller in it. */
async function verified(identity: Identity, assertion: XmlElement, check: Check): Promise<Caller | undefined> {
  try {
    if (assertion.source === undefined) throw new GatewayError('identity-missing')
    return await identity.fromAssertion(assertion.source)
  } catch (error) {
    const [issue] = toGatewayError(error).issues
    check.that(false, 'DMP-FACTS §2', issue.detail ?? issue.code)
    return undefined
  }
}

/** The structure that the client certificate was issued to (OU), and its sites. */
function structuresOf(socket: TLSSocket, sites: readonly string[]): readonly string[] {
  const units = socket.getPeerCertificate().subject?.OU ?? []
  return [...(Array.isArray(units) ? units : [units]), ...sites]
}

function replay({ socket, method, url, headers }: IncomingMessage, bytes: Buffer): IncomingMessage {
  const again = new IncomingMessage(socket)
  again.method = method
  again.url = url
  again.headers = { ...headers }
  again.complete = true
  again.push(bytes)
  again.push(null)
  return again
}
