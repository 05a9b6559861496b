import { malformed } from './refusal.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longest name that is accepted, in bytes; the engine underneath has the same bound. */
const MAX_NAME_BYTES = 100_000;

/**
 * A cursor over the bytes of one section. It never reads past `end`, and every complaint names the byte's offset in the file.
 * LEB128 numbers may be over-long (compilers leave room for the linker to patch them), up to the length the specification allows.
 */
export class Reader {
  readonly bytes: Uint8Array;
  pos: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  u8(): number {
    if (this.pos >= this.end) this.fail('ends in the middle of an entry');
    return this.bytes[this.pos++]!;
  }

  u32(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let result = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
    return this.fail('has a number of more than 32 bits');
  }

  /** A signed number of at most `bits` bits (32, 33 or 64) is passed over; its value is the engine's business. */
  skipSigned(bits: number): void {
    const longest = Math.ceil(bits / 7);
    for (let i = 0; i < longest; i++) if (this.u8() < 0x80) return;
    this.fail(`has a signed number of more than ${bits} bits`);
  }

  /** A count of things that take at least one byte each: it can never make us allocate more than the file's own size. */
  count(what: string, most: number): number {
    const count = this.u32();
    if (count > most) this.fail(`has ${count} ${what}, at most ${most} are accepted`);
    if (count > this.remaining) this.fail(`claims ${count} ${what}, but only ${this.remaining} bytes follow`);
    return count;
  }

  /** The count that a section starts with, without moving. */
  peekCount(): number {
    return new Reader(this.bytes, this.pos, this.end).u32();
  }

  skip(length: number): void {
    if (length > this.remaining) this.fail(`claims ${length} bytes, but only ${this.remaining} follow`);
    this.pos += length;
  }

  name(): string {
    const length = this.u32();
    if (length > MAX_NAME_BYTES) this.fail(`has a name of ${length} bytes, at most ${MAX_NAME_BYTES} are accepted`);
    const start = this.pos;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.pos));
    } catch {
      return this.fail('has a name that is not UTF-8');
    }
  }

  done(what: string): void {
    if (this.pos !== this.end) this.fail(`${what} has ${this.remaining} bytes too many`);
  }

  fail(problem: string): never {
    throw malformed(problem, this.pos);
  }
}
