/** Files whose rows are not simply their bytes: compressed ones, and JSON documents. Bytes are counted as they come out. */
import type { FileHandle } from 'node:fs/promises';
import { decompress } from '../../codecs/decompress.ts';
import { documentLines } from '../../codecs/json-document.ts';
import type { Log } from '../../spec/node.ts';
import { type CompressionWord, compressionByContent, compressionByName, type FileCompression, mayBeZlib } from './compression.ts';
import { startOfRows } from './identity.ts';

const READ_BYTES = 256 * 1024;

export interface Passage {
  readonly compression: FileCompression | undefined;
  readonly document: boolean;
  /** The whole is one row: no byte is taken for a mark. */
  readonly raw?: boolean;
}

/** What stands in positions; `undefined`: the rows are the file's own bytes. */
export function passageWord({ compression, document, raw }: Passage): string | undefined {
  const words = [...(compression ? [compression] : []), ...(document ? ['document'] : []), ...(raw ? ['raw'] : [])];
  return words.length === 0 ? undefined : words.join(' ');
}

/** How the file is compressed. Its bytes decide; a name that promises something else is told of. */
export function compressionOf(
  word: CompressionWord,
  file: { readonly path: string; readonly head: Uint8Array },
  log: Log,
): FileCompression | undefined {
  if (word === 'none') return undefined;
  if (word !== 'auto') return word;
  const promised = compressionByName(file.path);
  const found = compressionByContent(file.head) ?? (promised === 'deflate' && mayBeZlib(file.head) ? promised : undefined);
  if (promised && !found && file.head.length > 0)
    log.warn(`File ${file.path} is not compressed with ${promised}, whatever its name says: it is read as it stands`);
  return found;
}

/** What comes out, from its start. Rejects where the file is damaged or cut off, behind all that came before. */
export async function* readThrough(content: Buffer | FileHandle, path: string, passage: Passage): AsyncGenerator<Uint8Array> {
  yield* passThrough(Buffer.isBuffer(content) ? onePiece(content) : fileBytes(content), path, passage);
}

/** The same of bytes that come from elsewhere; each piece is good until the next one is asked for, in and out. */
export function passThrough(
  bytes: AsyncIterable<Uint8Array>,
  subject: string,
  { compression, document, raw }: Passage,
): AsyncIterable<Uint8Array> {
  const whole = compression ? decompress(compression, bytes, { subject }) : bytes;
  if (raw) return whole;
  const plain = withoutMark(whole);
  return document ? documentLines(plain, subject) : plain;
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function* fileBytes(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Without a byte order mark at the beginning. */
async function* withoutMark(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of source) {
    if (held === undefined) {
      yield piece;
      continue;
    }
    const head: Buffer = Buffer.concat([held, piece]);
    held = mayBeginMark(head) ? head : undefined;
    if (held === undefined) yield head.subarray(startOfRows(head));
  }
  if (held && held.length > 0) yield held;
}

/** More bytes are needed to see whether they are the mark; others are not held back, of a pipe there may be no more for long. */
function mayBeginMark(head: Uint8Array): boolean {
  return head.length < 3 && [0xef, 0xbb].slice(0, head.length).every((byte, index) => head[index] === byte);
}
