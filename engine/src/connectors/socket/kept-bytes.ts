const NONE = Buffer.alloc(0);

/**
 * What has come of something that is not complete, in one piece. It grows by doubling: a message that comes byte by byte costs two
 * copies of each, not one of all that came before at every byte.
 */
export class KeptBytes {
  #space: Buffer = NONE;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view, good until the next call. */
  get bytes(): Buffer {
    return this.#space.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#space.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#length));
      grown.set(this.bytes);
      this.#space = grown;
    }
    this.#space.set(bytes, this.#length);
    this.#length = length;
  }

  /** Only the bytes from here on are kept. */
  keepFrom(start: number): void {
    if (start === 0) return;
    const rest = this.bytes.subarray(start);
    // The views that were given out stay as they are, and a long message that has gone holds no memory.
    this.#space = Buffer.from(rest);
    this.#length = rest.length;
  }

  /** The bytes are the caller's from now on; nothing is kept. */
  take(): Buffer {
    const { bytes } = this;
    this.#space = NONE;
    this.#length = 0;
    return bytes;
  }
}
