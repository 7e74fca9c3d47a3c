/** What a connector reads from files, with the connections that are made under it: read again on demand, whole or not at all. */
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import type { KeyPair } from './key-pair.ts'

export interface Reloading {
  /** @throws Error that names the file at fault; nothing changes then */
  reload(): Promise<void>
  close(): void
}

/**
 * What `read` gives, each property as it was read last.
 * @throws what `read` throws
 */
export async function reloadable<T extends { readonly agent: Agent }>(read: () => Promise<T>): Promise<T & Reloading> {
  let current = await read()
  const live: Reloading = {
    async reload() {
      const fresh = await read()
      const old = current
      current = fresh
      // Exchanges under way keep their sockets until they are done; idle ones of the old certificate are closed
      old.agent.maxFreeSockets = 0
      for (const socket of Object.values(old.agent.freeSockets).flat()) socket?.destroy()
    },
    close: () => current.agent.destroy(),
  }
  for (const name of Object.keys(current) as (keyof T)[])
    Object.defineProperty(live, name, { enumerable: true, get: () => current[name] })
  return live as T & Reloading
}

/** Mutual TLS with a DMP. @param authorities files: what its own certificate is checked against */
export async function agentOf(
  pair: Pick<KeyPair, 'keyPem' | 'certificatePem'>,
  authorities: readonly string[],
  maxSockets: number,
): Promise<Agent> {
  return new Agent({
    keepAlive: true,
    maxSockets,
    scheduling: 'lifo',
    minVersion: 'TLSv1.2',
    key: pair.keyPem,
    cert: pair.certificatePem,
    ca: await Promise.all(authorities.map((file) => readFile(file))),
  })
}
