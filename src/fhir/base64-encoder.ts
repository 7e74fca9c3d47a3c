/** Base64 as it streams: whole groups of three bytes at once, what is left over with the next chunk. */
export class Base64Encoder {
  #carry: Buffer = Buffer.alloc(0)

  write(chunk: Buffer): Buffer {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk])
    const whole = bytes.length - (bytes.length % 3)
    this.#carry = bytes.subarray(whole)
    return Buffer.from(bytes.toString('base64', 0, whole), 'latin1')
  }

  end(): Buffer {
    return Buffer.from(this.#carry.toString('base64'), 'latin1')
  }
}
