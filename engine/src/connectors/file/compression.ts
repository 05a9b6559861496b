/** What the setting `compression` says, by itself or by the name and the first bytes of a file. */
import type { Compression } from '../../codecs/decompress.ts';
import { choice } from '../../spec/fields.ts';

export type FileCompression = Exclude<Compression, 'br'>;
export const compressionWords = ['auto', 'none', 'gzip', 'zstd', 'deflate'] as const;
export type CompressionWord = (typeof compressionWords)[number];

const endings: Readonly<Record<string, FileCompression>> = {
  '.gz': 'gzip',
  '.gzip': 'gzip',
  '.zst': 'zstd',
  '.zstd': 'zstd',
  '.zz': 'deflate',
  '.zlib': 'deflate',
  '.deflate': 'deflate',
};

/** What the ending of the name promises. */
export function compressionByName(path: string): FileCompression | undefined {
  const ending = Object.keys(endings).find((word) => path.toLowerCase().endsWith(word));
  return ending === undefined ? undefined : endings[ending];
}

/** What the first bytes say. zlib's format has no mark of its own: two bytes, one of them a check sum. */
export function compressionByContent(head: Uint8Array): FileCompression | undefined {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  // A frame that readers skip.
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return undefined;
}

const foreign: readonly (readonly [name: string, mark: readonly number[]])[] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
];

/** What the first bytes say that Reef cannot read. No row of JSON begins so, and of lines hardly one. */
export function foreignCompression(head: Uint8Array): string | undefined {
  const found = foreign.find(([, mark]) => mark.every((byte, index) => head[index] === byte));
  // Text may begin with these three letters; bzip2 goes on with its block size and a mark of six bytes.
  if (found?.[0] === 'bzip2' && !(head[4] === 0x31 && head[5] === 0x41 && head[6] === 0x59)) return undefined;
  return found?.[0];
}

/** True when the bytes may be zlib's format. */
export function mayBeZlib([a = 0, b = 0]: Uint8Array): boolean {
  return (a & 0x0f) === 8 && a >> 4 <= 7 && ((a << 8) | b) % 31 === 0;
}

/** Of a file that is written. */
export function compressionToWrite(word: CompressionWord, path: string): FileCompression | undefined {
  if (word === 'auto') return compressionByName(path);
  return word === 'none' ? undefined : word;
}

export const writtenCompression = choice(
  compressionWords,
  'How the file is compressed. `auto`: by the ending of its name (`.gz`, `.zst`, `.zz`), else not at all. Each batch is a gzip member (zstd frame, zlib stream) of its own, so a crash never tears one.',
  { default: 'auto' },
);
