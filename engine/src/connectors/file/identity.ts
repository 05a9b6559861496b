/**
 * What tells one file from another when names are moved around (rotation) and numbers are used again (a new file often gets
 * the inode of a deleted one): device, inode and the hash of the first bytes. A file shorter than 1 KiB has a fingerprint
 * of what is there, and keeps matching when it grows.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Json } from '../../spec/plan.ts';

export interface Identity {
  readonly dev: string;
  readonly ino: string;
  /** Length and start of the SHA-256 of the first bytes: `1024:0123456789abcdef`. */
  readonly fingerprint: string;
}

/** The position of a file in checkpoints: everything before `offset` has been delivered. */
export interface FilePosition extends Identity {
  readonly path: string;
  readonly offset: number;
  /** What the bytes went through before they were counted: `gzip`, `document`, `gzip document`. Absent: they are the file's own. */
  readonly through?: string;
  /** Bytes were delivered up to here as a last row without newline, or the file was read to its end for good. */
  readonly done?: boolean;
}

/** What a fingerprint is made of. */
export const HEAD_BYTES = 1024;

/** The first bytes of a file, at most 1 KiB. */
export async function readHead(handle: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES);
  let length = 0;
  while (length < HEAD_BYTES) {
    const { bytesRead } = await handle.read(head, length, HEAD_BYTES - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return head.subarray(0, length);
}

/** A file of which this is the head has no bytes beyond it. */
export function isWhole(head: Uint8Array): boolean {
  return head.length < HEAD_BYTES;
}

export function fingerprintOf(head: Uint8Array): string {
  return `${head.length}:${process.getBuiltinModule('node:crypto').createHash('sha256').update(head).digest('hex').slice(0, 16)}`;
}

/** Whether a file that begins with `head` can be the one that had the fingerprint. */
export function matchesFingerprint(head: Uint8Array, fingerprint: string): boolean {
  const length = Number.parseInt(fingerprint, 10);
  return head.length >= length && fingerprintOf(head.subarray(0, length)) === fingerprint;
}

/** Where the rows begin: behind a byte order mark of UTF-8, if there is one. */
export function startOfRows(head: Uint8Array): number {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
}

export function asFilePosition(value: Json | undefined): FilePosition | undefined {
  const position = value as Partial<FilePosition> | null | undefined;
  return typeof position === 'object' && typeof position?.offset === 'number' && typeof position.fingerprint === 'string'
    ? (position as FilePosition)
    : undefined;
}

/** The first bytes of the file at a path; `undefined` when it is another one by now, or cannot be read. */
export async function headOf(path: string, ino: string): Promise<Buffer | undefined> {
  return readIfSame(path, ino).catch(() => undefined);
}

/** The same, but an error when it cannot be read. */
export async function readIfSame(path: string, ino: string): Promise<Buffer | undefined> {
  await using handle = await open(path, 'r');
  const stats = await handle.stat({ bigint: true });
  return String(stats.ino) === ino ? await readHead(handle) : undefined;
}

/** The end of the last complete row, so that a row being written is not cut. */
export async function endOfRows(path: string, size: number): Promise<number> {
  await using handle = await open(path, 'r');
  const start = Math.max(0, size - 65_536);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  const newline = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
  return newline === -1 && start > 0 ? size : start + newline + 1;
}
