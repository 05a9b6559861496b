import { isUtf8 } from 'node:buffer';

const HEAD_BYTES = 64 * 1024;

/**
 * The document of a rejected row, as docs/error-documents.md describes it. It holds the row twice, as it came from the source
 * and as it entered the node that failed, so that a replay can start at either.
 */
export interface ErrorDocument {
  readonly punchline: string;
  /** The node that rejected the row. */
  readonly node: string;
  readonly reason: string;
  /** SHA-256 of the function's module, where it has one. */
  readonly digest?: string;
  readonly source: string;
  readonly partition: string;
  /** Byte offset (or message number) of the row within its partition. */
  readonly position: number;
  readonly id: string;
  /** Time of the rejection, ISO 8601, UTC. */
  readonly time: string;
  /** The row as it came from the source. */
  readonly origin: RowBytes;
  /** The row as it entered the node. */
  readonly entered: RowBytes;
}

/** Bytes in JSON: as text when they are valid UTF-8, else in base64. `bytes` and `sha256` when only the head is kept. */
export interface RowBytes {
  readonly text?: string;
  readonly base64?: string;
  /** Length of the whole row in bytes. */
  readonly bytes?: number;
  /** SHA-256 of the whole row, hexadecimal. */
  readonly sha256?: string;
}

/** `truncated`: `row` is only the head of a row of that length and digest; a character cut at its end is left out. */
export function rowBytes(row: Uint8Array, truncated?: { readonly bytes: number; readonly sha256: string }): RowBytes {
  const whole = truncated ? withoutCutCharacter(row) : row;
  const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  const content = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
  return truncated ? { ...content, ...truncated } : content;
}

/** A row of which a document can hold only the head. */
export function rowHead(row: Uint8Array): RowBytes {
  if (row.length <= HEAD_BYTES) return rowBytes(row);
  const sha256 = process.getBuiltinModule('node:crypto').createHash('sha256').update(row).digest('hex');
  return rowBytes(row.subarray(0, HEAD_BYTES), { bytes: row.length, sha256 });
}

function withoutCutCharacter(row: Uint8Array): Uint8Array {
  for (let back = 1; back <= 3 && back <= row.length; back++) {
    const byte = row[row.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return row.subarray(0, row.length - back);
  }
  return row;
}
