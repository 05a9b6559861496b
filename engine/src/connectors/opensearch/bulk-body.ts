/** The body of a `_bulk` request: a line that says what to do, then the document, for each row. Encoded bytes are copied once. */
import type { Bulk, RefusedRow } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import type { IndexChooser } from './index-chooser.ts';

export interface BodyParts {
  /** What is done: documents are put, or only added. */
  readonly operation: 'index' | 'create';
  readonly index: IndexChooser;
  /** Texts of the columns of `index` come first, then those of the id and of the document. */
  readonly hasId: boolean;
  readonly hasDocument: boolean;
  /** Columns that the document is made of; `undefined`: all. */
  readonly fields: ReadonlySet<string> | undefined;
  /** What is put at the end of each document, as it stands in JSON: `,"ts":"…"`. Empty for none. */
  extra(now: number): string;
}

export interface BulkBody {
  readonly bytes: Buffer;
  /** The index that stands in the path, where it is one for all. */
  readonly index: string | undefined;
  /** The number in the bulk of each row that was sent. */
  readonly rows: Uint32Array;
  readonly refused: RefusedRow[];
}

const NEWLINE = 10;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OBJECT = Buffer.from('{');
const COMMA = Buffer.from(',');
const END_OF_LINE = Buffer.from('}}\n');
const END_OF_DOCUMENT = Buffer.from('}\n');

export function bulkBody({ bytes, rows, offsets, side }: Bulk, parts: BodyParts, now: number): BulkBody {
  const { operation, index, hasId, hasDocument, fields } = parts;
  const fixed = index.fixed(now);
  const columns = index.columns.length;
  const ids = hasId ? side[columns] : undefined;
  const documents = hasDocument ? side[side.length - 1]! : { bytes, offsets };
  const source = bufferOf(documents.bytes);
  const idBytes = ids && bufferOf(ids.bytes);
  const extra = Buffer.from(parts.extra(now));
  const begin = Buffer.from(`{"${operation}":{`);
  const beforeId = Buffer.from('"_id":');
  const sent = new Uint32Array(rows);
  const refused: RefusedRow[] = [];
  const writer = new BodyWriter(source.length + rows * (begin.length + 32 + extra.length) + 2 * (ids?.bytes.length ?? 0));
  let count = 0;
  let line: Buffer | undefined;
  let lineIndex: string | undefined;
  for (let row = 0; row < rows; row++) {
    const from = documents.offsets[row]!;
    const to = trimmedEnd(source, from, documents.offsets[row + 1]! - 1);
    if (source[from] !== OPEN || source[to - 1] !== CLOSE) {
      refused.push({ row, reason: 'its document is no JSON object' });
      continue;
    }
    if (fixed === undefined) {
      const choice = index.choose(side.slice(0, columns), row, now);
      if ('reason' in choice) {
        refused.push({ row, reason: choice.reason });
        continue;
      }
      if (choice.name !== lineIndex) {
        lineIndex = choice.name;
        line = Buffer.from(`"_index":${JSON.stringify(choice.name)}`);
      }
    }
    writer.short(begin);
    if (line !== undefined) writer.short(line);
    if (ids && idBytes && ids.offsets[row + 1]! - ids.offsets[row]! > 1) {
      if (line !== undefined) writer.short(COMMA);
      writer.short(beforeId);
      writer.json(idBytes, ids.offsets[row]!, ids.offsets[row + 1]! - 1);
    }
    writer.short(END_OF_LINE);
    const end = trimmedEnd(source, from, to - 1);
    if (fields) writer.members(source, from, end, fields);
    else if (hasDocument) writer.oneLine(source, from, end);
    else writer.copy(source, from, end);
    if (extra.length > 0) writer.copy(extra, writer.endsWith(OPEN) ? 1 : 0, extra.length);
    writer.short(END_OF_DOCUMENT);
    sent[count++] = row;
  }
  return { bytes: writer.bytes, index: fixed, rows: sent.subarray(0, count), refused };
}

function trimmedEnd(bytes: Buffer, from: number, end: number): number {
  let to = end;
  while (to > from && bytes[to - 1]! <= 0x20) to--;
  return to;
}

/** Grows when it must, which is when texts have much to escape. */
class BodyWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  endsWith(byte: number): boolean {
    return this.#bytes[this.#at - 1] === byte;
  }

  text(text: string): void {
    this.#need(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at);
  }

  copy(source: Buffer, from: number, to: number): void {
    this.#need(to - from);
    source.copy(this.#bytes, this.#at, from, to);
    this.#at += to - from;
  }

  /** For a few bytes a call of {@link copy} costs more. */
  short(piece: Uint8Array): void {
    this.#need(piece.length);
    const bytes = this.#bytes;
    let to = this.#at;
    for (let at = 0; at < piece.length; at++) bytes[to++] = piece[at]!;
    this.#at = to;
  }

  /** As a JSON string. */
  json(source: Buffer, from: number, to: number): void {
    this.#need(to - from + 2);
    const bytes = this.#bytes;
    let end = this.#at;
    bytes[end++] = QUOTE;
    for (let at = from; at < to; at++) {
      const byte = source[at]!;
      if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) {
        this.text(JSON.stringify(source.toString('utf8', from, to)));
        return;
      }
      bytes[end++] = byte;
    }
    bytes[end++] = QUOTE;
    this.#at = end;
  }

  /** A document of several lines: between its tokens a line break is as good as a space. */
  oneLine(source: Buffer, from: number, to: number): void {
    const start = this.#at;
    this.copy(source, from, to);
    for (let at = this.#bytes.indexOf(NEWLINE, start); at >= 0 && at < this.#at; at = this.#bytes.indexOf(NEWLINE, at))
      this.#bytes[at] = 0x20;
  }

  /** The members of these names of an object that is valid JSON, without its closing bracket. */
  members(source: Buffer, from: number, to: number, names: ReadonlySet<string>): void {
    this.short(OBJECT);
    for (let at = from + 1; at < to; ) {
      const start = at;
      at = memberEnd(source, at, to);
      if (names.has(memberName(source, start))) {
        if (!this.endsWith(OPEN)) this.short(COMMA);
        this.copy(source, start, at);
      }
      at++;
    }
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Where the member that begins at `from` ends: at its comma, or at `to`. */
function memberEnd(bytes: Buffer, from: number, to: number): number {
  let depth = 0;
  let inString = false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN || byte === 0x5b) depth++;
    else if (byte === CLOSE || byte === 0x5d) depth--;
    else if (byte === 0x2c && depth === 0) return at;
  }
  return to;
}

function memberName(bytes: Buffer, from: number): string {
  const start = bytes.indexOf(QUOTE, from);
  let end = start + 1;
  while (bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  return JSON.parse(bytes.toString('utf8', start, end + 1)) as string;
}

function bufferOf({ buffer, byteOffset, byteLength }: RowTexts['bytes']): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
