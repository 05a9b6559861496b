/** Kafka's protocol as far as it is spoken here, beside what the client library speaks: whole numbers and texts, big-endian. */

/** Reads a response from its beginning. */
export class WireReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  i16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  i32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  /** Offsets and times are far below 2^53; ids that are not stand in {@link i64}. */
  number64(): number {
    this.at += 8;
    return this.bytes.readInt32BE(this.at - 8) * 4294967296 + this.bytes.readUInt32BE(this.at - 4);
  }

  i64(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  text(): string | undefined {
    const length = this.i16();
    if (length < 0) return undefined;
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  /** A view. */
  blob(): Buffer | undefined {
    const length = this.i32();
    if (length < 0) return undefined;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  list<T>(read: () => T): T[] {
    const length = this.i32();
    const items: T[] = [];
    for (let i = 0; i < length; i++) items.push(read());
    return items;
  }
}

/** Writes a request as pieces: large ones are not copied. */
export class WireWriter {
  readonly pieces: Uint8Array[] = [];

  i8(value: number): this {
    return this.#put(1, (bytes) => bytes.writeInt8(value));
  }

  i16(value: number): this {
    return this.#put(2, (bytes) => bytes.writeInt16BE(value));
  }

  i32(value: number): this {
    return this.#put(4, (bytes) => bytes.writeInt32BE(value));
  }

  i64(value: number | bigint): this {
    return this.#put(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)));
  }

  text(value: string | undefined): this {
    if (value === undefined) return this.i16(-1);
    const bytes = Buffer.from(value);
    this.i16(bytes.length).pieces.push(bytes);
    return this;
  }

  blob(pieces: readonly Uint8Array[]): this {
    this.i32(pieces.reduce((sum, { length }) => sum + length, 0)).pieces.push(...pieces);
    return this;
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.i32(items.length);
    for (const item of items) write(item);
    return this;
  }

  #put(length: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.allocUnsafe(length);
    write(bytes);
    this.pieces.push(bytes);
    return this;
  }
}
