/** The properties that have a value: the model has absent properties, never undefined ones. */
export function defined<T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const result: Partial<Record<keyof T, unknown>> = {}
  for (const name of Object.keys(properties) as (keyof T)[])
    if (properties[name] !== undefined) result[name] = properties[name]
  return result as { [K in keyof T]?: Exclude<T[K], undefined> }
}
