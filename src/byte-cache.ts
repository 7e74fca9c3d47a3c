/** Bytes that were written once and serve every answer, up to a size; what was not used for longest goes first. */
export class ByteCache {
  readonly #maxBytes: number
  /** In the order of last use, the oldest first. */
  readonly #kept = new Map<string, Buffer>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Buffer | undefined {
    const bytes = this.#kept.get(key)
    if (bytes === undefined) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, bytes)
    return bytes
  }

  /** Keeps the bytes, and gives them back. */
  keep(key: string, bytes: Buffer): Buffer {
    this.#bytes += bytes.length - (this.#kept.get(key)?.length ?? 0)
    this.#kept.delete(key)
    this.#kept.set(key, bytes)
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.#kept.delete(oldest)
      this.#bytes -= length
    }
    return bytes
  }
}
