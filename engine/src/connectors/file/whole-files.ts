/**
 * Reads each file once, in name order, straight into shared memory. A file that cannot be read to its end does not keep the
 * others from being delivered; the run then fails at its end.
 */
import type { FileHandle } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { ReefError } from '../../errors.ts';
import type { Feed, PartitionFeed } from '../../spec/feed.ts';
import type { Log } from '../../spec/node.ts';
import { RecordWriter } from '../../spec/record-writer.ts';
import type { Source } from '../../spec/source.ts';
import type { Release } from './claims.ts';
import { type CompressionWord, foreignCompression } from './compression.ts';
import { fileError } from './file-error.ts';
import type { FileList } from './file-list.ts';
import { asFilePosition, fingerprintOf, matchesFingerprint, startOfRows } from './identity.ts';
import { OpenAhead, type OpenedFile } from './open-ahead.ts';
import { compressionOf, type Passage, passageWord, readThrough } from './read-through.ts';
import { feedWhole } from './whole-row.ts';

export interface WholeFilesOptions {
  readonly id: string;
  readonly folder: string;
  readonly log: Log;
  readonly list: FileList;
  /** Sum of the sizes; `undefined`: what comes out of the files is not known before. */
  readonly totalBytes: number | undefined;
  readonly compression: CompressionWord;
  /** Each file is a JSON document. */
  readonly document: boolean;
  /** Each file is a row, whatever bytes it holds. */
  readonly raw: boolean;
  /** The files are its own to read until these are called. */
  readonly claimed?: readonly Release[];
}

const LEAST_SWEPT = 64;

/** A file's name in partitions: from the punchline's folder where it lies below it, so that moving both changes nothing. */
export function partitionName(folder: string, path: string): string {
  const name = relative(folder, path);
  return name.startsWith('..') || isAbsolute(name) ? path : name;
}

export class WholeFiles implements Source {
  readonly #options: WholeFilesOptions;
  /** The file that is read; a run that is run again after a passing error goes on in it. */
  #reading: Reading | undefined;
  /** Files before it in the list are read. */
  #next = 0;
  /** What of them may be on its way. */
  #underway: PartitionFeed[] = [];
  #swept = 0;
  readonly #failures: ReefError[] = [];
  #resumedBytes = 0;

  constructor(options: WholeFilesOptions) {
    this.#options = options;
  }

  totalBytes(): number | undefined {
    const { totalBytes } = this.#options;
    return totalBytes === undefined ? undefined : totalBytes - this.#resumedBytes;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const { list, folder } = this.#options;
    this.#warnOfLostFiles(feed);
    await using ahead = new OpenAhead(list.paths);
    for (; this.#next < list.paths.length; this.#next++) {
      const path = list.paths[this.#next]!;
      if (signal.aborted) return;
      try {
        await this.#readFile(feed, partitionName(folder, path), { path, opening: ahead.take(this.#next) }, signal);
      } catch (error) {
        if (signal.aborted) return;
        const failure = fileError(`read file source "${this.#options.id}"`, path, error);
        if (failure.retry) throw failure;
        await giveUp(this.#reading);
        this.#failures.push(failure);
        this.#options.log.warn(failure.message);
      }
      this.#letGo();
    }
    if (this.#failures.length > 0) await this.#fail();
  }

  async close(): Promise<void> {
    for (const release of this.#options.claimed ?? []) release();
  }

  /** Its bytes would be rejected as rows one by one, and some of them might be taken for rows. */
  #refuseForeign(path: string, head: Uint8Array): void {
    const foreign = foreignCompression(head);
    if (foreign === undefined) return;
    throw new ReefError(
      'io',
      `Cannot read file source "${this.#options.id}": ${path} is compressed with ${foreign}, expected gzip, zstd or nothing (compression: none reads it as it stands)`,
    );
  }

  async #readFile(
    feed: Feed,
    name: string,
    { path, opening }: { readonly path: string; readonly opening: Promise<OpenedFile> },
    signal: AbortSignal,
  ): Promise<void> {
    await using opened = await opening;
    const { stats, head, content } = opened;
    if (!stats.isFile()) {
      throw new ReefError(
        'io',
        `Cannot read file source "${this.#options.id}": ${path} is ${stats.isDirectory() ? 'a folder' : 'no regular file'}, expected a file`,
      );
    }
    let reading = this.#reading;
    if (reading === undefined) {
      const identity = { dev: String(stats.dev), ino: String(stats.ino), fingerprint: fingerprintOf(head) };
      const { compression, document, raw, log } = this.#options;
      if (compression === 'auto' && !raw) this.#refuseForeign(path, head);
      const passage = { compression: compressionOf(compression, { path, head }, log), document, raw };
      const through = passageWord(passage);
      const known = { path, ...identity, ...(through === undefined ? {} : { through }) };
      const offset = this.#startingOffset(feed, name, { ...known, head, size: Number(stats.size) });
      const options = { offset, position: (at: number) => ({ ...known, offset: at }) };
      const writer = raw ? new RecordWriter(feed, name, { ...options, records: { columns: [], rows: 'one' }, raw }) : undefined;
      const partition = writer?.partition ?? feed.partition(name, options);
      reading = { partition, writer, offset, passage };
      this.#reading = reading;
    }
    if (reading.writer) {
      // What an earlier run or try has fed is all of it.
      if (reading.offset === 0) await feedWhole(reading.writer, readThrough(content, path, reading.passage));
      reading.offset = reading.writer.offset;
      await reading.writer.end();
      return;
    }
    if (passageWord(reading.passage) !== undefined) {
      await readThroughToEnd(readThrough(content, path, reading.passage), reading, signal);
      await reading.partition.end();
      return;
    }
    if (Buffer.isBuffer(content)) await feedRest(content, reading);
    else await readToEnd(content, reading, signal);
    const size = Buffer.isBuffer(content) ? content.length : (await content.stat()).size;
    if (size < reading.offset) {
      throw new ReefError(
        'io',
        `Cannot read file source "${this.#options.id}" to the end: ${path} shrank to ${size} bytes while byte ${reading.offset} was being read, expected a file that is not changed`,
      );
    }
    await reading.partition.end();
  }

  #startingOffset(
    feed: Feed,
    name: string,
    file: { path: string; head: Uint8Array; ino: string; size: number; through?: string },
  ): number {
    const start = file.through === undefined ? startOfRows(file.head) : 0;
    const position = asFilePosition(feed.resume.get(name));
    if (position === undefined) return start;
    const same = position.ino === file.ino && matchesFingerprint(file.head, position.fingerprint);
    if (same && position.through !== file.through) {
      this.#options.log.warn(`File ${file.path} was read in another way by the last run: it is read from its start`);
      return start;
    }
    // How much is in it shows when it is read.
    if (same && (file.through !== undefined || file.size >= position.offset)) {
      this.#resumedBytes += position.offset;
      return position.offset;
    }
    const what = same ? `is shorter than the ${position.offset} bytes` : 'is another file than the one';
    this.#options.log.warn(`File ${file.path} ${what} that the last run delivered: it is read from its start`);
    return start;
  }

  #warnOfLostFiles(feed: Feed): void {
    const { list, folder, log } = this.#options;
    const present = new Set(list.paths.map((path) => partitionName(folder, path)));
    for (const [name, value] of feed.resume) {
      const position = asFilePosition(value);
      if (position === undefined || present.has(name)) continue;
      log.warn(
        `File ${position.path}, of which the last run delivered ${position.offset} bytes, is gone: the rest cannot be read`,
      );
    }
  }

  /** The file is read. Of those before it only what is on its way is kept, and what has come since that was last looked at. */
  #letGo(): void {
    if (this.#reading) this.#underway.push(this.#reading.partition);
    this.#reading = undefined;
    if (this.#underway.length < 2 * this.#swept + LEAST_SWEPT) return;
    this.#underway = this.#underway.filter((partition) => partition.busy?.() !== false);
    this.#swept = this.#underway.length;
  }

  /** Everything readable is delivered first: the error ends the run. */
  async #fail(): Promise<void> {
    await Promise.all(this.#underway.map((partition) => partition.delivered()));
    const [first, ...others] = this.#failures as [ReefError, ...ReefError[]];
    if (others.length === 0) throw first;
    throw new ReefError(
      first.code,
      `${first.message}; ${others.length} more of ${this.#options.list.paths.length} files failed`,
      {
        cause: first,
      },
    );
  }
}

/** A file that is being read. */
interface Reading {
  readonly partition: PartitionFeed;
  /** Where the file is one row. */
  readonly writer: RecordWriter | undefined;
  offset: number;
  readonly passage: Passage;
}

/** What was read of a file stays, as far as it is whole rows: of one that is cut off the last may be half a row. */
async function giveUp(reading: Reading | undefined): Promise<void> {
  if (reading === undefined) return;
  try {
    if (passageWord(reading.passage) === undefined) await reading.partition.end();
    else {
      await reading.partition.room();
      reading.partition.advance(0, { flush: true });
    }
  } catch {
    // What cannot be cut into rows has failed already, and the run is to go on with the next file.
  }
}

async function readThroughToEnd(pieces: AsyncIterable<Uint8Array>, reading: Reading, signal: AbortSignal): Promise<void> {
  let at = 0;
  for await (const piece of pieces) {
    // What was delivered is read again, there is no other way to where it ends.
    let done = Math.min(piece.length, Math.max(0, reading.offset - at));
    at += piece.length;
    while (done < piece.length) {
      if (signal.aborted) break;
      const room = await reading.partition.room();
      const part = piece.subarray(done, done + room.length);
      room.set(part);
      done += part.length;
      reading.offset += part.length;
      reading.partition.advance(part.length);
    }
    if (signal.aborted) throw new DOMException('The source stops', 'AbortError');
  }
  if (at < reading.offset) {
    throw new ReefError(
      'io',
      `it holds ${at} bytes, the last run delivered ${reading.offset}, expected a file that is not changed`,
    );
  }
}

/** Of a small file all bytes have been read already. */
async function feedRest(bytes: Uint8Array, reading: Reading): Promise<void> {
  while (reading.offset < bytes.length) {
    const room = await reading.partition.room();
    const part = bytes.subarray(reading.offset, reading.offset + room.length);
    room.set(part);
    reading.offset += part.length;
    reading.partition.advance(part.length);
  }
}

async function readToEnd(handle: FileHandle, reading: Reading, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const room = await reading.partition.room();
    const { bytesRead } = await handle.read(room, 0, room.length, reading.offset);
    if (bytesRead === 0) return;
    reading.offset += bytesRead;
    reading.partition.advance(bytesRead);
  }
  throw new DOMException('The source stops', 'AbortError');
}
