/** A key with its certificate, wherever the configuration asks for one: PEM files, or one PKCS#12 file. */
import { z } from 'zod'
import type { KeyFiles } from '../dmp/remote/key-pair.ts'
import { file } from './config-identity.ts'

/** PEM or PKCS#12; one object, so that each key of either has its name in the environment. */
export const keyPair = z
  .strictObject({
    key: file.optional(),
    certificate: file.optional(),
    pkcs12: file.optional(),
    passphraseFile: file.optional(),
    passphrase: z.string().optional(),
  })
  .refine((given) => chosen(given) !== undefined, {
    error: 'is key and certificate, as PEM, or pkcs12 with passphraseFile or passphrase',
  })

interface GivenFiles {
  readonly key?: string | undefined
  readonly certificate?: string | undefined
  readonly pkcs12?: string | undefined
  readonly passphraseFile?: string | undefined
  readonly passphrase?: string | undefined
}

/** Undefined where it is neither the one nor the other, or both. */
function chosen({ key, certificate, pkcs12, passphraseFile, passphrase }: GivenFiles): KeyFiles | undefined {
  const secrets = [passphraseFile, passphrase].filter((each) => each !== undefined).length
  if (key !== undefined && certificate !== undefined && pkcs12 === undefined && secrets === 0)
    return { key, certificate }
  if (pkcs12 === undefined || key !== undefined || certificate !== undefined || secrets > 1) return undefined
  return {
    pkcs12,
    ...(passphraseFile !== undefined && { passphraseFile }),
    ...(passphrase !== undefined && { passphrase }),
  }
}

/** @param given what the schema has let through */
export function keyFilesOf(given: GivenFiles): KeyFiles {
  const files = chosen(given)
  if (files === undefined) throw new RangeError('the schema has let through what it refuses')
  return files
}
