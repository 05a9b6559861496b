/**
 * Records: how a source hands over rows that come one by one, with things known beside each (a broker's messages, datagrams,
 * requests). In memory, little-endian, without gaps:
 *
 * | bytes | what |
 * | 4     | u32: bytes of the record behind this field |
 * | 4     | u32: bytes of the values |
 * | 8     | f64: the position, a whole number that `_ppf_id` derives from |
 * | …     | for each column: u8 kind of its token (0: absent), u32 length, the token; a text is raw UTF-8 (kind 9) |
 * | …     | the payload |
 * | 1     | a newline |
 */
export const RECORD_HEADER_BYTES = 16;

/** How the records of a partition are made. */
export interface RecordLayout {
  /**
   * Columns whose values stand beside each record, in this order. Those of the engine (`_ppf_…`) go out only where `out` declares
   * them; any other one becomes a column of the row, in place of its own.
   */
  readonly columns: readonly string[];
  /**
   * `one`: a record is one row, whatever bytes it holds. `lines`: each of its lines is one. `counted`: it holds any number of rows of
   * text, each behind its length in bytes, which is written in decimal digits and ended by a blank (octet counting, RFC 6587).
   */
  readonly rows: 'one' | 'lines' | 'counted';
}

/** A value beside a record: a text (bytes must be UTF-8), a number, or nothing. */
export type RecordValue = string | number | bigint | boolean | Uint8Array | null | undefined;

/** Pointer behind the record at `from`; `undefined`: it does not end before `to`. */
export function recordEnd(bytes: Buffer, from: number, to: number): number | undefined {
  if (from + 4 > to) return undefined;
  const end = from + 4 + bytes.readUInt32LE(from);
  return end <= to ? end : undefined;
}

/** What a row at `start` is known by, as the kernel's `recordPositions` says it; records begin at `from`. */
export function recordPosition(bytes: Buffer, from: number, start: number, { rows }: RecordLayout): number {
  let head = from;
  for (let end = head; start >= end; end = head + 4 + bytes.readUInt32LE(head)) head = end;
  const payload = head + RECORD_HEADER_BYTES + bytes.readUInt32LE(head + 4);
  return bytes.readDoubleLE(head + 8) + (rows === 'one' ? 0 : start - payload);
}

/** A record as it stands in memory, for tests; the payload ends with its newline. */
export interface ReadRecord {
  readonly position: number;
  /** Tokens as text; `undefined`: absent. */
  readonly values: readonly (string | undefined)[];
  readonly payload: Buffer;
}

export function readRecords(bytes: Buffer): ReadRecord[] {
  const records: ReadRecord[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = from + 4 + bytes.readUInt32LE(from);
    const payload = from + RECORD_HEADER_BYTES + bytes.readUInt32LE(from + 4);
    const values: (string | undefined)[] = [];
    for (let at = from + RECORD_HEADER_BYTES; at < payload; ) {
      const length = bytes.readUInt32LE(at + 1);
      values.push(bytes[at] === 0 ? undefined : bytes.toString('utf8', at + 5, at + 5 + length));
      at += 5 + length;
    }
    records.push({ position: bytes.readDoubleLE(from + 8), values, payload: bytes.subarray(payload, end) });
    from = end;
  }
  return records;
}
