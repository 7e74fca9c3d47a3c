/**
 * P8: a VIHF verified to a Caller by the gateway, against xml-crypto only checking the signature of the same assertions.
 * Five interleaved rounds, median; a spread over 2 gives no verdict. Run: node bench/identity.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DOMParser } from '@xmldom/xmldom'
import { SignedXml } from 'xml-crypto'
import { createIdentity, openLocalIssuer } from '../src/identity/index.ts'
import { mintVihf } from '../src/identity/mint.ts'

const rounds = 5
const perRound = 150
const hitsPerRound = 3000
const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#'

interface Measure {
  readonly name: string
  readonly floor: number
  readonly goal: number
  readonly ratios: readonly number[]
}

export async function benchIdentity(): Promise<readonly Measure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-bench-'))
  try {
    const issuer = await openLocalIssuer(folder)
    const uncached: number[] = []
    const cached: number[] = []
    const options = {
      ins: '260059999999999',
      authentication: 'air',
      purpose: 'bris_de_glace',
      reason: 'essai',
    } as const
    for (let round = 0; round <= rounds; round++) {
      const assertions = Array.from({ length: perRound }, () => mintVihf(issuer, options))
      const identity = await createIdentity({ mode: 'development', issuer })
      const ours = await time(perRound, async (index) => identity.fromAssertion(source(assertions[index])))
      const hit = await time(hitsPerRound, async (index) =>
        identity.fromAssertion(source(assertions[index % perRound])),
      )
      const theirs = await time(perRound, (index) =>
        checkWithXmlCrypto(assertions[index] ?? '', issuer.vihfCertificate.toString()),
      )
      // The first round warms all of them up
      if (round === 0) continue
      uncached.push(theirs / ours)
      cached.push(theirs / hit)
    }
    return [
      { name: 'P8 VIHF verified, times faster than xml-crypto', floor: 10, goal: 25, ratios: uncached },
      { name: 'P8 VIHF seen before, times faster than xml-crypto', floor: 200, goal: 1000, ratios: cached },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function source(xml = ''): { readonly xml: string; readonly namespaces: Readonly<Record<string, string>> } {
  return { xml, namespaces: {} }
}

function checkWithXmlCrypto(xml: string, publicCert: string): void {
  const document = new DOMParser().parseFromString(xml, 'text/xml')
  const signature = document.getElementsByTagNameNS(signatureNamespace, 'Signature').item(0)
  const verifier = new SignedXml({ publicCert, getCertFromKeyInfo: () => null })
  if (signature === null) throw new Error('no signature')
  verifier.loadSignature(signature)
  if (!verifier.checkSignature(xml)) throw new Error('xml-crypto refuses the assertion')
}

/** Milliseconds of one call. */
async function time(calls: number, call: (index: number) => unknown): Promise<number> {
  const start = performance.now()
  for (let index = 0; index < calls; index++) await call(index)
  return (performance.now() - start) / calls
}

if (import.meta.main) {
  for (const { name, floor, goal, ratios } of await benchIdentity()) {
    const sorted = [...ratios].sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0
    const spread = (sorted.at(-1) ?? 0) / (sorted[0] ?? 1)
    const verdict =
      spread > 2 ? 'no verdict' : median < floor ? 'BELOW FLOOR' : median < goal ? 'above floor' : 'goal reached'
    console.log(`${name}: ${median.toFixed(1)} (floor ${floor}, goal ${goal}, spread ${spread.toFixed(2)}) ${verdict}`)
  }
}
