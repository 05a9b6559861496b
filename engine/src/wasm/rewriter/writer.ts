/** Room that a LEB128 number is given when its value is known only later. */
export const PADDED = 5;

/** Growing output. `most` bounds it, so that a hostile module cannot make its copy many times its own size. */
export class Writer {
  #bytes: Uint8Array;
  readonly #most: number;
  readonly #overflow: () => Error;
  #length = 0;

  constructor(expected: number, most: number, overflow: () => Error) {
    this.#bytes = new Uint8Array(Math.min(expected, most));
    this.#most = most;
    this.#overflow = overflow;
  }

  get length(): number {
    return this.#length;
  }

  #grow(extra: number): void {
    const wanted = this.#length + extra;
    if (wanted > this.#most) throw this.#overflow();
    const larger = new Uint8Array(Math.min(this.#most, Math.max(wanted, this.#bytes.length * 2)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  u8(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = byte;
  }

  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** A constant that is not negative, as the signed number that instructions take. */
  signed(value: number): void {
    let rest = value;
    while (rest >= 0x40) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  copy(source: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    const bytes = this.#bytes;
    let at = this.#length;
    // Most runs between two changed instructions are short, and a call costs more than copying them here.
    if (size < 48) for (let i = from; i < to; i++) bytes[at++] = source[i]!;
    else bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
    this.#length += size;
  }

  all(bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) this.u8(bytes[i]!);
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.copy(bytes, 0, bytes.length);
  }

  /** Leaves room for a number; see {@link patch}. */
  reserve(): number {
    const at = this.#length;
    for (let i = 0; i < PADDED; i++) this.u8(0);
    return at;
  }

  /** Fills room made by {@link reserve}, in the over-long form. */
  patch(at: number, value: number): void {
    let rest = value;
    for (let i = 0; i < PADDED - 1; i++) {
      this.#bytes[at + i] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[at + PADDED - 1] = rest;
  }

  /** Fills a signed constant of `size` bytes, in the over-long form; `value` is positive and leaves the sign bit free. */
  patchSigned(at: number, size: number, value: number): void {
    let rest = value;
    for (let i = 0; i < size - 1; i++) {
      this.#bytes[at + i] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[at + size - 1] = rest;
  }

  /** Puts the number of bytes since `at` into the room reserved there, in its shortest form, and closes the gap. */
  closeBody(at: number): void {
    const start = at + PADDED;
    const size = this.#length - start;
    let width = 1;
    for (let rest = size; rest >= 0x80; rest >>>= 7) width++;
    this.#patchShort(at, size);
    this.#bytes.copyWithin(at + width, start, this.#length);
    this.#length -= PADDED - width;
  }

  #patchShort(at: number, value: number): void {
    let rest = value;
    let to = at;
    while (rest >= 0x80) {
      this.#bytes[to++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[to] = rest;
  }

  setByte(at: number, byte: number): void {
    this.#bytes[at] = byte;
  }

  /** Forgets what was written from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Takes `size` bytes at `at` out again. */
  remove(at: number, size: number): void {
    this.#bytes.copyWithin(at, at + size, this.#length);
    this.#length -= size;
  }

  /** A copy of all that was written, with `inserted` put in at `at`. */
  finish(at = 0, inserted: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length + inserted.length);
    bytes.set(this.#bytes.subarray(0, at));
    bytes.set(inserted, at);
    bytes.set(this.#bytes.subarray(at, this.#length), at + inserted.length);
    return bytes;
  }
}
