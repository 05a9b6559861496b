import type { RecordLayout } from '../spec/records.ts';
import { RESERVED_PREFIX } from '../spec/reserved-columns.ts';
import type { Arena } from './arena.ts';
import { type Tokens, takeTokens } from './tokens.ts';

/** What stands beside the rows of records. Nothing is looked for before somebody asks. */
export class RecordTokens {
  readonly #arena: Arena;
  readonly #layout: RecordLayout & { readonly begin: number };
  /** Pointer to the rows' starts, and how many they are. */
  readonly #rows: { readonly starts: number; readonly size: number };
  readonly #columns = new Map<string, Tokens>();
  #heads = 0;
  #positions = 0;

  constructor(
    arena: Arena,
    layout: RecordLayout & { readonly begin: number },
    rows: { readonly starts: number; readonly size: number },
  ) {
    this.#arena = arena;
    this.#layout = layout;
    this.#rows = rows;
  }

  get mayHoldNewlines(): boolean {
    return this.#layout.rows !== 'lines';
  }

  /** Columns that stand in the rows for everybody. */
  get ownColumns(): readonly string[] {
    return this.#layout.columns.filter((name) => !name.startsWith(RESERVED_PREFIX));
  }

  has(name: string): boolean {
    return this.#layout.columns.includes(name);
  }

  /** `undefined`: there is no such column. */
  column(name: string): Tokens | undefined {
    const known = this.#columns.get(name);
    if (known) return known;
    const index = this.#layout.columns.indexOf(name);
    if (index < 0) return undefined;
    const { size } = this.#rows;
    const tokens = takeTokens(this.#arena, size);
    this.#arena.kernel.recordColumn(this.#found(), size, index, tokens.starts, tokens.ends, tokens.kinds);
    this.#columns.set(name, tokens);
    return tokens;
  }

  /** Pointer to an f64 for each row. */
  get positions(): number {
    const { starts, size } = this.#rows;
    if (this.#positions === 0 && size > 0) {
      const heads = this.#found();
      this.#positions = this.#arena.take(size * 8);
      this.#arena.kernel.recordPositions(heads, starts, size, this.#layout.rows === 'one' ? 0 : 1, this.#positions);
    }
    return this.#positions;
  }

  position(row: number): number {
    return this.#arena.bytes.readDoubleLE(this.positions + 8 * row);
  }

  #found(): number {
    const { starts, size } = this.#rows;
    if (this.#heads === 0) {
      this.#heads = this.#arena.take(size * 4);
      this.#arena.kernel.findRecords(this.#layout.begin, starts, size, this.#heads);
    }
    return this.#heads;
  }
}
