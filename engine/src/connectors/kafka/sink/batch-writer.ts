/** Writes rows as records of a batch, from the encoded bytes where they lie, without an object for each. */
import type { Compression } from '../record-batch.ts';
import { At, BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, compressions } from '../record-batch.ts';

/** Most bytes of a varint of 32 bits, and of what a record has beside its key, value and headers. */
const VARINT_BYTES = 5;
export const RECORD_OVERHEAD_BYTES = 1 + VARINT_BYTES * 5 + 1;

/** Numbers under which an idempotent producer sends a batch. */
export interface Numbering {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly sequence: number;
}

export class BatchWriter {
  #out: Buffer;
  #at = 0;
  rows = 0;

  constructor(room: number) {
    this.#out = Buffer.allocUnsafe(Math.max(room, 256));
  }

  /** Bytes of the records so far. */
  get length(): number {
    return this.#at;
  }

  /** The value is `[start, end)` of the bytes. `headers`: as {@link encodeHeaders} makes them. */
  add(bytes: Buffer, start: number, end: number, key: Buffer | undefined, headers: Uint8Array): void {
    const valueBytes = end - start;
    const keyBytes = key ? key.length : -1;
    const length =
      1 + // Attributes.
      1 + // Time, of the batch.
      varintBytes(this.rows) +
      varintBytes(keyBytes) +
      Math.max(keyBytes, 0) +
      varintBytes(valueBytes) +
      valueBytes +
      headers.length;
    this.#need(length + VARINT_BYTES);
    const out = this.#out;
    let at = putVarint(out, this.#at, length);
    out[at++] = 0;
    out[at++] = 0;
    at = putVarint(out, at, this.rows);
    at = putVarint(out, at, keyBytes);
    if (key) {
      key.copy(out, at);
      at += keyBytes;
    }
    at = putVarint(out, at, valueBytes);
    bytes.copy(out, at, start, end);
    at += valueBytes;
    out.set(headers, at);
    this.#at = at + headers.length;
    this.rows++;
  }

  /** The records, to be compressed. */
  records(): Buffer {
    return this.#out.subarray(0, this.#at);
  }

  #need(more: number): void {
    if (this.#at + more <= this.#out.length) return;
    const wider = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#at + more));
    this.#out.copy(wider, 0, 0, this.#at);
    this.#out = wider;
  }
}

export interface BatchOptions {
  readonly rows: number;
  readonly time: number;
  readonly compression: Compression;
  /** `undefined`: the producer is not idempotent. */
  readonly numbering: Numbering | undefined;
  crc32c(bytes: Uint8Array): number;
}

/** Puts the header before records, which are compressed already. */
export function finishBatch(records: Buffer, { rows, time, compression, numbering, crc32c }: BatchOptions): Buffer {
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  batch.fill(0, 0, BATCH_HEADER_BYTES);
  records.copy(batch, BATCH_HEADER_BYTES);
  batch.writeInt32BE(batch.length - BATCH_PREFIX_BYTES, At.length);
  batch.writeInt32BE(-1, BATCH_PREFIX_BYTES);
  batch[At.magic] = 2;
  batch.writeInt16BE(compressions.indexOf(compression), At.attributes);
  batch.writeInt32BE(rows - 1, At.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(time), At.firstTime);
  batch.writeBigInt64BE(BigInt(time), At.maxTime);
  batch.writeBigInt64BE(numbering?.producerId ?? -1n, At.producerId);
  batch.writeInt16BE(numbering?.epoch ?? -1, At.producerEpoch);
  batch.writeInt32BE(numbering?.sequence ?? -1, At.sequence);
  batch.writeInt32BE(rows, At.count);
  batch.writeUInt32BE(crc32c(batch.subarray(At.attributes)) >>> 0, At.crc);
  return batch;
}

/** The headers of a record as they stand in it, their number first. `null`: a header without a value. */
export function encodeHeaders(headers: readonly (readonly [string, string | null])[]): Buffer {
  const out = new BatchBytes();
  out.varint(headers.length);
  for (const [name, value] of headers) {
    out.text(name);
    if (value === null) out.varint(-1);
    else out.text(value);
  }
  return out.bytes();
}

class BatchBytes {
  readonly #pieces: Buffer[] = [];

  varint(value: number): void {
    const bytes = Buffer.allocUnsafe(VARINT_BYTES);
    this.#pieces.push(bytes.subarray(0, putVarint(bytes, 0, value)));
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.varint(bytes.length);
    this.#pieces.push(bytes);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function varintBytes(value: number): number {
  const bits = zigzag(value);
  return bits < 0x80 ? 1 : bits < 0x4000 ? 2 : bits < 0x200000 ? 3 : bits < 0x10000000 ? 4 : 5;
}

function putVarint(out: Uint8Array, at: number, value: number): number {
  let bits = zigzag(value);
  while (bits >= 128) {
    out[at++] = (bits & 127) | 128;
    bits >>>= 7;
  }
  out[at++] = bits;
  return at;
}
