/**
 * One file that is followed: its identity, how far it has been read, and reading on from there. Only complete rows are taken;
 * a row without its newline is read again when more of it has come, so that no memory is held for it meanwhile.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { PartitionFeed, Position } from '../../spec/feed.ts';
import { compressionByContent, foreignCompression } from './compression.ts';
import { type FilePosition, fingerprintOf, matchesFingerprint, readHead, startOfRows } from './identity.ts';

/** What a look at the file found. `replaced`: its path leads to another file now. */
export type Look = 'caught up' | 'more' | 'truncated' | 'replaced';

/** So many rooms are filled before other files have their turn. */
const ROOMS_PER_TURN = 4;

export class TailedFile {
  /** Name of its partition. A truncated file goes on under another one: its bytes are numbered anew. */
  name: string;
  /** Where it was last seen. */
  path: string;
  /** Where it was seen so far, to be found by. */
  readonly paths = new Set<string>();
  dev: string;
  readonly ino: string;
  offset: number;
  handle: FileHandle | undefined;
  partition: PartitionFeed | undefined;
  /** Its size when it was last read to the end; a scan that sees another one has news. */
  seenSize = -1;
  /** It has been read to its end since it was found, or since it left its path: a successor may start. */
  hasCaughtUp = false;
  /** Since when it is known to have left its path, without growing. */
  leftAt: number | undefined;
  /** No listed path leads to it any more. */
  isGone = false;
  /** How often it was looked for in vain since. */
  searches = 0;
  /** Files of the same path: the older one is read first. */
  predecessor: TailedFile | undefined;
  successor: TailedFile | undefined;
  /** It may be the copy that a rotation makes before it truncates the original; it is not read until that is known. */
  suspectedCopy: { readonly original: TailedFile; size: number; since: number } | undefined;
  /** What it was before it was truncated, to know a copy of that by. */
  before: { readonly fingerprint: string; readonly offset: number } | undefined;
  /** How it is compressed, where none of it has been read: it is what a rotation makes of a file that was, and no rows. */
  packed: string | undefined;
  /** The problem that has been told of. */
  told: string | undefined;
  /** Replaced as a whole when it is truncated: positions of the old partition keep the old one. */
  #generation: { fingerprint: string };

  constructor(name: string, position: FilePosition) {
    this.name = name;
    this.path = position.path;
    this.dev = position.dev;
    this.ino = position.ino;
    this.offset = position.offset;
    this.#generation = { fingerprint: position.fingerprint };
  }

  /** What the system tells files apart by. */
  get key(): string {
    return `${this.dev}:${this.ino}`;
  }

  get fingerprint(): string {
    return this.#generation.fingerprint;
  }

  /** Makes the positions of its present partition. */
  positions(): (offset: number) => Position {
    const generation = this.#generation;
    return (offset) => ({ path: this.path, dev: this.dev, ino: this.ino, fingerprint: generation.fingerprint, offset });
  }

  /** Opens the file by its path, if it is still there. */
  async open(): Promise<boolean> {
    if (this.handle !== undefined) return true;
    const handle = await open(this.path, 'r');
    const stats = await handle.stat({ bigint: true });
    if (String(stats.ino) !== this.ino) {
      await handle.close();
      return false;
    }
    this.handle = handle;
    return true;
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close();
  }

  /** Reads what is new. `last`: nothing more will come, so an unfinished row is a row. */
  async read(partition: () => PartitionFeed, last: boolean): Promise<Look> {
    if (!(await this.open())) return 'replaced';
    const handle = this.handle!;
    const { size } = await handle.stat();
    if (size < this.offset || !(await this.#isSameFile(handle))) return 'truncated';
    if (this.packed !== undefined) return this.#caughtUp(size);
    for (let rooms = 0; rooms < ROOMS_PER_TURN; rooms++) {
      if (this.offset >= size) return this.#caughtUp(size);
      const feed = partition();
      const room = await feed.room();
      const { bytesRead } = await handle.read(room, 0, room.length, this.offset);
      const isEnd = this.offset + bytesRead >= size;
      let complete = isEnd && !last ? completeRows(room.subarray(0, bytesRead)) : bytesRead;
      // A row that is longer than a room cannot be taken at once.
      if (complete === 0 && bytesRead === room.length) complete = bytesRead;
      this.offset += complete;
      // Also when it is nothing: the room is free for others.
      feed.advance(complete, { flush: isEnd });
      if (isEnd) return this.#caughtUp(this.offset + bytesRead - complete);
    }
    return 'more';
  }

  /**
   * Whether a suspected copy is one: its original has been truncated since, and it holds what that had delivered. It is none
   * when that has not happened and it has not grown for the interval.
   */
  async judge(now: number, intervalMs: number): Promise<'copy' | 'none' | 'undecided'> {
    const suspicion = this.suspectedCopy;
    if (suspicion === undefined || !(await this.open())) return 'none';
    const { size } = await this.handle!.stat();
    const { before } = suspicion.original;
    if (before !== undefined && size >= before.offset && matchesFingerprint(await readHead(this.handle!), before.fingerprint)) {
      this.offset = before.offset;
      this.suspectedCopy = undefined;
      return 'copy';
    }
    if (size !== suspicion.size) {
      suspicion.size = size;
      suspicion.since = now;
    }
    if (now - suspicion.since < intervalMs) return 'undecided';
    this.suspectedCopy = undefined;
    return 'none';
  }

  /** The file begins anew: at the start of what is there now, under another name. */
  async restart(name: string): Promise<void> {
    const head = await readHead(this.handle!);
    this.before = { fingerprint: this.fingerprint, offset: this.offset };
    this.name = name;
    this.#generation = { fingerprint: fingerprintOf(head) };
    this.#begin(head);
    this.partition = undefined;
    this.seenSize = -1;
  }

  /** Nothing of it has been read. */
  #begin(head: Uint8Array): void {
    this.packed = compressionByContent(head) ?? foreignCompression(head);
    this.offset = startOfRows(head);
  }

  #caughtUp(size: number): Look {
    this.seenSize = size;
    this.hasCaughtUp = true;
    return 'caught up';
  }

  /** Also takes a longer fingerprint of a file that was short when it was first seen. */
  async #isSameFile(handle: FileHandle): Promise<boolean> {
    const head = await readHead(handle);
    if (!matchesFingerprint(head, this.fingerprint)) return false;
    if (this.offset === 0) this.#begin(head);
    this.#generation.fingerprint = fingerprintOf(head);
    return true;
  }
}

/** The length of the rows that have their newline. */
function completeRows(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(0x0a) + 1;
}
