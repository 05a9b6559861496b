/**
 * What was about to be written where: a line before each write to a file of a set. After a crash the files are cut back to where
 * they were before the first write that no checkpoint covers; those that were made since go. Without it nobody would know the names
 * of files that were begun behind the last checkpoint.
 *
 * A line is a JSON list: number of the write, path, length before it, inode, 1 when the file was made for it. A line that is cut off
 * stands for a write that had not begun.
 */
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../spec/node.ts';
import { errorNumber } from './file-error.ts';

export interface JournalLine {
  readonly write: number;
  readonly path: string;
  readonly length: number;
  readonly ino: number;
  readonly created: boolean;
}

/** So large it grows until it is written anew without what is safe. */
const COMPACT_BYTES = 1024 * 1024;

export class Journal {
  readonly #path: string;
  #handle: FileHandle;
  #length = 0;
  #compactAt = COMPACT_BYTES;
  /** Lines that no checkpoint covers yet, in order. */
  #open: JournalLine[] = [];
  /** Everything that was ever written to, where that must be known. */
  readonly #seen: Set<string> | undefined;

  /** `seen`: what was written to by this run and those that it goes on with is to be known for ever, and this is so already. */
  static async open(path: string, seen: ReadonlySet<string> | undefined): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(`${path}.new`, 'w', 0o600);
    const journal = new Journal(path, handle, seen);
    await journal.#begin();
    return journal;
  }

  private constructor(path: string, handle: FileHandle, seen: ReadonlySet<string> | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.#seen = seen && new Set(seen);
  }

  /** Whether this run, or one that it goes on with, has written to the file. Only where names are kept. */
  hasSeen(path: string): boolean {
    return this.#seen?.has(path) ?? false;
  }

  /** The writes may begin when it has resolved. */
  async note(lines: readonly JournalLine[]): Promise<void> {
    await this.#append(lines.map(encode).join(''));
    this.#open.push(...lines);
    for (const { path } of lines) this.#seen?.add(path);
    if (this.#length > this.#compactAt) await this.#compact();
  }

  /** All up to this write is in a checkpoint. */
  committed(write: number): void {
    let covered = 0;
    while (covered < this.#open.length && this.#open[covered]!.write <= write) covered++;
    if (covered > 0) this.#open = this.#open.slice(covered);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  async #append(text: string): Promise<void> {
    if (text === '') return;
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#handle.write(bytes, done, bytes.length - done, this.#length + done)).bytesWritten;
    }
    this.#length += bytes.length;
  }

  /** In one step: the old journal is whole until the new one is. */
  async #compact(): Promise<void> {
    const old = this.#handle;
    this.#handle = await open(`${this.#path}.new`, 'w', 0o600);
    this.#length = 0;
    await this.#begin();
    await old.close();
  }

  async #begin(): Promise<void> {
    const seen = Array.from(this.#seen ?? [], (path) => encode({ write: 0, path, length: 0, ino: 0, created: false }));
    await this.#append([...seen, ...this.#open.map(encode)].join(''));
    this.#compactAt = Math.max(COMPACT_BYTES, 2 * this.#length);
    await rename(`${this.#path}.new`, this.#path);
  }
}

function encode({ write, path, length, ino, created }: JournalLine): string {
  return `${JSON.stringify([write, path, length, ino, created ? 1 : 0])}\n`;
}

/** Undoes what came behind write number `committed`, and says which files were written to at all. */
export async function recover(path: string, committed: number, log: Log): Promise<ReadonlySet<string>> {
  const lines = await readJournal(path);
  const undone = new Set<string>();
  for (const line of lines) {
    if (line.write <= committed || undone.has(line.path)) continue;
    undone.add(line.path);
    await undo(line, log);
  }
  const kept = lines.filter(({ write, path: file }) => write <= committed || !undone.has(file));
  return new Set(kept.map(({ path: file }) => file));
}

async function readJournal(path: string): Promise<readonly JournalLine[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorNumber(error) === 'ENOENT') return '';
    throw error;
  });
  // What stands behind the last newline was cut off.
  return text.split('\n').slice(0, -1).flatMap(decode);
}

/** A loss of power may leave something else than lines. */
function decode(line: string): JournalLine[] {
  try {
    const [write, path, length, ino, created] = JSON.parse(line) as [number, string, number, number, number];
    return [{ write, path, length, ino, created: created === 1 }];
  } catch {
    return [];
  }
}

async function undo({ path, length, ino, created }: JournalLine, log: Log): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorNumber(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (found.ino !== ino || found.size < length) {
    log.warn(`File ${path} is not as the last run left it: rows that it wrote behind its last checkpoint may stand there twice`);
  } else if (created && length === 0) {
    await rm(path);
    log.info('Removed a file that was begun behind the last checkpoint', { path });
  } else if (found.size > length) {
    await truncate(path, length);
    log.info('Cut back what came after the last checkpoint', { path, bytes: found.size - length });
  }
}
