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

/**
 * The rows of a bulk as COPY's text format has them, from the texts of their columns: no row is taken apart. Only where a text is empty
 * does the row itself say whether it is one or missing.
 */
export function copyText({ bytes, rows, offsets, side }: Bulk, columns: readonly CopyColumn[]): Buffer {
  const textBytes = side.reduce((sum, texts) => sum + texts.offsets[rows]! - texts.offsets[0]!, 0);
  // Every byte may become two, and every value may be NULL.
  const out = Buffer.allocUnsafe(2 * textBytes + 3 * rows * columns.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    let parsed: Readonly<Record<string, unknown>> | undefined;
    for (let column = 0; column < columns.length; column++) {
      const texts = side[column]!;
      const from = texts.offsets[row]!;
      const to = texts.offsets[row + 1]! - 1;
      if (from < to) at = writeEscaped(texts, from, to, out, at);
      else {
        const { name, isText } = columns[column]!;
        if (isText) parsed ??= JSON.parse(Buffer.from(bytes.subarray(offsets[row]!, offsets[row + 1]!)).toString());
        if (!isText || parsed![name] !== '') at += NULL.copy(out, at);
      }
      out[at++] = column + 1 === columns.length ? LINE_FEED : TAB;
    }
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
