/** The rows of a bulk with what stands beside them, by number. */
import type { Bulk, RowTexts } from '../../../spec/node.ts';
import { type BatchWriter, encodeHeaders, type Span } from './batch-writer.ts';

export interface SideColumns {
  readonly topic: number;
  readonly key: number;
  readonly partition: number;
  readonly headers: number;
}

const NO_HEADERS = Buffer.of(0);

export class RowViews {
  readonly #bulk: Bulk;
  readonly #columns: SideColumns;
  readonly #fixed: readonly (readonly [string, string])[];
  readonly #fixedBytes: Buffer;

  constructor(bulk: Bulk, columns: SideColumns, headers: readonly (readonly [string, string])[]) {
    this.#bulk = bulk;
    this.#columns = columns;
    this.#fixed = headers;
    this.#fixedBytes = headers.length > 0 ? encodeHeaders(headers) : NO_HEADERS;
  }

  get rows(): number {
    return this.#bulk.rows;
  }

  /** Its value and what is sent with it, about. */
  bytesOf(row: number): number {
    const { offsets } = this.#bulk;
    const { key, headers } = this.#columns;
    return offsets[row + 1]! - offsets[row]! + this.#length(key, row) + this.#length(headers, row) + this.#fixedBytes.length;
  }

  topic(row: number): string {
    return this.#text(this.#columns.topic, row);
  }

  /** `undefined`: it names none; NaN: what it names is no number. */
  partition(row: number): number | undefined {
    const text = this.#text(this.#columns.partition, row);
    if (text === '') return undefined;
    return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  }

  key(row: number): Buffer | undefined {
    const span = this.#span(this.#columns.key, row);
    return span && Buffer.from(span.bytes.buffer as ArrayBuffer, span.bytes.byteOffset + span.start, span.end - span.start);
  }

  write(row: number, writer: BatchWriter): void {
    const { bytes, offsets } = this.#bulk;
    // Without the line break.
    const value: Span = { bytes, start: offsets[row]!, end: offsets[row + 1]! - 1 };
    writer.add(value, this.#span(this.#columns.key, row), this.#headers(row));
  }

  /** Throws where the column holds no JSON object. */
  #headers(row: number): Buffer {
    const text = this.#text(this.#columns.headers, row);
    return text === '' ? this.#fixedBytes : encodeHeaders([...this.#fixed, ...headersOf(text)]);
  }

  /** Why the row cannot be sent. */
  problem(row: number): string | undefined {
    const text = this.#text(this.#columns.headers, row);
    if (text === '') return undefined;
    try {
      headersOf(text);
      return undefined;
    } catch {
      return `its headers are ${text.slice(0, 100)}, expected a JSON object`;
    }
  }

  #length(column: number, row: number): number {
    const texts = this.#bulk.side[column];
    return texts ? texts.offsets[row + 1]! - 1 - texts.offsets[row]! : 0;
  }

  #span(column: number, row: number): Span | undefined {
    const texts: RowTexts | undefined = this.#bulk.side[column];
    if (!texts) return undefined;
    const start = texts.offsets[row]!;
    const end = texts.offsets[row + 1]! - 1;
    return end > start ? { bytes: texts.bytes, start, end } : undefined;
  }

  #text(column: number, row: number): string {
    const span = this.#span(column, row);
    return span
      ? Buffer.from(span.bytes.buffer as ArrayBuffer, span.bytes.byteOffset + span.start, span.end - span.start).toString()
      : '';
  }
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
