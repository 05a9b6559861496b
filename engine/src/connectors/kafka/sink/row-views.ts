/** The rows of a bulk with what stands beside them, by number. */
import type { Bulk } from '../../../spec/bulk-sink.ts';
import type { RowTexts } from '../../../spec/row-texts.ts';
import { type BatchWriter, encodeHeaders } from './batch-writer.ts';

export interface SideColumns {
  readonly topic: number;
  readonly key: number;
  readonly partition: number;
  readonly headers: number;
}

export interface RowViewOptions {
  readonly columns: SideColumns;
  /** Those that every record has. */
  readonly headers: readonly (readonly [string, string])[];
  /** Bytes that end each row, which are no part of a value. */
  readonly rowEnd: number;
}

const NO_HEADERS = Buffer.of(0);

export class RowViews {
  readonly rows: number;
  readonly #bytes: Buffer;
  readonly #offsets: Uint32Array;
  readonly #topics: Texts | undefined;
  readonly #keys: Texts | undefined;
  readonly #partitions: Texts | undefined;
  readonly #headers: Texts | undefined;
  readonly #fixed: readonly (readonly [string, string])[];
  readonly #fixedBytes: Buffer;
  readonly #rowEnd: number;

  constructor({ bytes, offsets, rows, side }: Bulk, { columns, headers, rowEnd }: RowViewOptions) {
    const texts = (place: number): Texts | undefined => (place < 0 ? undefined : new Texts(side[place]!));
    this.rows = rows;
    this.#bytes = asBuffer(bytes);
    this.#offsets = offsets;
    this.#topics = texts(columns.topic);
    this.#keys = texts(columns.key);
    this.#partitions = texts(columns.partition);
    this.#headers = texts(columns.headers);
    this.#rowEnd = rowEnd;
    this.#fixed = headers;
    this.#fixedBytes = headers.length > 0 ? encodeHeaders(headers) : NO_HEADERS;
  }

  /** Its value and what is sent with it, about. */
  bytesOf(row: number): number {
    const bytes = this.#offsets[row + 1]! - this.#offsets[row]! + this.#fixedBytes.length;
    return bytes + (this.#keys?.length(row) ?? 0) + (this.#headers?.length(row) ?? 0);
  }

  /** Empty: it names none. */
  topic(row: number): string {
    return this.#topics?.text(row) ?? '';
  }

  /** `undefined`: it names none; NaN: what it names is no number. */
  partition(row: number): number | undefined {
    const text = this.#partitions?.text(row) ?? '';
    if (text === '') return undefined;
    return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  }

  key(row: number): Buffer | undefined {
    return this.#keys?.bytes(row);
  }

  /** Throws where the headers are no JSON object, see `problem`. */
  write(row: number, writer: BatchWriter): void {
    writer.add(this.#bytes, this.#offsets[row]!, this.#offsets[row + 1]! - this.#rowEnd, this.key(row), this.#headersOf(row));
  }

  /** Why the row cannot be sent. */
  problem(row: number): string | undefined {
    const text = this.#headers?.text(row) ?? '';
    if (text === '') return undefined;
    try {
      headersOf(text);
      return undefined;
    } catch {
      return `its headers are ${text.slice(0, 100)}, expected a JSON object`;
    }
  }

  #headersOf(row: number): Buffer {
    const text = this.#headers?.text(row) ?? '';
    return text === '' ? this.#fixedBytes : encodeHeaders([...this.#fixed, ...headersOf(text)]);
  }
}

/** A column beside the rows. */
class Texts {
  readonly #bytes: Buffer;
  readonly #offsets: Uint32Array;

  constructor({ bytes, offsets }: RowTexts) {
    this.#bytes = asBuffer(bytes);
    this.#offsets = offsets;
  }

  length(row: number): number {
    return this.#offsets[row + 1]! - 1 - this.#offsets[row]!;
  }

  text(row: number): string {
    return this.#bytes.toString('utf8', this.#offsets[row]!, this.#offsets[row + 1]! - 1);
  }

  bytes(row: number): Buffer | undefined {
    return this.length(row) > 0 ? this.#bytes.subarray(this.#offsets[row]!, this.#offsets[row + 1]! - 1) : undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

function headersOf(text: string): [string, string | null][] {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('no object');
  return Object.entries(value).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).map((one): [string, string | null] => [
      name,
      one === null || typeof one === 'string' ? one : JSON.stringify(one),
    ]),
  );
}
