import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { descriptionFile } from './openapi.ts'

describe('/docs', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  const get = (where: string, method = 'GET') => fetch(gateway.url + where, { method })

  it('serves the description as it stands in the repository', async () => {
    const response = await get('/openapi.yaml')
    assert.equal(response.headers.get('content-type'), 'application/yaml; charset=utf-8')
    assert.equal(await response.text(), readFileSync(descriptionFile, 'utf8'))
  })

  it('shows it with files of this server alone, in the types they are', async () => {
    const html = await (await get('/docs')).text()
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file)
    assert.equal(files.length, 4)
    const types = new Map<string, string>()
    for (const file of files) {
      const url = new URL(file, `${gateway.url}/docs`)
      assert.equal(url.origin, new URL(gateway.url).origin)
      const response = await fetch(url)
      assert.equal(response.status, 200, file)
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      types.set(file, response.headers.get('content-type') ?? '')
      assert.ok((await response.arrayBuffer()).byteLength > 0)
    }
    assert.deepEqual(
      [...types.values()],
      ['image/png', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8', 'text/javascript; charset=utf-8'],
    )
  })

  it('forbids the page every other host, inline script and framing', async () => {
    const policy = (await get('/docs')).headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.match(policy, /connect-src 'self'(;|$)/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    assert.doesNotMatch(await (await get('/docs')).text(), /<script>|\son\w+=|style=/)
  })

  it('is where a browser gets that opens the gateway without a path', async () => {
    for (const where of ['/', '/docs/']) {
      const response = await get(where)
      assert.equal(response.redirected, true)
      assert.equal(response.url, `${gateway.url}/docs`)
    }
    assert.equal((await get('/', 'POST')).status, 404)
  })

  it('answers HEAD without a body and refuses to be written to', async () => {
    const head = await get('/docs', 'HEAD')
    assert.equal(head.status, 200)
    assert.equal((await head.arrayBuffer()).byteLength, 0)
    assert.equal((await get('/openapi.yaml', 'POST')).status, 405)
  })

  it('has nothing under names that are not its own', async () => {
    for (const where of ['/docs/show', '/docs/../package.json', '/docs/constructor', '/docs/swagger-ui-bundle.js.map'])
      assert.equal((await get(where)).status, 404, where)
  })
})
