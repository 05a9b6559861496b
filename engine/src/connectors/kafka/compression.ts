/** Compression of record batches. gzip and zstd run beside the main thread; snappy and lz4 are quick, and the library's. */
import { promisify } from 'node:util';
import { ReefError } from '../../errors.ts';
import type { KafkaLibrary } from './client.ts';
import type { Compression } from './record-batch.ts';

/** Brokers take batches of 1 MiB by default, and of what they are told to: whoever sends more than this means no good. */
const MOST_BYTES = 256 * 1024 * 1024;

export async function decompress(library: KafkaLibrary, how: Compression, bytes: Buffer): Promise<Buffer> {
  const { gunzip, zstdDecompress } = process.getBuiltinModule('node:zlib');
  try {
    switch (how) {
      case 'none':
        return bytes;
      case 'gzip':
        return await promisify<Buffer, object, Buffer>(gunzip)(bytes, { maxOutputLength: MOST_BYTES });
      case 'zstd':
        return await promisify<Buffer, object, Buffer>(zstdDecompress)(bytes, { maxOutputLength: MOST_BYTES });
      default:
        return asBuffer(library.compressionsAlgorithms[how].decompressSync(bytes));
    }
  } catch (error) {
    const { message } = error as Error;
    throw new ReefError('io', `Cannot read Kafka records: ${how} says ${message}, expected a whole batch`, { cause: error });
  }
}

export async function compress(library: KafkaLibrary, how: Compression, bytes: Buffer): Promise<Buffer> {
  const { gzip, zstdCompress } = process.getBuiltinModule('node:zlib');
  switch (how) {
    case 'none':
      return bytes;
    case 'gzip':
      return promisify<Buffer, Buffer>(gzip)(bytes);
    case 'zstd':
      return promisify<Buffer, Buffer>(zstdCompress)(bytes);
    default:
      return asBuffer(library.compressionsAlgorithms[how].compressSync(bytes));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
