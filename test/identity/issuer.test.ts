import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { openLocalIssuer } from '../../src/identity/issuer.ts'

const run = promisify(execFile)

describe('the development issuer', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-issuer-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('is made once and survives restarts', async () => {
    const data = path.join(folder, 'new', 'data')
    const first = await openLocalIssuer(data)
    const second = await openLocalIssuer(data)
    assert.equal(second.keyId, first.keyId)
    assert.equal(second.vihfCertificate.fingerprint256, first.vihfCertificate.fingerprint256)
    assert.equal(first.vihfKey.asymmetricKeyDetails?.modulusLength, 2048)
    assert.equal(first.jwtKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  })

  it('is for its owner only', async () => {
    await openLocalIssuer(folder)
    const place = path.join(folder, 'issuer')
    assert.equal((await stat(place)).mode & 0o777, 0o700)
    for (const file of await readdir(place)) assert.equal((await stat(path.join(place, file))).mode & 0o777, 0o600)
  })

  it('has the name of its certificate', async () => {
    const { vihfCertificate, vihfSubject } = await openLocalIssuer(folder)
    assert.equal(vihfCertificate.verify(vihfCertificate.publicKey), true)
    assert.deepEqual(vihfSubject.split(',').reverse(), vihfCertificate.subject.split('\n'))
  })

  it('is the same for all who make it at the same time, in one process or several', async () => {
    const script = `const { openLocalIssuer } = await import(${JSON.stringify(new URL('../../src/identity/issuer.ts', import.meta.url).href)})
      const all = await Promise.all([1, 2].map(() => openLocalIssuer(process.argv[1])))
      console.log(all.map(({ keyId, vihfCertificate }) => keyId + vihfCertificate.fingerprint256).join('\\n'))`
    const outputs = await Promise.all(
      [1, 2].map(() => run(process.execPath, ['--input-type=module', '-e', script, folder])),
    )
    const keys = new Set(outputs.flatMap(({ stdout }) => stdout.trim().split('\n')))
    assert.equal(keys.size, 1)
    assert.deepEqual(await readdir(folder), ['issuer'])
  })

  it('is never made anew over one that cannot be read', async () => {
    await openLocalIssuer(folder)
    await writeFile(path.join(folder, 'issuer', 'vihf-key.pem'), 'x')
    await assert.rejects(openLocalIssuer(folder), /remove the folder/)
    await rm(path.join(folder, 'issuer', 'vihf-key.pem'))
    await assert.rejects(openLocalIssuer(folder), /remove the folder/)
  })

  it('is refused when its key is not that of its certificate', async () => {
    await openLocalIssuer(folder)
    const other = path.join(folder, 'other')
    const { vihfKey } = await openLocalIssuer(other)
    await writeFile(path.join(folder, 'issuer', 'vihf-key.pem'), vihfKey.export({ type: 'pkcs8', format: 'pem' }))
    await assert.rejects(openLocalIssuer(folder), /cannot be read/)
  })
})
