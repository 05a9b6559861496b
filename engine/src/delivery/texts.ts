/** Texts of rows, one behind the other with their offsets: rows as they are encoded, or a column beside them. */
import type { RowTexts } from '../spec/row-texts.ts';

/** Those of rows `first` to `first + rows`, without a copy of their bytes. */
export function cutTexts({ bytes, offsets }: RowTexts, first: number, rows: number): RowTexts {
  const start = offsets[first]!;
  const own = offsets.slice(first, first + rows + 1);
  if (start > 0) for (let i = 0; i <= rows; i++) own[i]! -= start;
  return { bytes: bytes.subarray(start, start + own[rows]!), offsets: own };
}

/** Those of these rows, copied. */
export function pickTexts(texts: RowTexts, rows: Uint32Array): RowTexts {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, i) => {
    offsets[i + 1] = offsets[i]! + texts.offsets[row + 1]! - texts.offsets[row]!;
  });
  const bytes = new Uint8Array(offsets[rows.length]!);
  rows.forEach((row, i) => {
    bytes.set(texts.bytes.subarray(texts.offsets[row]!, texts.offsets[row + 1]!), offsets[i]!);
  });
  return { bytes, offsets };
}

/** Texts that are copied together. */
export class GatheredTexts {
  #bytes = new Uint8Array(0);
  #offsets = new Uint32Array(1);
  #rows = 0;

  get bytes(): number {
    return this.#offsets[this.#rows]!;
  }

  add({ bytes, offsets }: RowTexts, first: number, rows: number): void {
    const start = offsets[first]!;
    const end = offsets[first + rows]!;
    const base = this.bytes;
    this.#bytes = roomFor(this.#bytes, base + end - start);
    this.#offsets = roomFor(this.#offsets, this.#rows + rows + 1);
    this.#bytes.set(bytes.subarray(start, end), base);
    for (let i = 1; i <= rows; i++) this.#offsets[this.#rows + i] = base + offsets[first + i]! - start;
    this.#rows += rows;
  }

  take(): RowTexts {
    const texts = { bytes: this.#bytes.subarray(0, this.bytes), offsets: this.#offsets.subarray(0, this.#rows + 1) };
    // The next ones will be about as many.
    this.#bytes = new Uint8Array(texts.bytes.length);
    this.#offsets = new Uint32Array(texts.offsets.length);
    this.#rows = 0;
    return texts;
  }
}

/** The array, or a larger one with the same content that has room for `length` elements. */
function roomFor<A extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(array: A, length: number): A {
  if (array.length >= length) return array;
  const larger = new (array.constructor as new (length: number) => A)(Math.max(length, 2 * array.length, 4096));
  larger.set(array);
  return larger;
}
