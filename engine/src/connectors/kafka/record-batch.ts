/**
 * Record batches of version 2, the only form that brokers have written since Kafka 0.11: a header of 61 bytes, then records of
 * variable-length numbers. They are read and written here without an object for each record.
 */
import { ReefError } from '../../errors.ts';

/** Bytes before the records. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes before those that the length counts. */
export const BATCH_PREFIX_BYTES = 12;

/** Where the parts of the header stand. */
export const At = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTime: 27,
  maxTime: 35,
  producerId: 43,
  producerEpoch: 51,
  sequence: 53,
  count: 57,
} as const;

export const TRANSACTIONAL = 16;
const CONTROL = 32;
const APPEND_TIME = 8;
const COMPRESSION = 7;

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

/** A batch as it lies in a response. */
export interface BatchView {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly compression: Compression;
  readonly transactional: boolean;
  /** It holds a marker of a transaction, no rows. */
  readonly control: boolean;
  readonly producerId: bigint;
  /** That of the first record; with `appendTime` that of all. */
  readonly time: number;
  readonly appendTime: boolean;
  readonly count: number;
  /** The records, compressed. */
  readonly records: Buffer;
  readonly crc: number;
  /** What the checksum is over. */
  readonly summed: Buffer;
}

/** The complete batches of a response; a last one that is cut off is left out. */
export function* batchesIn(bytes: Buffer): Generator<BatchView> {
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
    const end = at + BATCH_PREFIX_BYTES + bytes.readInt32BE(at + At.length);
    if (end > bytes.length) return;
    const magic = bytes.readInt8(at + At.magic);
    if (magic !== 2)
      throw new ReefError(
        'io',
        `Cannot read Kafka records: they have format ${magic}, expected 2 (brokers of Kafka 0.11 and newer)`,
      );
    const attributes = bytes.readInt16BE(at + At.attributes);
    const firstOffset = number64(bytes, at);
    const appendTime = (attributes & APPEND_TIME) !== 0;
    const compression = compressions[attributes & COMPRESSION];
    if (compression === undefined)
      throw new ReefError(
        'io',
        `Cannot read Kafka records: compression is ${attributes & COMPRESSION}, expected ${compressions.join(', ')}`,
      );
    yield {
      firstOffset,
      lastOffset: firstOffset + bytes.readInt32BE(at + At.lastOffsetDelta),
      compression,
      transactional: (attributes & TRANSACTIONAL) !== 0,
      control: (attributes & CONTROL) !== 0,
      producerId: bytes.readBigInt64BE(at + At.producerId),
      time: number64(bytes, at + (appendTime ? At.maxTime : At.firstTime)),
      appendTime,
      count: bytes.readInt32BE(at + At.count),
      records: bytes.subarray(at + BATCH_HEADER_BYTES, end),
      crc: bytes.readUInt32BE(at + At.crc),
      summed: bytes.subarray(at + At.attributes, end),
    };
    at = end;
  }
}

export function number64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4294967296 + bytes.readUInt32BE(at + 4);
}

/** Walks over the records of a batch, once decompressed: its fields are those of the record that {@link next} has read. */
export class RecordCursor {
  readonly bytes: Buffer;
  readonly #view: BatchView;
  #at = 0;
  #left: number;
  offset = 0;
  time = 0;
  /** Bounds of the key and the value; a start below 0: there is none. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  #headersAt = 0;

  constructor(view: BatchView, bytes: Buffer) {
    this.#view = view;
    this.bytes = bytes;
    this.#left = view.count;
  }

  next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.bytes.length)
      throw new ReefError('io', 'Cannot read Kafka records: a record is longer than its batch');
    this.#at++; // Attributes: none are defined.
    const time = this.#varint();
    this.time = this.#view.appendTime ? this.#view.time : this.#view.time + time;
    this.offset = this.#view.firstOffset + this.#varint();
    const key = this.#varint();
    this.keyStart = key < 0 ? -1 : this.#at;
    if (key > 0) this.#at += key;
    this.keyEnd = this.#at;
    const value = this.#varint();
    this.valueStart = value < 0 ? -1 : this.#at;
    if (value > 0) this.#at += value;
    this.valueEnd = this.#at;
    this.#headersAt = this.#at;
    this.#at = end;
    return true;
  }

  /** JSON of the headers: an object of texts; of several with one name a list. `undefined`: there are none. */
  headers(): string | undefined {
    const back = this.#at;
    this.#at = this.#headersAt;
    const count = this.#varint();
    let headers: Map<string, string | null | (string | null)[]> | undefined;
    for (let i = 0; i < count; i++) {
      const name = this.#text() ?? '';
      const value = this.#text();
      headers ??= new Map();
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]);
    }
    this.#at = back;
    return headers && JSON.stringify(Object.fromEntries(headers));
  }

  #text(): string | null {
    const length = this.#varint();
    if (length < 0) return null;
    this.#at += length;
    return this.bytes.toString('utf8', this.#at - length, this.#at);
  }

  /** Zigzag, seven bits a byte. Of 64 bits only those up to 2^53 are exact, which times and offsets never leave. */
  #varint(): number {
    const { bytes } = this;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 127;
    for (let scale = 128; ; scale *= 128) {
      byte = bytes[this.#at++]!;
      // Also at the end of the bytes, where there is none.
      if (!(byte >= 128)) return unzigzag(value + (byte ?? 0) * scale);
      value += (byte & 127) * scale;
    }
  }
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
