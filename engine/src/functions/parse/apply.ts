/** One batch through a parser: texts, fields, their types, and what becomes of rows that cannot be read. */
import type { Batch } from '../../batch/batch.ts';
import { convertTokens } from '../../batch/conversion.ts';
import { type TokenBatch, takeTexts } from '../../batch/function-kernel.ts';
import { KIND_RAW } from '../../batch/kernel-exports.ts';
import { copyTokens, kindOf, type Tokens } from '../../batch/tokens.ts';
import type { ColumnType } from '../../spec/column-type.ts';
import { missingText } from '../row-problems.ts';
import { layOver } from '../row-tokens.ts';
import type { Field, Parser } from './parser.ts';
import { problemText } from './problems.ts';

export interface ParseOptions {
  readonly column: string;
  readonly prefix: string;
  /** Types of fields; those that are not named stay as the format has them. */
  readonly types: ReadonlyMap<string, ColumnType>;
  readonly removeColumn: boolean;
  readonly onError: 'reject' | 'keep';
}

export function parseBatch(batch: Batch, parser: Parser, options: ParseOptions): void {
  new ParseRun(batch, options).parse(parser);
}

class ParseRun {
  readonly #batch: Batch;
  readonly #view: TokenBatch;
  readonly #options: ParseOptions;
  readonly #rows: Uint32Array;
  readonly #rowsPointer: number;
  /** 1 where the row could not be read. */
  readonly #failed: Uint8Array;
  #failures = 0;

  constructor(batch: Batch, options: ParseOptions) {
    this.#batch = batch;
    this.#view = batch as Batch & TokenBatch;
    this.#options = options;
    this.#rows = batch.rows;
    this.#rowsPointer = this.#view.rowsPointer;
    this.#failed = new Uint8Array(batch.size);
  }

  parse(parser: Parser): void {
    if (this.#rows.length === 0) return;
    const view = this.#view;
    const { arena } = view;
    const from = view.tokens(this.#options.column);
    if (from === undefined) {
      for (const row of this.#rows) this.#fail(row, missingText(0, this.#options.column, 'text'));
      return;
    }
    const tokens = takeTexts(view, from, parser.others);
    const problems = arena.take(view.size * 4);
    const fields = parser.read({ view, tokens, rows: this.#rows, rowsPointer: this.#rowsPointer, problems });
    this.#failWhereUnread(tokens, problems);
    const typed = fields.map((field) => this.#convert(field));
    if (this.#failures > 0) for (const { tokens } of typed) this.#clearFailed(tokens);
    if (this.#options.removeColumn) this.#remove(from);
    for (const { name, tokens } of typed) layOver(view, this.#options.prefix + name, tokens);
  }

  #fail(row: number, reason: string): void {
    this.#failed[row] = 1;
    this.#failures++;
    if (this.#options.onError === 'reject') this.#batch.reject(row, reason);
  }

  #failWhereUnread(texts: Tokens, problems: number): void {
    const { arena } = this.#view;
    const { column } = this.#options;
    for (const row of this.#rows) {
      const kind = kindOf(arena, texts, row);
      if (kind !== KIND_RAW) this.#fail(row, missingText(kind, column, 'text'));
      else if (arena.words[(problems >>> 2) + row] !== 0) {
        this.#fail(row, problemText(arena.words[(problems >>> 2) + row]!, column));
      }
    }
  }

  #convert({ name, tokens }: Field): Field {
    const type = this.#options.types.get(name);
    if (type === undefined) return { name, tokens };
    const { arena, size } = this.#view;
    const rows = this.#rowsPointer;
    const rowCount = this.#rows.length;
    const converted = convertTokens(arena, tokens, { name: this.#options.prefix + name, type, size, rows, rowCount });
    for (const { row, reason } of converted.rejections) this.#fail(row, reason);
    return { name, tokens: converted.tokens };
  }

  /** A row that failed has none of the fields. */
  #clearFailed({ kinds }: Tokens): void {
    const { bytes } = this.#view.arena;
    for (const row of this.#rows) if (this.#failed[row] === 1) bytes[kinds + row] = 0;
  }

  #remove(from: Tokens): void {
    const { column, onError } = this.#options;
    if (onError === 'reject') {
      this.#batch.drop(column);
      return;
    }
    const { arena, size } = this.#view;
    const left = copyTokens(arena, from, size);
    for (const row of this.#rows) if (this.#failed[row] === 0) arena.bytes[left.kinds + row] = 0;
    this.#view.setTokens(column, left);
  }
}
