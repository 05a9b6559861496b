import type { Bulk } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const BACKSLASH = 92;
const NULL = Buffer.from('\\N');

/** One column of COPY. */
export interface CopyColumn {
  /** The column of the row. */
  readonly name: string;
  /** An empty text is a text there. Elsewhere (a number, a time) it can only be NULL. */
  readonly isText: boolean;
}

/** The rows of a bulk as COPY reads them, in CSV: the kernel has written them beside the rows. */
export function copyCsv({ rows, side }: Bulk): Buffer {
  const { bytes, offsets } = side[0]!;
  return Buffer.from(bytes.subarray(offsets[0]!, offsets[rows]!));
}

/**
 * The same of a lone column, in COPY's text format, since CSV has no line for a value that is missing. Only where a text is empty does
 * the row itself say whether it is one or missing.
 */
export function copyText({ bytes, rows, offsets, side }: Bulk, { name, isText }: CopyColumn): Buffer {
  const texts = side[0]!;
  // Every byte may become two, and every value may be NULL.
  const out = Buffer.allocUnsafe(2 * (texts.offsets[rows]! - texts.offsets[0]!) + 3 * rows);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const from = texts.offsets[row]!;
    const to = texts.offsets[row + 1]! - 1;
    if (from < to) at = writeEscaped(texts, from, to, out, at);
    else if (!isText || JSON.parse(Buffer.from(bytes.subarray(offsets[row]!, offsets[row + 1]!)).toString())[name] !== '')
      at += NULL.copy(out, at);
    out[at++] = LINE_FEED;
  }
  return out.subarray(0, at);
}

function writeEscaped({ bytes }: RowTexts, from: number, to: number, out: Buffer, start: number): number {
  let at = start;
  for (let index = from; index < to; index++) {
    const byte = bytes[index]!;
    if (byte === BACKSLASH || byte === TAB || byte === LINE_FEED || byte === RETURN) {
      out[at++] = BACKSLASH;
      // A backslash before a byte that has no other meaning stands for that byte.
      out[at++] = byte === TAB ? 116 : byte === LINE_FEED ? 110 : byte === RETURN ? 114 : BACKSLASH;
    } else out[at++] = byte;
  }
  return at;
}
