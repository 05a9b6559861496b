/**
 * Writes records (records.ts) into a partition. A record that fits the memory at hand is written at once, without a promise; only
 * where memory is scarce does the caller wait.
 */
import type { AdvanceOptions, Feed, PartitionFeed, PartitionOptions } from './feed.ts';
import { OVERSIZE_HEAD_BYTES, tooLong } from './oversize.ts';
import { RECORD_HEADER_BYTES, type RecordLayout, type RecordValue } from './records.ts';

export interface RecordWriterOptions extends PartitionOptions {
  readonly records: RecordLayout;
  /** Payloads are JSON: their newlines are white space. Default false. */
  readonly json?: boolean;
  /** Payloads are bytes of any kind, each a row of the codec `raw`: what is fed is their base64. Default false. */
  readonly raw?: boolean;
  /** Columns whose texts are JSON: objects or lists, not strings. */
  readonly jsonColumns?: readonly string[];
}

/** A payload that is too long to be kept whole. */
export interface LongPayload {
  /** Its beginning, at least as much as is kept of such a row. */
  readonly head: Uint8Array;
  /** Of all of it. */
  readonly bytes: number;
  readonly sha256: string;
}

/** As base64 these are as many as of any other row. */
const RAW_HEAD_BYTES = (OVERSIZE_HEAD_BYTES / 4) * 3;
const NEWLINE = 10;
const RETURN = 13;
/** Kind and length before each value. */
const VALUE_HEADER_BYTES = 5;
/** Kinds of tokens, as the kernel has them. */
const Kind = { none: 0, integer: 2, float: 3, true: 4, false: 5, object: 7, list: 8, text: 9 } as const;

export class RecordWriter {
  readonly partition: PartitionFeed;
  readonly #options: RecordWriterOptions;
  readonly #maxRowBytes: number;
  readonly #isJson: readonly boolean[];
  /** Memory at hand and the bytes of it that are written. */
  #room: Buffer | undefined;
  #filled = 0;
  #offset: number;
  #marks: number[] = [];
  #marksNext = false;
  /** Something is fed that no flush has sent off. */
  #loose = false;

  constructor(feed: Feed, name: string, options: RecordWriterOptions) {
    this.#options = options;
    this.#maxRowBytes = feed.maxRowBytes;
    this.#isJson = options.records.columns.map((column) => options.jsonColumns?.includes(column) ?? false);
    this.#offset = options.offset ?? 0;
    this.partition = feed.partition(name, options);
  }

  /** Offset, within the partition, behind the last record. */
  get offset(): number {
    return this.#offset;
  }

  /** `settled` is to say what became of what was added since the last mark. To be called before anything else is. */
  mark(): void {
    this.#marks.push(this.#offset);
  }

  /** The same of what the next record ends: its mark goes on its way with it. */
  markNext(): void {
    this.#marksNext = true;
  }

  /** Whether a row of so many bytes is no longer than rows may be. */
  fits(bytes: number): boolean {
    return this.#fedBytes(bytes) <= this.#maxRowBytes;
  }

  /**
   * Adds a record: `position` is what `_ppf_id` derives from, `values` stand in the order of the columns. Both and the payload are
   * copied before it returns. Where it returns a promise, nothing may be added before that has resolved.
   */
  add(position: number, values: readonly RecordValue[], payload: Uint8Array): Promise<void> | undefined {
    if (!this.fits(payload.length)) return this.#refuse(position, values, payload);
    const most = RECORD_HEADER_BYTES + valuesRoom(values) + this.#fedBytes(payload.length) + 1;
    const room = this.#room;
    if (room && this.#filled + most <= room.length) {
      const end = this.#put(room, this.#filled, { position, values, payload });
      this.#pass(end - this.#filled);
      this.#filled = end;
      return undefined;
    }
    const record = Buffer.allocUnsafe(most);
    const end = this.#put(record, 0, { position, values, payload });
    this.#pass(end);
    return this.#feed(record.subarray(0, end));
  }

  /** Adds a record whose payload is longer than a row may be: it goes to the error table with its head. */
  async refuse(position: number, values: readonly RecordValue[], { head, bytes, sha256 }: LongPayload): Promise<void> {
    this.flush();
    const payload = head.subarray(0, this.#options.raw ? RAW_HEAD_BYTES : OVERSIZE_HEAD_BYTES);
    const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + valuesRoom(values) + this.#fedBytes(payload.length) + 1);
    const end = this.#put(record, 0, { position, values, payload });
    this.#pass(end);
    await this.#feed(record.subarray(0, end));
    const reason = tooLong(this.#fedBytes(bytes), this.#maxRowBytes);
    this.#advance({ refused: { reason: this.#options.raw ? `${reason}: bytes stand in it as base64` : reason, bytes, sha256 } });
  }

  /** What was added goes to a worker now. To be called when nothing follows soon. */
  flush(): void {
    if (this.#room) this.#advance({ flush: true });
    else if (this.#loose) this.partition.flush();
    this.#loose = false;
  }

  /** Gives the memory back that is not written yet: somebody else may need it. To be called before waiting for anything. */
  rest(): void {
    if (this.#room) this.#advance();
  }

  async end(): Promise<void> {
    this.rest();
    await this.partition.end();
  }

  async #feed(record: Buffer): Promise<void> {
    this.rest();
    for (let from = 0; ; ) {
      const room = await this.partition.room();
      const length = Math.min(room.length, record.length - from);
      room.set(record.subarray(from, from + length));
      from += length;
      this.#room = Buffer.from(room.buffer as ArrayBuffer, room.byteOffset, room.length);
      this.#filled = length;
      if (from === record.length) return;
      this.#advance();
    }
  }

  #pass(bytes: number): void {
    this.#offset += bytes;
    if (!this.#marksNext) return;
    this.#marksNext = false;
    this.mark();
  }

  #advance(options?: AdvanceOptions): void {
    const marks = this.#marks;
    const length = this.#filled;
    if (marks.length > 0) this.#marks = [];
    this.#room = undefined;
    this.#filled = 0;
    this.#loose = !options?.flush && !options?.refused;
    this.partition.advance(length, marks.length > 0 ? { ...options, marks } : options);
  }

  #refuse(position: number, values: readonly RecordValue[], payload: Uint8Array): Promise<void> {
    const { createHash } = process.getBuiltinModule('node:crypto');
    const sha256 = createHash('sha256').update(payload).digest('hex');
    return this.refuse(position, values, { head: payload, bytes: payload.length, sha256 });
  }

  /** So many bytes stand in memory for a payload of this length. */
  #fedBytes(bytes: number): number {
    return this.#options.raw ? Math.ceil(bytes / 3) * 4 : bytes;
  }

  /** Writes the record at `from`, where there is room for it. Returns where it ends. */
  #put(
    out: Buffer,
    from: number,
    { position, values, payload }: { position: number; values: readonly RecordValue[]; payload: Uint8Array },
  ): number {
    let at = from + RECORD_HEADER_BYTES;
    for (let column = 0; column < this.#isJson.length; column++) at = putValue(out, at, values[column], this.#isJson[column]!);
    out.writeUInt32LE(at - from - RECORD_HEADER_BYTES, from + 4);
    out.writeDoubleLE(position, from + 8);
    const end = at + this.#fedBytes(payload.length);
    if (this.#options.raw) out.write(asBase64(payload), at, 'latin1');
    else out.set(payload, at);
    out[end] = NEWLINE;
    if (this.#options.json && this.#options.records.rows === 'one') returnsForNewlines(out, at, end);
    out.writeUInt32LE(end + 1 - from - 4, from);
    return end + 1;
  }
}

function asBase64({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, length).toString('base64');
}

/** Most bytes that the values take. */
function valuesRoom(values: readonly RecordValue[]): number {
  let bytes = 0;
  for (const value of values) {
    bytes += VALUE_HEADER_BYTES;
    if (typeof value === 'string') bytes += value.length * 3;
    else if (typeof value === 'object' && value !== null) bytes += value.length;
    else bytes += 32;
  }
  return bytes;
}

function putValue(out: Buffer, at: number, value: RecordValue, json: boolean): number {
  const from = at + VALUE_HEADER_BYTES;
  let length = 0;
  let kind: number = Kind.none;
  switch (typeof value) {
    case 'string':
      length = out.write(value, from, 'utf8');
      kind = Kind.text;
      break;
    case 'object':
      if (value === null) break;
      putBytes(out, from, value);
      length = value.length;
      kind = Kind.text;
      break;
    case 'number':
    case 'bigint':
      // NaN and infinities have no token.
      if (isWhole(value)) {
        length = putWhole(out, from, value) - from;
        kind = Kind.integer;
      } else if (typeof value === 'bigint' || Number.isFinite(value)) {
        length = out.write(String(value), from, 'latin1');
        kind = typeof value === 'bigint' || Number.isSafeInteger(value) ? Kind.integer : Kind.float;
      }
      break;
    case 'boolean':
      length = out.write(String(value), from, 'latin1');
      kind = value ? Kind.true : Kind.false;
      break;
  }
  if (json && kind === Kind.text) kind = out[from] === 0x5b ? Kind.list : Kind.object;
  out[at] = kind;
  out.writeUInt32LE(length, at + 1);
  return from + length;
}

/** Up to so many bytes a loop is faster than the call that copies. */
const FEW_BYTES = 24;

function putBytes(out: Buffer, at: number, bytes: Uint8Array): void {
  if (bytes.length > FEW_BYTES) out.set(bytes, at);
  else for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
}

/** Offsets, times, ports: what is written for each record, so without a string. */
function isWhole(value: number | bigint): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const BILLION = 1_000_000_000;

/** Decimal digits, in parts that fit into 32 bits: dividing those is cheap. Returns where they end. */
function putWhole(out: Buffer, at: number, value: number): number {
  if (value < BILLION) return putDigits(out, at, value, digitsOf(value));
  const high = Math.floor(value / BILLION);
  const end = putDigits(out, at, high, digitsOf(high));
  return putDigits(out, end, value - high * BILLION, 9);
}

function putDigits(out: Buffer, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const higher = (rest / 10) | 0;
    out[place] = 48 + rest - higher * 10;
    rest = higher;
  }
  return at + digits;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

/**
 * A newline would end a row of JSON. Between tokens a carriage return is white space as well; within a string both are errors, so
 * what was wrong stays wrong.
 */
function returnsForNewlines(out: Buffer, from: number, end: number): void {
  // The newline at the end stops the search.
  for (let at = out.indexOf(NEWLINE, from); at < end; at = out.indexOf(NEWLINE, at + 1)) out[at] = RETURN;
}
