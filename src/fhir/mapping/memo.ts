/**
 * The same patient, professionals and structures stand on document after document of a search: what was written of them
 * is kept and shared. Droppable, bounded, and frozen: nobody can change what another answer shows.
 */

/** A pure function on plain data, its last results kept by the content of its argument. */
export function memoised<V, R extends object | undefined>(write: (value: V) => R, most = 2000): (value: V) => R {
  const kept = new Map<string, R>()
  return (value) => {
    const key = JSON.stringify(value)
    const known = kept.get(key)
    if (known !== undefined) return known
    if (kept.size >= most) kept.clear()
    const made = frozen(write(value))
    kept.set(key, made)
    return made
  }
}

function frozen<R>(value: R): R {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const each of Object.values(value)) frozen(each)
  return Object.freeze(value)
}
