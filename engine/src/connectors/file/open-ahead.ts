/**
 * Opens files before their turn comes. Of many small ones the time goes into asking the system for each: some of that happens while
 * earlier ones are read.
 */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { readHead } from './identity.ts';

/** Of how many files, beside the one that is read. */
const AHEAD = 16;

export interface OpenedFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  /** Its first bytes; none of what is no regular file. */
  readonly head: Buffer;
}

export class OpenAhead implements AsyncDisposable {
  readonly #paths: readonly string[];
  #next = 0;
  readonly #opening = new Map<number, Promise<OpenedFile>>();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** The file at `index`, opened; the caller closes it. Indexes ascend. Rejects where it cannot be opened. */
  take(index: number): Promise<OpenedFile> {
    this.#next = Math.max(this.#next, index);
    for (; this.#next < this.#paths.length && this.#next <= index + AHEAD; this.#next++) this.#begin(this.#next);
    const opened = this.#opening.get(index)!;
    this.#opening.delete(index);
    return opened;
  }

  /** Closes what nobody has taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    const left = await Promise.allSettled(this.#opening.values());
    for (const file of left) if (file.status === 'fulfilled') await file.value.handle.close();
  }

  #begin(index: number): void {
    const opening = openFile(this.#paths[index]!);
    // What is wrong is told when its turn comes.
    opening.catch(() => {});
    this.#opening.set(index, opening);
  }
}

async function openFile(path: string): Promise<OpenedFile> {
  const handle = await open(path, 'r');
  try {
    const stats = await handle.stat({ bigint: true });
    const head = stats.isFile() ? await readHead(handle) : Buffer.alloc(0);
    return { handle, stats, head, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
