/** Answers of the guest: the plan that the kernel's `decodeRline` follows, and the columns that it finds, laid over the rows. */
import type { Arena } from '../batch/arena.ts';
import { mergeTokens } from '../batch/decoded-rows.ts';
import { ArenaFullError } from '../batch/row-batch.ts';
import type { TokenAccess } from '../batch/token-access.ts';
import type { RlineFormat, RlineKernel } from './rline-kernel.ts';

const PLAN_WORDS = 8;
const COLUMN_WORDS = 8;
const MOST_NAMES = 1024;
const NESTING_BYTES = 1040;
const Word = { columns: 2, resultOthers: 6 } as const;

/** The decoding of one batch. */
export class RowDecoding {
  readonly #arena: Arena;
  readonly #kernel: RlineKernel;
  readonly #plan: number;
  readonly #list: number;
  readonly #size: number;

  constructor(arena: Arena, format: RlineFormat, size: number) {
    this.#arena = arena;
    this.#kernel = arena.kernel as unknown as RlineKernel;
    this.#size = size;
    this.#list = arena.take(MOST_NAMES * COLUMN_WORDS * 4);
    const scratch = arena.take(NESTING_BYTES);
    this.#plan = arena.take(PLAN_WORDS * 4);
    arena.words.set([format === 'json' ? 1 : 0, size, 0, MOST_NAMES, this.#list, scratch, 0, 0], this.#plan >>> 2);
  }

  /** Reads answers; see `decodeRline`. Returns how many rows have none. */
  decode(rows: number, from: number, count: number, { results, pairs }: { results: number; pairs: number }): number {
    if (this.#kernel.decodeRline(this.#plan, rows, from, count, results, pairs) !== 0) {
      throw new ArenaFullError('Cannot read the answers of a function: the arena is full');
    }
    return this.#arena.words[(this.#plan >>> 2) + Word.resultOthers]!;
  }

  /** Lays the columns over the rows, by name; where a row got none, or what it had, its own stays. */
  overlay(view: TokenAccess): void {
    const { words, bytes } = this.#arena;
    const found: [string, number][] = [];
    const count = words[(this.#plan >>> 2) + Word.columns]!;
    for (let i = 0; i < count; i++) {
      const at = (this.#list >>> 2) + i * COLUMN_WORDS;
      found.push([bytes.toString('utf8', words[at]!, words[at]! + words[at + 1]!), at]);
    }
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, at] of found) {
      const tokens = { starts: words[at + 2]!, ends: words[at + 3]!, kinds: words[at + 4]! };
      if (this.#arena.kernel.anyKind(tokens.kinds, this.#size) === 0) continue;
      const before = view.tokens(name);
      view.setTokens(name, before === undefined ? tokens : mergeTokens(this.#arena, tokens, before, this.#size));
    }
  }
}
