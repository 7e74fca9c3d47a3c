/**
 * The contract check at start: what the WSDLs promise is what the transactions take, action by action and element by
 * element. node-soap reads the WSDLs as a client would, from disk.
 */
import type { BindingElement } from 'soap/lib/wsdl/elements.js'
import type { WSDL } from 'soap/lib/wsdl/index.js'
import type { Transaction } from '../transaction.ts'
import { wsdlFile } from './index.ts'

/** @throws Error that names what differs: the gateway does not start with a description that lies. */
export async function compareContract(transactions: readonly Transaction[]): Promise<void> {
  const promised = new Set<string>()
  for (const endpoint of ['registry', 'repository'] as const)
    for (const { methods } of await portsOf(wsdlFile(endpoint)))
      for (const { soapAction, input } of Object.values(methods))
        promised.add(`${endpoint}: ${soapAction} takes {${input?.targetNamespace}}${input?.$name}`)
  const kept = new Set(
    transactions.map(
      ({ endpoint, requestAction, requestElement }) =>
        `${endpoint}: ${requestAction} takes {${requestElement.ns}}${requestElement.local}`,
    ),
  )
  const broken = [
    ...[...promised].filter((each) => !kept.has(each)).map((each) => `only in the WSDL: ${each}`),
    ...[...kept].filter((each) => !promised.has(each)).map((each) => `not in the WSDL: ${each}`),
  ]
  if (broken.length > 0) throw new Error(`the WSDLs and the transactions differ: ${broken.join('; ')}`)
}

async function portsOf(file: string): Promise<readonly BindingElement[]> {
  // Only here: it would cost every command of the house a tenth of a second
  const { open_wsdl: open } = await import('soap/lib/wsdl/index.js')
  const wsdl = await new Promise<WSDL>((resolve, reject) => {
    open(file, (error: unknown, read) => (read ? resolve(read) : reject(error)))
  })
  return Object.values(wsdl.definitions.services).flatMap(({ ports }) =>
    Object.values(ports).map(({ binding }) => binding),
  )
}
