import assert from 'node:assert/strict'
import { GatewayError } from '../../src/errors.ts'
import { createOnceOnly, type LocalIssuer } from '../../src/identity/index.ts'
import { anIdentity, anIssuer, now, refused, testClock } from './support.ts'
import { alone, defaults, signed } from './vihf-support.ts'

describe('an assertion that may be used once', () => {
  let issuer: LocalIssuer
  before(async () => {
    issuer = await anIssuer()
  })

  const once = (changes = {}) => anIdentity({ vihf: { refuseReplay: true }, clock: testClock(), ...changes })

  it('is refused the second time, as a header and as a bearer token', async () => {
    const identity = await once()
    const xml = signed(issuer)
    assert.equal((await identity.fromAssertion(alone(xml))).kind, 'professional')
    await refused(identity.fromAssertion(alone(xml)), /used before/)
    await refused(identity.fromBearer(Buffer.from(xml).toString('base64url')), /used before/)
  })

  it('is refused the second time when its characters differ and its signature holds', async () => {
    const identity = await once()
    const xml = signed(issuer)
    await identity.fromAssertion(alone(xml))
    await refused(identity.fromAssertion(alone(xml.replace(/ Version="2.0"/, "   Version='2.0'"))), /used before/)
  })

  it('is not used up by a forgery that bears its identifier', async () => {
    const identity = await once()
    const xml = signed(issuer)
    const forged = xml.replace('899700000001', '899700000009')
    assert.notEqual(forged, xml)
    await refused(identity.fromAssertion(alone(forged)), /digest/)
    assert.equal((await identity.fromAssertion(alone(xml))).kind, 'professional')
  })

  it('is refused after a restart when it was issued before', async () => {
    const xml = signed(issuer, undefined, { ...defaults, now: new Date(now.getTime() - 5000) })
    await refused((await once()).fromAssertion(alone(xml)), /before this service started/)
  })

  it('may be used often where nothing says otherwise', async () => {
    const identity = await anIdentity()
    const xml = signed(issuer)
    await identity.fromAssertion(alone(xml))
    assert.equal((await identity.fromAssertion(alone(xml))).kind, 'professional')
  })
})

describe('the memory of what was used', () => {
  it('forgets what has expired, and refuses when it is full rather than forget what has not', () => {
    const memory = createOnceOnly(0, 2)
    memory.claim('a', 1, 1000, 1)
    memory.claim('b', 1, 5000, 1)
    assert.throws(
      () => memory.claim('c', 1, 5000, 500),
      (error: unknown) => error instanceof GatewayError && error.code === 'busy',
    )
    memory.claim('c', 1, 5000, 1000)
    assert.throws(() => memory.claim('b', 1, 5000, 1000))
  })
})
