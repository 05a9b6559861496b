import { ArenaFullError } from './arena-full-error.ts';
import type { KernelExports } from './kernel-exports.ts';

/** Bytes behind every text that may be read along with its end. */
const GUARD = 64;
const LONG_TEXT = 4096;

/** A piece of text in the arena. */
export interface Text {
  readonly pointer: number;
  readonly length: number;
}

/** The TypeScript side of a kernel's arena: takes pieces and looks at them. Its views cover the whole memory. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly kernel: KernelExports;
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  /** All of it, pointers into the memory. */
  readonly bounds: { readonly start: number; readonly end: number };
  readonly #buffer: ArrayBufferLike;

  constructor(memory: WebAssembly.Memory, kernel: KernelExports, bounds: Arena['bounds']) {
    this.memory = memory;
    this.bounds = bounds;
    this.kernel = kernel;
    this.#buffer = memory.buffer;
    this.bytes = Buffer.from(this.#buffer as ArrayBuffer);
    this.words = new Uint32Array(this.#buffer);
  }

  /** Takes `bytes` bytes, 16-aligned, with whatever stands in them. */
  take(bytes: number): number {
    const pointer = this.kernel.alloc(bytes) >>> 0;
    if (pointer === 0) throw new ArenaFullError(`Cannot take ${bytes} bytes of the arena: it is full`);
    return pointer;
  }

  /** Takes room for a text of at most `bytes` bytes, which {@link keep} cuts to its length. */
  takeText(bytes: number): number {
    return this.take(bytes + GUARD);
  }

  /** Gives back what was taken behind the text that ends at `end`. */
  keep(end: number): void {
    this.kernel.release((end + GUARD + 15) & ~15);
  }

  /** Where the next piece will stand, for {@link release}. */
  mark(): number {
    return this.take(0);
  }

  release(mark: number): void {
    this.kernel.release(mark);
  }

  /** Copies a string into the arena. */
  text(value: string): Text {
    // Counting the bytes of a short text costs more than room for the longest that it can be.
    const room = value.length > LONG_TEXT ? Buffer.byteLength(value) : value.length * 3;
    const pointer = this.takeText(room);
    const length = this.bytes.write(value, pointer, room, 'utf8');
    this.keep(pointer + length);
    return { pointer, length };
  }

  /** Copies the bytes behind a typed array into the arena. */
  copyOf(values: ArrayBufferView): number {
    const pointer = this.take(values.byteLength);
    this.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), pointer);
    return pointer;
  }

  u8(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, pointer, length);
  }

  u32(pointer: number, length: number): Uint32Array {
    return new Uint32Array(this.#buffer, pointer, length);
  }

  i64(pointer: number, length: number): BigInt64Array {
    return new BigInt64Array(this.#buffer, pointer, length);
  }

  f64(pointer: number, length: number): Float64Array {
    return new Float64Array(this.#buffer, pointer, length);
  }
}
