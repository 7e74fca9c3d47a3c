/** What the identity tests share: one development issuer in a temporary folder, a clock, and how a refusal is checked. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'mocha'
import { type ErrorCode, GatewayError } from '../../src/errors.ts'
import { createIdentity, type IdentityOptions, type LocalIssuer, openLocalIssuer } from '../../src/identity/index.ts'
import type { Clock, Identity } from '../../src/operations/ports.ts'

export const now = new Date(Math.floor(Date.now() / 1000) * 1000)

export interface TestClock extends Clock {
  /** Seconds from `now`. */
  offset: number
}

export function testClock(): TestClock {
  return {
    offset: 0,
    now() {
      return new Date(now.getTime() + this.offset * 1000)
    },
  }
}

let opened: Promise<LocalIssuer> | undefined
const folder = mkdtemp(path.join(tmpdir(), 'dmp-gateway-identity-'))
after(async () => rm(await folder, { recursive: true, force: true }))

/** Made once for all tests: RSA keys take a while. Its certificate is valid now, so times of tests are near now. */
export function anIssuer(): Promise<LocalIssuer> {
  opened ??= folder.then(openLocalIssuer)
  return opened
}

export async function anIdentity(changes: Partial<IdentityOptions> = {}): Promise<Identity> {
  return createIdentity({ mode: 'development', issuer: await anIssuer(), ...changes })
}

/** Checks that something is refused with this code and a detail that says this. */
export async function refused(
  attempt: Promise<unknown>,
  detail: RegExp,
  code: ErrorCode = 'identity-invalid',
): Promise<void> {
  await assert.rejects(attempt, (error: unknown) => {
    assert.ok(error instanceof GatewayError, String(error))
    assert.equal(error.code, code)
    assert.match(error.issues[0].detail ?? '', detail)
    return true
  })
}
