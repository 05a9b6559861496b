/**
 * Rows to many files: their names come from columns and times, and a file that is full gives way to the next one. A bounded number of
 * them is open. The position is the number of the last write; the journal says what each write did.
 */
import { open, readdir, rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ChunkEncoder } from '../../codecs/chunk-encoder.ts';
import { ReefError } from '../../errors.ts';
import type { Log } from '../../spec/node.ts';
import type { Codec } from '../../spec/plan.ts';
import type { Sink, SinkChunk, SinkPosition } from '../../spec/sink.ts';
import { type CompressionWord, compressionToWrite } from './compression.ts';
import { errorNumber, fileError } from './file-error.ts';
import { bytesOf, groupRows, type RowGroup } from './group-rows.ts';
import { Journal, recover } from './journal.ts';
import { NameTemplate, numbered, numberIn } from './name-template.ts';
import type { SyncPolicy } from './single-file.ts';
import { WrittenFile } from './written-file.ts';

export interface FileSetOptions {
  readonly id: string;
  /** With or without columns and times. */
  readonly name: string;
  readonly folder: string;
  readonly codec: Codec;
  readonly mode: 'append' | 'overwrite';
  readonly compression: CompressionWord;
  readonly sync: SyncPolicy;
  /** A file gives way to the next one before it is larger or older. */
  readonly rotateBytes: number | undefined;
  readonly rotateSecs: number | undefined;
  readonly mostOpen: number;
  readonly resume: SinkPosition | undefined;
  /** Where the journal stands. */
  readonly memory: string;
  /** What is written is forgotten when all is done: a batch. */
  readonly forgets: boolean;
  readonly log: Log;
}

/** A file in hand. */
interface Opened {
  readonly file: WrittenFile;
  readonly encoder: ChunkEncoder;
  readonly since: number;
  /** Where files are numbered. */
  readonly number: number;
}

/** What a write that fails must undo. */
interface Touched {
  readonly path: string;
  readonly length: number;
}

export async function openFileSet(options: FileSetOptions): Promise<Sink> {
  const { id, mode, resume, memory, log } = options;
  const write = (resume as { readonly write?: number } | undefined)?.write;
  try {
    const seen = write === undefined ? new Set<string>() : await recover(memory, write, log);
    const journal = await Journal.open(memory, mode === 'overwrite' ? seen : undefined);
    return new FileSet(options, journal, write ?? 0);
  } catch (error) {
    throw fileError(`open file sink "${id}"`, memory, error, 'config');
  }
}

class FileSet implements Sink {
  readonly #options: FileSetOptions;
  readonly #subject: string;
  readonly #template: NameTemplate;
  readonly #journal: Journal;
  /** By name without number, in the order of their last use. */
  readonly #opened = new Map<string, Opened>();
  /** Written to since the last sync; what is not open any more is opened for it again. */
  readonly #unsynced = new Set<string>();
  #write: number;

  constructor(options: FileSetOptions, journal: Journal, write: number) {
    this.#options = options;
    this.#subject = `file sink "${options.id}"`;
    this.#template = new NameTemplate(options.name, options.folder);
    this.#journal = journal;
    this.#write = write;
  }

  async write(chunk: SinkChunk): Promise<SinkPosition> {
    const touched: Touched[] = [];
    try {
      const now = new Date();
      for (const { values, stretches } of groupRows(chunk)) {
        await this.#writeGroup(this.#template.path(values, now), chunk, stretches, touched);
      }
      if (this.#options.sync === 'write') await this.sync();
    } catch (error) {
      await this.#undo(touched);
      throw fileError(`write to ${this.#subject}`, this.#template.folder, error);
    }
    this.#write++;
    return this.position();
  }

  position(): SinkPosition {
    return { write: this.#write };
  }

  committed(position: SinkPosition): void {
    this.#journal.committed((position as { readonly write: number }).write);
  }

  async sync(): Promise<void> {
    if (this.#options.sync === 'never') return;
    await this.#journal.sync();
    for (const { file } of this.#opened.values()) {
      if (this.#unsynced.delete(file.path)) await file.sync();
    }
    for (const path of this.#unsynced) await syncClosed(path, this.#subject);
    this.#unsynced.clear();
  }

  async close(outcome: 'finished' | 'stopped'): Promise<void> {
    for (const { file } of this.#opened.values()) await file.close();
    this.#opened.clear();
    if (outcome === 'finished' && this.#options.forgets) await this.#journal.remove();
    else await this.#journal.close();
  }

  async #writeGroup(name: string, chunk: SinkChunk, stretches: RowGroup['stretches'], touched: Touched[]): Promise<void> {
    for (let left = stretches; left.length > 0; ) {
      const opened = await this.#open(name);
      const { file, encoder } = opened;
      const isStart = file.length === 0;
      const { rotateBytes } = this.#options;
      const room = rotateBytes === undefined ? Number.POSITIVE_INFINITY : rotateBytes - (file.length || encoder.headerBytes);
      const cut = encoder.compression ? { fits: left, rest: [] } : cutRows(chunk, left, room, isStart);
      if (cut.fits.length === 0) {
        await this.#rotate(name, opened);
        continue;
      }
      const pieces = await encoder.encode([bytesOf(chunk, cut.fits)], isStart);
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (encoder.compression && !isStart && bytes > room) {
        await this.#rotate(name, opened);
        continue;
      }
      const { path, length, ino, created } = file;
      await this.#journal.note([{ write: this.#write + 1, path, length, ino, created }]);
      touched.push({ path, length });
      this.#unsynced.add(path);
      await file.append(pieces);
      left = cut.rest;
    }
  }

  /** The file of that name that takes rows. */
  async #open(name: string): Promise<Opened> {
    const { rotateSecs } = this.#options;
    const known = this.#opened.get(name);
    const isOld = known && rotateSecs !== undefined && Date.now() - known.since >= rotateSecs * 1000;
    if (known && !isOld) {
      this.#opened.delete(name);
      this.#opened.set(name, known);
      return known;
    }
    if (known) return this.#rotate(name, known);
    const found = this.#rotates ? await this.#lastNumber(name) : 0;
    const opened = await this.#openNumber(name, Math.max(found, 1));
    const isLate = rotateSecs !== undefined && opened.file.length > 0 && Date.now() - opened.since >= rotateSecs * 1000;
    return isLate ? this.#rotate(name, opened) : opened;
  }

  get #rotates(): boolean {
    return this.#options.rotateBytes !== undefined || this.#options.rotateSecs !== undefined;
  }

  async #rotate(name: string, { file, number }: Opened): Promise<Opened> {
    await this.#close(name, file);
    return this.#openNumber(name, number + 1);
  }

  async #openNumber(name: string, number: number): Promise<Opened> {
    const { mode, codec, compression, mostOpen } = this.#options;
    while (this.#opened.size >= mostOpen) {
      const [oldest, { file }] = this.#opened.entries().next().value!;
      await this.#close(oldest, file);
    }
    const path = this.#rotates ? numbered(name, number) : name;
    const file = await WrittenFile.open(path, this.#subject).catch((error: unknown) => {
      throw fileError(`open ${this.#subject}`, path, error);
    });
    const encoder = new ChunkEncoder(codec, compressionToWrite(compression, path));
    const opened = { file, encoder, number, since: file.created ? Date.now() : file.born };
    this.#opened.set(name, opened);
    if (mode === 'overwrite' && !this.#journal.hasSeen(path)) await file.truncate(0);
    else {
      await file.expectCompression(encoder.compression);
      if (encoder.compression === undefined && encoder.lines) await file.endLastLine();
    }
    return opened;
  }

  /** The highest number that a file of the name has; 0: none has. What an earlier run has left goes where it is to be overwritten. */
  async #lastNumber(name: string): Promise<number> {
    const folder = dirname(name);
    const names = await readdir(folder).catch((error: unknown) => {
      if (errorNumber(error) === 'ENOENT') return [];
      throw error;
    });
    let last = 0;
    for (const entry of names) {
      const number = numberIn(entry, name);
      if (number === undefined) continue;
      const path = join(folder, entry);
      if (this.#options.mode === 'overwrite' && !this.#journal.hasSeen(path)) await rm(path);
      else last = Math.max(last, number);
    }
    return last;
  }

  async #close(name: string, file: WrittenFile): Promise<void> {
    this.#opened.delete(name);
    await file.close();
  }

  /** Takes back what a write that fails has done in other files. The one that failed has seen to itself. */
  async #undo(touched: readonly Touched[]): Promise<void> {
    const byPath = new Map(Array.from(this.#opened.values(), ({ file }) => [file.path, file]));
    for (const { path, length } of touched.toReversed()) {
      const file = byPath.get(path);
      try {
        if (file === undefined) await truncate(path, length);
        else if (file.length > length) await file.truncate(length);
      } catch (error) {
        // The next start does it.
        throw new ReefError('io', `Cannot undo a write of ${this.#subject}: ${path}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }
}

/** Rows that fit `room` bytes, and the others; `atLeastOne`: a single row may be larger than any file. */
function cutRows(
  { offsets }: SinkChunk,
  stretches: RowGroup['stretches'],
  room: number,
  atLeastOne: boolean,
): { readonly fits: RowGroup['stretches']; readonly rest: RowGroup['stretches'] } {
  if (room === Number.POSITIVE_INFINITY) return { fits: stretches, rest: [] };
  let left = room;
  for (const [index, [from, to]] of stretches.entries()) {
    const bytes = offsets![to]! - offsets![from]!;
    if (bytes <= left) {
      left -= bytes;
      continue;
    }
    let end = from;
    while (end < to && offsets![end + 1]! - offsets![from]! <= left) end++;
    if (atLeastOne && index === 0 && end === from) end++;
    const fits = [...stretches.slice(0, index), ...(end > from ? [[from, end] as const] : [])];
    return { fits, rest: [...(end < to ? [[end, to] as const] : []), ...stretches.slice(index + 1)] };
  }
  return { fits: stretches, rest: [] };
}

/** Of a file that others may have taken away since. */
async function syncClosed(path: string, subject: string): Promise<void> {
  try {
    await using handle = await open(path, 'r+');
    await handle.datasync();
    await using folder = await open(dirname(path), 'r');
    await folder.sync();
  } catch (error) {
    if (errorNumber(error) === 'ENOENT') return;
    throw new ReefError('io', `Cannot make ${subject} safe: ${basename(path)}: ${(error as Error).message}`, { cause: error });
  }
}
