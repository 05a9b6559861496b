/**
 * Decompression with a bound. Bytes come out as they are found, so that a bomb is noticed long before it fills the memory, and
 * of a stream that is cut off or damaged everything before the damage comes out before the error does.
 */
import type { Transform } from 'node:stream';
import { ReefError } from '../errors.ts';

/** `br` and zlib's formats as HTTP and files name them; `deflate` is zlib's format, and for those who get HTTP wrong the bare one. */
export type Compression = 'gzip' | 'deflate' | 'zstd' | 'br';
export const compressions: readonly Compression[] = ['gzip', 'deflate', 'zstd', 'br'];

export interface DecompressOptions {
  /** More than so many bytes are an error. Default: no bound. */
  readonly maxBytes?: number;
  /** What is read, for messages: `the body`, a path. */
  readonly subject?: string;
}

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** So much is inflated before the reader takes it. */
const OUTPUT_BYTES = 128 * 1024;

/**
 * What `source` holds, decompressed. Streams one behind the other (gzip members, zstd frames) are read as one. Rejects with a
 * `ReefError`: `limit` where there is more than `maxBytes`, `io` where the bytes are damaged or cut off. Pieces are good until the
 * next one is asked for.
 */
export async function* decompress(
  compression: Compression,
  source: Bytes,
  { maxBytes = Number.POSITIVE_INFINITY, subject = 'the body' }: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const piece of inflate(compression, source, subject, maxBytes !== Number.POSITIVE_INFINITY)) {
    total += piece.length;
    if (total > maxBytes) {
      throw new ReefError(
        'limit',
        `Cannot decompress ${subject}: it holds more than ${maxBytes} bytes behind its ${compression} compression, expected at most ${maxBytes}`,
        { data: { maxBytes, compression } },
      );
    }
    yield piece;
  }
}

/** All of a body that is in memory. */
export async function decompressWhole(
  compression: Compression,
  bytes: Uint8Array,
  options: DecompressOptions & { readonly maxBytes: number },
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decompress(compression, [bytes], options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* inflate(compression: Compression, source: Bytes, subject: string, bounded: boolean): AsyncGenerator<Uint8Array> {
  const input = new Input(source);
  try {
    while ((await input.peek()) !== undefined) {
      yield* inflateOne(compression, input, subject, bounded);
      if (isPadding(compression, await input.peek())) return;
      if (compression === 'br' && (await input.peek()) !== undefined)
        throw damaged(compression, subject, 'something follows its end');
    }
    if (input.taken === 0) throw cutOff(compression, subject, 0);
  } finally {
    await input.close();
  }
}

/** gzip files may be filled up with zeros behind their last member. */
function isPadding(compression: Compression, rest: Uint8Array | undefined): boolean {
  return compression === 'gzip' && rest !== undefined && rest.every((byte) => byte === 0);
}

/** One stream; what follows it stays in the input. */
async function* inflateOne(
  compression: Compression,
  input: Input,
  subject: string,
  bounded: boolean,
): AsyncGenerator<Uint8Array> {
  const stream = openStream(compression, (await input.peek())!, bounded);
  const before = input.taken;
  let wake = Promise.withResolvers<void>();
  let failure: { readonly error: unknown } | undefined;
  let ended = false;
  let writing = false;
  const ring = (): void => wake.resolve();
  const fail = (error: unknown): void => {
    failure ??= { error };
    ring();
  };
  stream.on('readable', ring);
  stream.on('error', fail);
  stream.on('end', () => {
    ended = true;
    ring();
  });
  const write = async (): Promise<void> => {
    const piece = await input.take();
    const written = (): void => {
      writing = false;
      ring();
    };
    if (piece === undefined) stream.end();
    else stream.write(piece, written);
  };
  try {
    for (;;) {
      wake = Promise.withResolvers<void>();
      // Also behind a failure: what came before it is whole.
      const piece = stream.read() as Uint8Array | null;
      if (piece !== null) {
        yield piece;
        continue;
      }
      if (failure !== undefined) throw streamError(failure.error, { compression, subject, at: input.taken });
      if (ended) break;
      // What it has left over belongs to another stream: this one ends soon.
      const full = stream.bytesWritten < input.taken - before;
      if (!writing && !full) {
        writing = true;
        write().catch(fail);
      }
      await wake.promise;
    }
    input.putBack(input.taken - before - stream.bytesWritten);
  } finally {
    stream.destroy();
  }
}

/** The compressed bytes, of which the last piece can be given back. */
class Input {
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #next: Uint8Array | undefined;
  #last: Uint8Array | undefined;
  taken = 0;

  constructor(source: Bytes) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** The next piece, not empty; `undefined`: the end. */
  async peek(): Promise<Uint8Array | undefined> {
    while (this.#next === undefined) {
      const next = await this.#iterator.next();
      if (next.done) return undefined;
      if (next.value.length > 0) this.#next = next.value;
    }
    return this.#next;
  }

  async take(): Promise<Uint8Array | undefined> {
    const piece = await this.peek();
    if (piece === undefined) return undefined;
    this.#next = undefined;
    this.#last = piece;
    this.taken += piece.length;
    return piece;
  }

  /** The last bytes of what was taken were not used. */
  putBack(length: number): void {
    if (length === 0) return;
    this.taken -= length;
    this.#next = this.#last!.subarray(this.#last!.length - length);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

type ZlibStream = Transform & { readonly bytesWritten: number };

function openStream(compression: Compression, first: Uint8Array, bounded: boolean): ZlibStream {
  // Loaded when it is needed.
  const zlib = process.getBuiltinModule('node:zlib');
  const options = { chunkSize: OUTPUT_BYTES };
  switch (compression) {
    case 'gzip':
      return zlib.createGunzip(options);
    case 'deflate':
      return isZlib(first) ? zlib.createInflate(options) : zlib.createInflateRaw(options);
    case 'br':
      return zlib.createBrotliDecompress(options);
    case 'zstd': {
      // A frame may ask for a window of 128 MiB; strangers get the 8 MiB that RFC 9659 allows in HTTP.
      const params = bounded ? { [zlib.constants.ZSTD_d_windowLogMax]: 23 } : {};
      return zlib.createZstdDecompress({ ...options, params });
    }
  }
}

/** The header of zlib's format has a check sum of its own. */
function isZlib([first = 0, second]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (second === undefined || ((first << 8) | second) % 31 === 0);
}

interface Place {
  readonly compression: Compression;
  readonly subject: string;
  readonly at: number;
}

function streamError(error: unknown, { compression, subject, at }: Place): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return cutOff(compression, subject, at);
  const fromZlib = typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZSTD|ERR_BROTLI|ERR__ERROR_)/.test(code);
  return fromZlib ? damaged(compression, subject, `${message}, near compressed byte ${at}`, error) : error;
}

function cutOff(compression: Compression, subject: string, at: number): ReefError {
  return new ReefError(
    'io',
    `Cannot decompress ${subject}: its ${compression} data ends too early, at compressed byte ${at}, expected the whole of it`,
  );
}

function damaged(compression: Compression, subject: string, what: string, cause?: unknown): ReefError {
  return new ReefError('io', `Cannot decompress ${subject}: its ${compression} data is damaged: ${what}`, { cause });
}
