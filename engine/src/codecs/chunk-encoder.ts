/** From the rows of a chunk to the bytes of a file: the header of CSV at its start, compression. */

import type { Codec } from '../spec/plan.ts';
import { compressWhole } from './compress.ts';
import { encodeCsvHeader } from './csv-header.ts';
import type { Compression } from './decompress.ts';

/** Compressed side by side on libuv's pool, each a member of its own. */
const PIECE_BYTES = 512 * 1024;

export class ChunkEncoder {
  readonly compression: Compression | undefined;
  /** Rows end with a newline: what stands before them must, too. */
  readonly lines: boolean;
  /** What each file begins with. */
  readonly #header: Buffer | undefined;

  constructor(codec: Codec, compression: Compression | undefined) {
    this.compression = compression;
    this.lines = codec.name !== 'raw';
    this.#header = codec.name === 'csv' && codec.header ? encodeCsvHeader(codec) : undefined;
  }

  /** What a file begins with before its first row, uncompressed. */
  get headerBytes(): number {
    return this.#header?.length ?? 0;
  }

  /** The pieces to write one behind the other; `isStart`: nothing is in the file yet. Views over `rows` where nothing changes. */
  async encode(rows: readonly Uint8Array[], isStart: boolean): Promise<readonly Uint8Array[]> {
    const bytes = isStart && this.#header ? [this.#header, ...rows] : rows;
    const { compression } = this;
    if (compression === undefined) return bytes;
    const whole = bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes);
    const pieces: Promise<Buffer>[] = [];
    for (let at = 0; at < whole.length; at += PIECE_BYTES) {
      pieces.push(compressWhole(compression, whole.subarray(at, at + PIECE_BYTES)));
    }
    return Promise.all(pieces);
  }
}
