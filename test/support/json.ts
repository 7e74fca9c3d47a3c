/** JSON read by path: `at(bundle, 'entry', 0, 'resource', 'id')`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export function at(value: Json | undefined, ...keys: readonly (string | number)[]): Json | undefined {
  let node: Json | undefined = value
  for (const key of keys) {
    if (node === null || typeof node !== 'object') return undefined
    node = (node as Record<string | number, Json>)[key]
  }
  return node
}

/** The body as JSON, or undefined when it is none. */
export function parseJson(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString('utf8')) as Json
  } catch {
    return undefined
  }
}
