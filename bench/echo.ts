/**
 * The limit the doors are measured against: bare node:http that takes a request to its end and sends prepared bytes.
 * Run as a process of its own; its parent says what to answer, by message, and hears the port.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface EchoAnswer {
  readonly contentType: string
  /** base64. */
  readonly body: string
}

let contentType = 'text/plain'
let body = Buffer.alloc(0)

process.on('message', (answer: EchoAnswer) => {
  contentType = answer.contentType
  body = Buffer.from(answer.body, 'base64')
  process.send?.('ready')
})
// Its parent may have ended without a word
process.on('disconnect', () => process.exit(0))

const server = createServer((request, response) => {
  request.on('data', () => {})
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': body.length })
    response.end(body)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
