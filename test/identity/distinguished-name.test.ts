import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type DistinguishedName,
  formatDistinguishedName,
  parseDistinguishedName,
  sameName,
} from '../../src/identity/distinguished-name.ts'

const parse = (text: string): DistinguishedName => {
  const name = parseDistinguishedName(text)
  assert.ok(name, text)
  return name
}
const same = (left: string, right: string): boolean => sameName(parse(left), parse(right))

describe('a distinguished name', () => {
  it('is the same from either end, with or without spaces, in either case', () => {
    assert.ok(
      same('CN=DMP SIGN,OU=1990000010,O=CH,ST=Ain (01),C=FR', 'C=FR, ST=ain (01), O=ch, OU=1990000010, CN=dmp  sign'),
    )
  })
  it('is not the same in any other order, or with a part more or less', () => {
    assert.ok(!same('CN=a,O=b,C=FR', 'O=b,CN=a,C=FR'))
    assert.ok(!same('CN=a,O=b,C=FR', 'CN=a,C=FR'))
    assert.ok(!same('CN=a,O=b', 'CN=a+O=b'))
  })
  it('is the same whatever its types are called', () => {
    assert.ok(same('EMAILADDRESS=a@b.fr,SURNAME=x,GN=y', '1.2.840.113549.1.9.1=a@b.fr,SN=x,givenName=y'))
    assert.ok(same('OID.2.5.4.3=a', 'cn=a'))
  })
  it('has escapes, quotes and hexadecimal DER', () => {
    assert.ok(same('O=a\\,b\\+c\\C3\\A9', 'O="a,b+cé"'))
    assert.ok(same('O=#0c0161', 'O=a'))
    assert.ok(same('O=\\ a\\ ', 'O=a'))
  })
  it('takes the parts of one relative name in any order', () => {
    assert.ok(same('CN=899700000001+SN=DUPONT,O=x', 'SN=DUPONT+CN=899700000001,O=x'))
  })
  it('does not let an escaped separator make another name', () => {
    assert.ok(!same('O=a\\,CN=b', 'O=a,CN=b'))
    assert.ok(!same('O="a,CN=b"', 'O=a,CN=b'))
  })
  it('is refused when it is none', () => {
    for (const text of ['', 'x', 'CN', '=a', 'ZZ=a', 'CN=a,', 'CN="a', 'CN="a"b', 'CN=a\\', `CN=${'a'.repeat(3000)}`])
      assert.equal(parseDistinguishedName(text), undefined, text)
  })
  it('is read back as it was written', () => {
    const type = fc.constantFrom('2.5.4.3', '2.5.4.6', '2.5.4.10', '2.5.4.11', '2.5.4.5')
    const value = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter((text) => text.trim() !== '')
    const name = fc.array(fc.array(fc.record({ type, value }), { minLength: 1, maxLength: 2 }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(name, (written) => {
        assert.ok(sameName(parse(formatDistinguishedName(written)), written))
      }),
    )
  })
})
