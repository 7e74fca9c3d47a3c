import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DisplayString, serializeDictionary, Token } from 'structured-headers'
import type { ConsentDeclaration } from '../../src/access/caller.ts'
import {
  purposeInForce,
  readConsentAttributes,
  readConsentHeader,
  readPurposeHeader,
} from '../../src/access/declaration.ts'
import { GatewayError } from '../../src/errors.ts'
import { aNurse } from '../mothers/access.ts'

/** The detail of the header-invalid error that reading throws. */
function refused(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    assert.equal(error.code, 'header-invalid')
    return error.issues[0].detail ?? ''
  }
  return assert.fail('nothing was refused')
}

describe('DMP-Consent', () => {
  it('declares nothing when it is absent or empty', () => {
    assert.deepEqual(readConsentHeader(undefined), {})
    assert.deepEqual(readConsentHeader(' '), {})
  })

  it('reads the forms of the documentation', () => {
    assert.deepEqual(readConsentHeader('basis=care-team, informed=?1, episode="2026-E-118"'), {
      basis: 'care-team',
      informed: true,
      episode: '2026-E-118',
    })
    assert.deepEqual(readConsentHeader('basis=explicit, means=oral'), { basis: 'explicit', means: 'oral' })
    assert.deepEqual(readConsentHeader('informed=?1'), { informed: true })
    assert.deepEqual(readConsentHeader('informed'), { informed: true })
    assert.deepEqual(readConsentHeader('informed=?0'), { informed: false })
    assert.deepEqual(readConsentHeader('basis="explicit", by="899700000001", episode=E-118'), {
      basis: 'explicit',
      by: '899700000001',
      episode: 'E-118',
    })
  })

  it('reads accents from a Display String', () => {
    assert.deepEqual(readConsentHeader('opposition=?1, reason=%"motif l%c3%a9gitime"'), {
      opposition: true,
      reason: 'motif légitime',
    })
  })

  it('gives back what was written as a structured field', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter((value) => value.trim() !== '' && value.isWellFormed() && !/\p{Cc}/u.test(value))
    const declarations = fc.record(
      {
        basis: fc.constantFrom<ConsentDeclaration['basis'] & string>('care-team', 'explicit'),
        informed: fc.boolean(),
        means: fc.constantFrom<ConsentDeclaration['means'] & string>('oral', 'letter', 'email', 'online', 'poster'),
        episode: text,
        opposition: fc.boolean(),
        reason: text,
        by: text,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(declarations, (declaration) => {
        const { basis, means, informed, opposition, ...texts } = declaration
        const header = serializeDictionary({
          ...(basis && { basis: new Token(basis) }),
          ...(means && { means: new Token(means) }),
          ...(informed !== undefined && { informed }),
          ...(opposition !== undefined && { opposition }),
          ...Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, new DisplayString(value)])),
        })
        assert.deepEqual(readConsentHeader(header), { ...declaration })
      }),
    )
  })

  it('refuses what is no structured field, and shows the right form', () => {
    for (const header of [
      'basis=',
      'basis: care-team',
      '{"basis":"care-team"}',
      'informed=?1,',
      'reason="légitime"',
      '=1',
    ])
      assert.match(
        refused(() => readConsentHeader(header)),
        /RFC 9651.*basis=care-team, informed=\?1.*Display String/s,
        header,
      )
  })

  it('refuses an unknown member and names the known ones', () => {
    assert.match(
      refused(() => readConsentHeader('basis=explicit, consent=?1')),
      /consent is not a member.*basis, means, informed, opposition, episode, reason, by/,
    )
    assert.match(
      refused(() => readConsentHeader('constructor=?1')),
      /constructor is not a member/,
    )
  })

  it('refuses a value that is not of the member', () => {
    for (const [header, what] of [
      ['basis=team', /basis is one of care-team, explicit/],
      ['basis', /basis is one of/],
      ['means=phone', /means is one of oral/],
      ['informed=yes', /informed is \?1 or \?0 in a header/],
      ['informed=1', /informed is \?1 or \?0 in a header/],
      ['episode=12', /episode is a text/],
      ['episode=""', /episode is empty/],
      [`reason="${'x'.repeat(501)}"`, /reason is longer than 500/],
      ['reason=%"a%0ab"', /control character/],
      ['basis=(care-team)', /one value/],
      ['basis=explicit;means=oral', /no parameter/],
      [`reason="${'x'.repeat(5000)}"`, /longer than 4096/],
    ] as const)
      assert.match(
        refused(() => readConsentHeader(header)),
        what,
        header,
      )
  })

  it('never repeats what was declared', () => {
    assert.doesNotMatch(
      refused(() => readConsentHeader('reason="Mme EXEMPLE", basis=x')),
      /EXEMPLE/,
    )
  })

  it('refuses or reads any header, and throws nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        try {
          readConsentHeader(header)
          readPurposeHeader(header)
        } catch (error) {
          assert.ok(error instanceof GatewayError && error.code === 'header-invalid')
        }
      }),
    )
  })
})

describe('Consent header block of SOAP', () => {
  it('reads the same members as attributes', () => {
    assert.deepEqual(
      readConsentAttributes(
        new Map([
          ['basis', 'care-team'],
          ['informed', 'true'],
          ['episode', 'séjour 118'],
          ['opposition', '0'],
          ['means', 'letter'],
        ]),
      ),
      { basis: 'care-team', informed: true, episode: 'séjour 118', opposition: false, means: 'letter' },
    )
    assert.deepEqual(readConsentAttributes(new Map()), {})
  })

  it('refuses other attributes and values, and shows the right form', () => {
    for (const pair of [
      ['informed', 'yes'],
      ['informed', ''],
      ['basis', ''],
      ['episode', ' '],
      ['Informed', 'true'],
      ['id', '1'],
    ] as const)
      assert.match(
        refused(() => readConsentAttributes(new Map([pair]))),
        /<Consent xmlns="urn:dmp-gateway:access"/,
        pair.join(),
      )
  })
})

describe('access mode', () => {
  it('is read from DMP-Purpose-Of-Use with its reason', () => {
    assert.equal(readPurposeHeader(undefined), undefined)
    assert.deepEqual(readPurposeHeader('normal'), { purpose: 'normal' })
    assert.deepEqual(readPurposeHeader('bris_de_glace; reason="patient inconscient"'), {
      purpose: 'bris_de_glace',
      reason: 'patient inconscient',
    })
    assert.deepEqual(readPurposeHeader('bris_de_glace;reason=%"d%c3%a9tresse vitale"'), {
      purpose: 'bris_de_glace',
      reason: 'détresse vitale',
    })
  })

  it('refuses another mode, parameter or form, and shows the right one', () => {
    for (const header of [
      'urgence',
      'bris_de_glace; why="x"',
      'bris_de_glace, normal',
      'bris_de_glace; reason',
      '12',
      'centre_15; reason=""',
    ])
      assert.match(
        refused(() => readPurposeHeader(header)),
        /DMP-Purpose-Of-Use: bris_de_glace; reason=/,
        header,
      )
  })

  it('is the token’s, else the request’s, else normal', () => {
    assert.deepEqual(purposeInForce(aNurse()), { purpose: 'normal' })
    assert.deepEqual(purposeInForce(aNurse(), { purpose: 'centre_15' }), { purpose: 'centre_15' })
    assert.deepEqual(purposeInForce(aNurse({ purposeOfUse: 'bris_de_glace', reason: 'coma' })), {
      purpose: 'bris_de_glace',
      reason: 'coma',
    })
    assert.deepEqual(
      purposeInForce(aNurse({ purposeOfUse: 'bris_de_glace' }), { purpose: 'bris_de_glace', reason: 'coma' }),
      { purpose: 'bris_de_glace', reason: 'coma' },
    )
  })

  it('is an error where the request contradicts the token', () => {
    assert.match(
      refused(() => purposeInForce(aNurse({ purposeOfUse: 'normal' }), { purpose: 'bris_de_glace', reason: 'coma' })),
      /says bris_de_glace and the token normal/,
    )
  })
})
