/** Attacks on the identity of FHIR requests, over real HTTP. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { calculateJwkThumbprint, decodeJwt, exportJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import { mintJwt, mintVihf } from '../../src/identity/mint.ts'
import type { FhirReply, FhirRequest } from '../support/fhir-client.ts'
import {
  declared,
  type IdentityOptions,
  openGateway,
  people,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'

describe('FHIR identities under attack', () => {
  let gateway: TestGateway
  let patient: TestPatient
  let search: string
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    search = `/DocumentReference?patient.identifier=${token}&status=current`
  })
  after(() => gateway.close())

  const ask = (request: FhirRequest): Promise<FhirReply> =>
    gateway.fhir.call({}, 'GET', search, { consent: declared.careTeam, ...request })
  const bearing = (token: string): Promise<FhirReply> => ask({ token })
  const mint = (changes: IdentityOptions = {}): Promise<string> =>
    mintJwt(gateway.issuer, { ...people.author, ...changes })
  /** 401, and nothing on record. */
  const refused = async (attempt: Promise<FhirReply>, why = /./): Promise<void> => {
    const seen = (await gateway.records(patient)).length
    const { status, headers, outcome } = await attempt
    assert.equal(status, 401, outcome.text)
    assert.match(headers.get('www-authenticate') ?? '', /^Bearer realm=/)
    assert.match(outcome.text, why)
    assert.doesNotMatch(outcome.text, /899700000001|EXEMPLE Anne|eyJ/)
    assert.equal((await gateway.records(patient)).length, seen)
  }
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

  it('are answered when nothing is wrong with them', async () => {
    assert.equal((await bearing(await mint())).status, 200)
  })

  it('are refused with alg none, whatever the case', async () => {
    const [, body] = (await mint()).split('.')
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ''])
      for (const signature of ['', 'AAAA'])
        await refused(bearing(`${encode({ alg, typ: 'at+jwt' })}.${body}.${signature}`))
  })

  it('are refused when the public key is the secret of a MAC', async () => {
    const payload = decodeJwt(await mint())
    const { jwtPublicKey, keyId } = gateway.issuer
    for (const secret of [
      jwtPublicKey.export({ type: 'spki', format: 'pem' }),
      jwtPublicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwtPublicKey.export({ format: 'jwk' })),
    ])
      for (const alg of ['HS256', 'HS512'])
        await refused(
          bearing(await new SignJWT(payload).setProtectedHeader({ alg, kid: keyId }).sign(Buffer.from(secret))),
        )
  })

  it('are refused when they bring their own key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const payload = decodeJwt(await mint())
    const jwk = await exportJWK(publicKey)
    for (const header of [
      { jwk },
      { jku: 'https://attaquant.exemple/jwks' },
      { x5u: 'https://attaquant.exemple/c' },
      { kid: '../../dev/null' },
    ])
      await refused(
        bearing(await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey)),
      )
  })

  it('are refused when a claim was changed after signing', async () => {
    const [head, body = '', signature] = (await mint()).split('.')
    const text = Buffer.from(body, 'base64url').toString()
    for (const [from, to] of [
      ['899700000001', '899700000002'],
      ['"professional"', '"system"'],
      ['1010099999', '1020099999'],
    ] as const) {
      assert.ok(text.includes(from))
      await refused(
        bearing(`${head}.${Buffer.from(text.replace(from, to)).toString('base64url')}.${signature}`),
        /signature/i,
      )
    }
  })

  it('are refused expired, not yet valid, for another audience and from nobody', async () => {
    await refused(bearing(await mint({ expiresSeconds: -3600 })), /expired/)
    const sign = (changes: object) => async () => {
      const payload = { ...decodeJwt(await mint()), ...changes }
      return new SignJWT(payload).setProtectedHeader({ alg: 'ES256' }).sign(gateway.issuer.jwtKey)
    }
    const later = Math.floor(Date.now() / 1000) + 600
    for (const changed of [
      { nbf: later },
      { iat: later },
      { aud: 'urn:autre' },
      { aud: [] },
      { iss: 'urn:autre' },
      { exp: undefined },
    ])
      await refused(bearing(await sign(changed)()))
  })

  it('are refused with two roles, two purposes, or kinds that do not fit', async () => {
    const payload = decodeJwt(await mint())
    const extensions = payload.extensions as Record<string, Record<string, unknown>>
    const { ihe_iua: iua = {}, dmp = {} } = extensions
    const role = { system: 'urn:oid:1.2.250.1.71.1.2.7', code: '10' }
    const purpose = (code: string) => ({ system: 'urn:oid:1.2.250.1.213.1.1.4.248', code })
    const forms = [
      { ihe_iua: { ...iua, subject_role: [role, { ...role, code: '60' }] }, dmp },
      { ihe_iua: { ...iua, purpose_of_use: [purpose('normal'), purpose('bris_de_glace')] }, dmp },
      { ihe_iua: iua, dmp: { ...dmp, kind: 'tester' } },
      { ihe_iua: iua, dmp: { ...dmp, kind: ['professional', 'system'] } },
    ]
    for (const form of forms) {
      const changed = { ...payload, extensions: form }
      await refused(
        bearing(await new SignJWT(changed).setProtectedHeader({ alg: 'ES256' }).sign(gateway.issuer.jwtKey)),
      )
    }
  })

  it('are refused for another patient, on record', async () => {
    const other = await gateway.patient()
    const reply = await bearing(await mint({ ins: other.ins, insSystem: other.authority }))
    assert.equal(reply.status, 403)
    assert.equal(reply.outcome.code, 'patient-mismatch')
    assert.equal((await gateway.records(patient))[0]?.outcome, 'refused')
  })

  it('are refused in any other form of Authorization', async () => {
    const token = await mint()
    for (const value of [
      `Bearer ${token} ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Basic ${token}`,
      'Bearer',
      `Bearer\t${token}`,
      token,
    ])
      await refused(ask({ headers: { Authorization: value } }))
    await refused(
      gateway.fhir.call({}, 'GET', `${search}&access_token=${token}`, { headers: { Authorization: undefined } }),
    )
  })

  describe('bound to a key that proves each request (DPoP)', () => {
    let key: KeyObject
    let jwk: JWK
    let token: string
    before(async () => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      key = pair.privateKey
      jwk = await exportJWK(pair.publicKey)
      const payload = { ...decodeJwt(await mint()), cnf: { jkt: await calculateJwkThumbprint(jwk, 'sha256') } }
      token = await new SignJWT(payload).setProtectedHeader({ alg: 'ES256' }).sign(gateway.issuer.jwtKey)
    })

    const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
    const proof = (changes: object = {}, header: object = {}, by = key): Promise<string> =>
      new SignJWT({
        jti: randomUUID(),
        htm: 'GET',
        htu: `${gateway.fhir.base}/DocumentReference`,
        iat: Math.floor(Date.now() / 1000),
        ath: hash(token),
        ...changes,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
        .sign(by)
    const present = (dpop: string | undefined, scheme = 'DPoP', bearer = token): Promise<FhirReply> =>
      ask({ headers: { Authorization: `${scheme} ${bearer}`, DPoP: dpop } })

    it('are answered with a fresh proof for each', async () => {
      for (let round = 0; round < 2; round++) assert.equal((await present(await proof())).status, 200)
    })

    it('are refused without one, or as mere bearers', async () => {
      await refused(present(undefined), /DPoP proof/)
      await refused(present(undefined, 'Bearer'), /bound to a key/)
      await refused(present(await proof(), 'Bearer'), /bound to a key/)
    })

    it('are refused when the proof comes again', async () => {
      const once = await proof()
      assert.equal((await present(once)).status, 200)
      await refused(present(once), /used before/)
    })

    it('are refused with a proof of another request, token, time or key', async () => {
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const otherJwk = await exportJWK(other.publicKey)
      const long = Math.floor(Date.now() / 1000) - 600
      await refused(present(await proof({ htm: 'POST' })), /another request/)
      await refused(present(await proof({ htu: `${gateway.fhir.base}/Patient` })), /another request/)
      await refused(present(await proof({ htu: 'https://autre.exemple/fhir/DocumentReference' })), /another request/)
      await refused(present(await proof({ ath: hash('autre') })), /another token/)
      await refused(present(await proof({ iat: long })), /not of now/)
      await refused(present(await proof({ iat: Math.floor(Date.now() / 1000) + 600 })), /not of now|not valid/)
      await refused(present(await proof({}, { jwk: otherJwk }, other.privateKey)), /another key/)
      await refused(present(await proof({}, {}, other.privateKey)), /not valid/)
      await refused(present(await proof({}, { typ: 'JWT' })), /not valid/)
      await refused(present(await proof({ jti: undefined })), /not valid/)
      const secret = await exportJWK(key)
      await refused(present(await proof({}, { jwk: secret })), /not valid/)
    })

    it('are refused with a proof for a token that is not bound', async () => {
      await refused(present(await proof({ ath: hash(await mint()) }), 'DPoP', await mint()), /bound to a key/)
    })

    it('are refused when the binding is not understood', async () => {
      for (const cnf of [
        {},
        { kid: 'x' },
        { jkt: 'short' },
        'x',
        { jkt: 'A'.repeat(43), 'x5t#S256': 'A'.repeat(43) },
      ]) {
        const payload = { ...decodeJwt(await mint()), cnf }
        await refused(
          bearing(
            await new SignJWT(payload as JWTPayload).setProtectedHeader({ alg: 'ES256' }).sign(gateway.issuer.jwtKey),
          ),
          /cnf/,
        )
      }
    })
  })

  it('never mix on one connection, however the answers come about', async () => {
    const { port } = new URL(gateway.url)
    const persons = [people.author, people.colleague, people.stranger]
    const cached = await Promise.all(persons.map((person) => mintJwt(gateway.issuer, person)))
    // New tokens are verified asynchronously, known ones are at hand, assertions take longer: requests overtake each other
    const requests = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const person = persons[index % persons.length] ?? people.author
        const bound = { ...person, ins: patient.ins, insSystem: patient.authority }
        const token =
          index % 4 === 0
            ? Buffer.from(mintVihf(gateway.issuer, bound)).toString('base64url')
            : index % 4 === 1
              ? await mintJwt(gateway.issuer, bound)
              : (cached[index % persons.length] ?? '')
        return { id: `mix-${index}`, person: person.id, token }
      }),
    )
    const wire = requests.map(
      ({ id, token }) =>
        `GET /fhir${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nX-Request-Id: ${id}\r\nDMP-Consent: basis=care-team, informed=?1, episode="E"\r\n\r\n`,
    )
    const socket = connect(Number(port), '127.0.0.1')
    const answers = await new Promise<string>((resolve, reject) => {
      let text = ''
      socket.setEncoding('utf8')
      socket.on('data', (chunk) => {
        text += chunk
        if ((text.match(/HTTP\/1\.1 /g) ?? []).length === requests.length && text.endsWith('}')) resolve(text)
      })
      socket.on('error', reject)
      socket.write(wire.join(''))
    })
    socket.destroy()
    const ids = [...answers.matchAll(/x-request-id: (\S+)/gi)].map(([, id]) => id)
    assert.deepEqual(
      ids,
      requests.map(({ id }) => id),
    )
    assert.equal((answers.match(/HTTP\/1\.1 200 /g) ?? []).length, requests.length)
    const records = new Map((await gateway.records(patient)).map((record) => [record.requestId, record]))
    for (const { id, person } of requests) assert.equal(records.get(id)?.caller.person?.id, person, id)
  })
})
