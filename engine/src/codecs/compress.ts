import { promisify } from 'node:util';
import type { Compression } from './decompress.ts';

/**
 * Compresses bytes to one complete stream (gzip member, zstd frame), on libuv's pool. The bytes may be a view over shared memory
 * and must stay as they are until it resolves.
 */
export function compressWhole(compression: Compression, bytes: Uint8Array): Promise<Buffer> {
  // Loaded when it is needed.
  const zlib = process.getBuiltinModule('node:zlib');
  switch (compression) {
    case 'gzip':
      return promisify(zlib.gzip)(bytes);
    case 'deflate':
      return promisify(zlib.deflate)(bytes);
    case 'zstd':
      // Without asking for it a frame has no check sum.
      return promisify(zlib.zstdCompress)(bytes, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } });
    case 'br':
      // The default quality, 11, takes a second a megabyte.
      return promisify(zlib.brotliCompress)(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } });
  }
}
