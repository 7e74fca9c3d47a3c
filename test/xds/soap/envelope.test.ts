import assert from 'node:assert/strict'
import { ns } from '../../../src/xds/namespaces.ts'
import { messageIdOf, readEnvelope } from '../../../src/xds/soap/envelope.ts'
import { SoapFault } from '../../../src/xds/soap/fault.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { anAssertion, anEnvelope, aSecurity, messageId } from '../support.ts'

const action = 'urn:ihe:iti:2007:RegistryStoredQuery'
const parse = (xml: string) => parseXml(xml, { capture: [{ ns: ns.saml2, local: 'Assertion' }] })
const read = (parts: Partial<Parameters<typeof anEnvelope>[0]> = {}, mediaTypeAction?: string) =>
  readEnvelope(parse(anEnvelope({ action, body: '<x/>', ...parts })), mediaTypeAction)

/** The code and the innermost subcode of the fault. */
function faultIn(step: () => unknown): string {
  try {
    step()
  } catch (error) {
    if (error instanceof SoapFault) return [error.code, error.details.subcodes?.at(-1)].filter(Boolean).join(' ')
    throw error
  }
  return 'none'
}

describe('the envelope of a SOAP request', () => {
  it('gives action, message id, body and the one assertion with its exact characters', () => {
    const request = read()
    assert.equal(request.action, action)
    assert.equal(request.messageId, messageId)
    assert.equal(request.body.local, 'x')
    assert.equal(request.assertion?.xml, anAssertion)
  })

  it('answers SOAP 1.1 with VersionMismatch', () => {
    const old = anEnvelope({ action, body: '<x/>' }).replace(ns.soap, ns.soap11)
    assert.equal(
      faultIn(() => readEnvelope(parse(old))),
      'VersionMismatch',
    )
    assert.equal(
      faultIn(() => readEnvelope(parse('<x/>'))),
      'VersionMismatch',
    )
  })

  it('takes one Header, one Body, and one element in it', () => {
    assert.equal(
      faultIn(() => read({ body: '' })),
      'Sender',
    )
    assert.equal(
      faultIn(() => read({ body: '<x/><y/>' })),
      'Sender',
    )
    const whole = anEnvelope({ action, body: '<x/>' })
    assert.equal(
      faultIn(() => readEnvelope(parse(whole.replace('<soap:Body>', '<soap:Header/><soap:Body>')))),
      'Sender',
    )
    assert.equal(
      faultIn(() => readEnvelope(parse(whole.replace(/<soap:Header>.*<\/soap:Header>/s, '')))),
      'Sender',
    )
  })

  it('refuses a mandatory header block it does not know, and passes over one it need not know', () => {
    assert.equal(
      faultIn(() => read({ headers: '<n:New xmlns:n="urn:n" soap:mustUnderstand="true"/>' })),
      'MustUnderstand',
    )
    assert.equal(
      faultIn(() => read({ headers: '<n:New xmlns:n="urn:n"/>' })),
      'none',
    )
    assert.equal(
      faultIn(() => read({ headers: '<n:New xmlns:n="urn:n" soap:mustUnderstand="0"/>' })),
      'none',
    )
    assert.equal(
      faultIn(() => read({ headers: '<n:New xmlns:n="urn:n" soap:mustUnderstand="yes"/>' })),
      'Sender',
    )
  })

  it('does not judge mandatory blocks that are for another node', () => {
    const block = `<n:New xmlns:n="urn:n" soap:mustUnderstand="1" soap:role="urn:another"/>`
    assert.equal(
      faultIn(() => read({ headers: block })),
      'none',
    )
    const next = `<n:New xmlns:n="urn:n" soap:mustUnderstand="1" soap:role="${ns.soap}/role/next"/>`
    assert.equal(
      faultIn(() => read({ headers: next })),
      'MustUnderstand',
    )
  })

  it('wants wsa:Action exactly once, and the other addressing headers at most once', () => {
    const missing = anEnvelope({ body: '<x/>' })
    assert.equal(
      faultIn(() => readEnvelope(parse(missing))),
      'Sender wsa:MessageAddressingHeaderRequired',
    )
    const cardinality = 'Sender wsa:InvalidCardinality'
    assert.equal(
      faultIn(() => read({ headers: '<wsa:Action>urn:b</wsa:Action>' })),
      cardinality,
    )
    assert.equal(
      faultIn(() => read({ headers: '<wsa:MessageID>urn:b</wsa:MessageID>' })),
      cardinality,
    )
    assert.equal(
      faultIn(() => read({ headers: '<wsa:To>http://localhost/xds</wsa:To>' })),
      'none',
    )
    assert.equal(
      faultIn(() => read({ headers: '<wsa:To>urn:b</wsa:To><wsa:To>urn:b</wsa:To>' })),
      cardinality,
    )
  })

  it('is sent to an HTTP address (S5)', () => {
    assert.equal(
      faultIn(() => read({ headers: '<wsa:To>urn:b</wsa:To>' })),
      'Sender wsa:InvalidAddress',
    )
  })

  it('answers on the same connection only', () => {
    const replyTo = (address: string, name = 'ReplyTo') =>
      faultIn(() => read({ headers: `<wsa:${name}><wsa:Address>${address}</wsa:Address></wsa:${name}>` }))
    assert.equal(replyTo('http://elsewhere.invalid/'), 'Sender wsa:OnlyAnonymousAddressSupported')
    assert.equal(replyTo('http://elsewhere.invalid/', 'FaultTo'), 'Sender wsa:OnlyAnonymousAddressSupported')
    assert.equal(replyTo(`${ns.wsa}/anonymous`), 'none')
    assert.equal(replyTo(`${ns.wsa}/none`), 'none')
    assert.equal(
      faultIn(() => read({ headers: '<wsa:ReplyTo/>' })),
      'Sender wsa:MissingAddressInEPR',
    )
  })

  it('refuses an action parameter of the media type that contradicts wsa:Action', () => {
    assert.equal(
      faultIn(() => read({}, 'urn:other')),
      'Sender wsa:ActionMismatch',
    )
    assert.equal(
      faultIn(() => read({}, action)),
      'none',
    )
  })

  it('takes one wsse:Security with one assertion, and no assertion from anywhere else', () => {
    assert.equal(
      faultIn(() => read({ security: aSecurity + aSecurity })),
      'Sender wsse:InvalidSecurity',
    )
    const two = aSecurity.replace(anAssertion, anAssertion + anAssertion)
    assert.equal(
      faultIn(() => read({ security: two })),
      'Sender wsse:InvalidSecurityToken',
    )
    assert.equal(read({ security: anAssertion }).assertion, undefined)
    assert.equal(read({ security: '', body: aSecurity.replace(' soap:mustUnderstand="1"', '') }).assertion, undefined)
    assert.equal(read({ security: '', headers: `<n:Wrap xmlns:n="urn:n">${aSecurity}</n:Wrap>` }).assertion, undefined)
  })

  it('never drops an assertion whose characters were not kept', () => {
    assert.throws(() => readEnvelope(parseXml(anEnvelope({ action, body: '<x/>' }))), TypeError)
  })

  it('gives the attributes of one Consent block', () => {
    const block = `<Consent xmlns="${ns.access}" basis="care-team" informed="true" soap:mustUnderstand="1"/>`
    assert.deepEqual(
      [...(read({ headers: block }).consent ?? [])],
      [
        ['basis', 'care-team'],
        ['informed', 'true'],
      ],
    )
    assert.equal(
      faultIn(() => read({ headers: block + block })),
      'Sender',
    )
  })

  it('finds the MessageID even of an envelope that is refused, unless it is of absurd length', () => {
    assert.equal(messageIdOf(parse(anEnvelope({ body: '' }))), messageId)
    assert.equal(messageIdOf(parse(anEnvelope({ body: '' }).replace(messageId, 'x'.repeat(2000)))), undefined)
    assert.equal(messageIdOf(parse('<x/>')), undefined)
  })
})
