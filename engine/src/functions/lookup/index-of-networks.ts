/** Finds the smallest network of a table that an address lies in. */
import { columnArguments, type TokenBatch, withFunctionKernel } from '../../batch/function-kernel.ts';
import { type NetworkRange, networkRange } from '../../batch/networks.ts';
import type { Tokens } from '../../batch/tokens.ts';
import type { KeyIndex } from './index-of-keys.ts';

/** Networks of one version as pieces without overlaps, ascending: each reaches to the next one. */
interface Pieces {
  /** Four words for each, the highest first. */
  readonly firsts: Uint32Array;
  /** Number of the table's row; -1: none. */
  readonly owners: Int32Array;
}

const WORDS = 4;

export class NetworkIndex implements KeyIndex {
  readonly #pieces: { readonly 4: Pieces; readonly 6: Pieces };

  constructor(networks: readonly string[]) {
    const owned = networks.map((text, owner) => ({ ...networkRange(text), owner }));
    this.#pieces = { 4: cut(owned.filter(({ version }) => version === 4)), 6: cut(owned.filter(({ version }) => version === 6)) };
  }

  find(view: TokenBatch, texts: Tokens): Int32Array {
    const { arena, rows, size } = view;
    const versions = arena.take(size);
    const addresses = arena.take(size * 16);
    withFunctionKernel(view, (kernel) => kernel.readAddresses(...columnArguments(view, texts), versions, addresses));
    const found = new Int32Array(size).fill(-1);
    for (const row of rows) {
      const version = arena.bytes[versions + row]!;
      if (version !== 0) found[row] = search(this.#pieces[version as 4 | 6], arena.words, (addresses >>> 2) + row * WORDS);
    }
    return found;
  }
}

type OwnedRange = NetworkRange & { readonly owner: number };

/** Networks lie inside each other or apart: the larger ones are opened first. */
function cut(ranges: readonly OwnedRange[]): Pieces {
  const ordered = ranges.toSorted((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  const pieces = new Map<bigint, number>();
  const open: OwnedRange[] = [];
  const closeBefore = (address: bigint | undefined): void => {
    for (let top = open.at(-1); top !== undefined && (address === undefined || top.last < address); top = open.at(-1)) {
      open.pop();
      pieces.set(top.last + 1n, open.at(-1)?.owner ?? -1);
    }
  };
  for (const range of ordered) {
    closeBefore(range.first);
    pieces.set(range.first, range.owner);
    open.push(range);
  }
  closeBefore(undefined);
  const bounds = Array.from(pieces);
  const firsts = bounds.flatMap(([first]) => [3n, 2n, 1n, 0n].map((i) => Number((first >> (32n * i)) & 0xffff_ffffn)));
  // The piece behind the very last address would begin at 0 again.
  const whole = bounds.filter(([first]) => first < 1n << 128n).length;
  return {
    firsts: Uint32Array.from(firsts.slice(0, whole * WORDS)),
    owners: Int32Array.from(bounds.slice(0, whole), ([, owner]) => owner),
  };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The owner of the last piece that begins at or before the address, whose low and high halves stand at `at`, little-endian. */
function search({ firsts, owners }: Pieces, words: Uint32Array, at: number): number {
  const [high1, high0, low1, low0] = [words[at + 1]!, words[at]!, words[at + 3]!, words[at + 2]!];
  let from = 0;
  let to = owners.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const i = middle * WORDS;
    const difference = firsts[i]! - high1 || firsts[i + 1]! - high0 || firsts[i + 2]! - low1 || firsts[i + 3]! - low0;
    if (difference <= 0) from = middle + 1;
    else to = middle;
  }
  return from === 0 ? -1 : owners[from - 1]!;
}
