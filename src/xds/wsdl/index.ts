/** `?wsdl` and `?xsd=NAME`: what the two services are, with the address they were asked at. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { escapeAttribute } from '../../xml/writer.ts'
import type { Actor } from '../ebrim/response.ts'
import { schemaFiles } from '../schema/index.ts'

/** Where the descriptions lie; they are read from disk, never from the network. */
export const wsdlFile = (endpoint: Actor): string => path.join(import.meta.dirname, `${endpoint}.wsdl`)

const address = /http:\/\/localhost\/xds\/\w+/
const schemaPlace = /schemaLocation="(?:\.\.\/schema\/)?([\w-]+\.xsd)"/g
/** A Host header as RFC 9110 has it; anything else is not repeated. */
const host = /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/**
 * Answers `GET …?wsdl` and `GET …?xsd=NAME`; false: the request is something else.
 * @param baseUrl URL in front of `/xds`; from the request's Host when absent
 */
export type Describe = (endpoint: Actor, request: IncomingMessage, response: ServerResponse) => boolean

export function createDescriptions(baseUrl: string | undefined): Describe {
  const texts = new Map<string, string>(
    (['registry', 'repository'] as const).map((endpoint) => [endpoint, readFileSync(wsdlFile(endpoint), 'utf8')]),
  )
  for (const [name, content] of Object.entries(schemaFiles)) texts.set(name, content.toString('utf8'))
  return (endpoint, request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const asked = /\?(?:(wsdl)|xsd=([\w.-]{1,40}))$/i.exec(request.url ?? '')
    if (asked === null) return false
    const text = texts.get(asked[2] ?? endpoint)
    if (text === undefined) {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('There is no such schema.\n')
      return true
    }
    const at = escapeAttribute(`${baseUrl ?? originOf(request)}/xds/${endpoint}`)
    const placed = text
      .replace(address, () => at)
      .replace(schemaPlace, (_, name) => `schemaLocation="${at}?xsd=${name}"`)
    response.writeHead(200, { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': Buffer.byteLength(placed) })
    response.end(request.method === 'HEAD' ? undefined : placed)
    return true
  }
}

function originOf(request: IncomingMessage): string {
  const scheme = 'encrypted' in request.socket ? 'https' : 'http'
  const sent = request.headers.host ?? ''
  return `${scheme}://${host.test(sent) ? sent : 'localhost'}`
}
