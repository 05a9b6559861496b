/** Takes the header off a partition's CSV: its names go with every batch, and into the checkpoint with every position. */
import { readCsvHeader } from '../codecs/csv-header.ts';
import { ReefError } from '../errors.ts';
import type { Position } from '../spec/feed.ts';
import type { Log } from '../spec/node.ts';
import type { CsvCodec, Json } from '../spec/plan.ts';
import type { Cut } from './framer.ts';

/** A start at the beginning, perhaps behind a byte order mark. */
const MOST_MARK_BYTES = 3;

export interface CsvHeadOptions {
  /** With a header. */
  readonly codec: CsvCodec;
  /** Where the partition begins. */
  readonly offset: number;
  /** What the last run, or an earlier try, has found. */
  readonly known: readonly string[] | undefined;
  /** For messages. */
  readonly subject: string;
  readonly log: Log;
}

export class CsvHead {
  readonly #options: CsvHeadOptions;
  #codec: CsvCodec | undefined;
  #failure: ReefError | undefined;

  constructor(options: CsvHeadOptions) {
    const { codec, known, offset, subject } = options;
    this.#options = options;
    if (offset <= MOST_MARK_BYTES) return;
    if (known) this.#codec = { ...codec, columns: known };
    else
      this.#failure = new ReefError(
        'config',
        `Cannot read ${subject}: it starts behind the header of its CSV, expected a start at the beginning, or header: false and columns`,
      );
  }

  /** With the names; `undefined` until they are known. */
  get codec(): CsvCodec | undefined {
    return this.#codec;
  }

  /** The cut without the header; `undefined`: nothing is left of it. Throws a `ReefError` when the header cannot be read. */
  take(cut: Cut, bytes: Uint8Array): Cut | undefined {
    if (this.#codec) return cut;
    try {
      if (this.#failure) throw this.#failure;
      const behind = cut.from + this.#read(cut, bytes);
      if (behind < cut.to) return { ...cut, from: behind, offset: cut.offset + (behind - cut.from) };
    } catch (error) {
      cut.pool.release(cut.slot);
      throw error;
    }
    cut.pool.release(cut.slot);
    return undefined;
  }

  #read(cut: Cut, bytes: Uint8Array): number {
    const { codec, subject, log } = this.#options;
    // Whole rows, so the header is there, unless there is nothing else.
    const header = cut.reject
      ? { problem: cut.reject.reason.replace(/^the row /, '') }
      : readCsvHeader(bytes.subarray(cut.from, cut.to), codec.separator, { last: true })!;
    if ('problem' in header) {
      this.#failure = new ReefError('io', `Cannot read ${subject}: the header of its CSV ${header.problem}`);
      throw this.#failure;
    }
    for (const { from, to } of header.renamed) {
      const why = from === '' ? 'a column has no name' : `${JSON.stringify(from)} stands there more than once`;
      log.warn(`In the header of ${subject} ${why}: it is called ${JSON.stringify(to)}`);
    }
    this.#codec = { ...codec, columns: header.columns };
    return header.length;
  }
}

/** What stands in the checkpoint: whoever starts in the middle of a file must know its columns. */
export function withColumns(position: Position, head: CsvHead | undefined): Position {
  const columns = head?.codec?.columns;
  return columns ? { csv_columns: columns, position } : position;
}

/** The source's own position, and the columns that were known there. */
export function withoutColumns(saved: Json): { readonly position: Position; readonly columns?: readonly string[] } {
  if (typeof saved !== 'object' || saved === null || !('csv_columns' in saved) || !('position' in saved))
    return { position: saved };
  return { position: saved.position as Position, columns: saved.csv_columns as readonly string[] };
}
