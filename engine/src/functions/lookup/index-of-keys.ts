/** Finds rows of a table by key, without making a string of what is looked for. */
import type { TokenBatch } from '../../batch/function-kernel.ts';
import { KIND_RAW } from '../../batch/kernel-exports.ts';
import { kindOf, type Tokens } from '../../batch/tokens.ts';

export interface KeyIndex {
  /** For every live row the number of the table's row that its text leads to; -1: none. */
  find(view: TokenBatch, texts: Tokens): Int32Array;
}

/** An open hash table over the bytes of the keys. */
export class ExactIndex implements KeyIndex {
  readonly #bytes: Buffer;
  /** Where each key begins in `#bytes`, and the last one ends. */
  readonly #bounds: Uint32Array;
  /** Number of a key plus one; 0 ends a search. */
  readonly #slots: Uint32Array;

  constructor(keys: readonly string[]) {
    const pieces = keys.map((key) => Buffer.from(key));
    this.#bytes = Buffer.concat(pieces);
    this.#bounds = new Uint32Array(keys.length + 1);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, keys.length * 2))));
    let at = 0;
    for (const [i, piece] of pieces.entries()) {
      this.#bounds[i] = at;
      at += piece.length;
      this.#bounds[i + 1] = at;
      let slot = hash(piece, 0, piece.length) & (this.#slots.length - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = i + 1;
    }
  }

  find(view: TokenBatch, texts: Tokens): Int32Array {
    const { arena, rows, size } = view;
    const found = new Int32Array(size).fill(-1);
    for (const row of rows) {
      if (kindOf(arena, texts, row) !== KIND_RAW) continue;
      found[row] = this.#find(arena.bytes, arena.words[(texts.starts >>> 2) + row]!, arena.words[(texts.ends >>> 2) + row]!);
    }
    return found;
  }

  #find(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const key = this.#slots[slot]! - 1;
      if (key < 0) return -1;
      if (this.#isKey(key, bytes, start, end)) return key;
    }
  }

  #isKey(key: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#bounds[key]!;
    if (this.#bounds[key + 1]! - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (this.#bytes[from + i] !== bytes[start + i]) return false;
    return true;
  }
}

/** FNV-1a, mixed once more. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
