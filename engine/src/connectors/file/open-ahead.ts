/**
 * Opens files before their turn comes, where asking the system takes long: some of that happens while earlier ones are read. Small
 * ones that can be read at once are read when their turn comes.
 */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { HEAD_BYTES, isWhole, readHead } from './identity.ts';
import { QuickFiles, type SmallFile } from './quick-files.ts';

/** Of how many files, beside the one that is read. */
const AHEAD = 16;

export interface OpenedFile extends AsyncDisposable {
  readonly stats: BigIntStats;
  /** Its first bytes; none of what is no regular file. */
  readonly head: Buffer;
  /** All bytes of a small one, or where to read them. */
  readonly content: Buffer | FileHandle;
}

export class OpenAhead implements AsyncDisposable {
  readonly #paths: readonly string[];
  #next = 0;
  readonly #quick = new QuickFiles();
  readonly #opening = new Map<number, Promise<OpenedFile>>();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** The file at `index`, opened; the caller closes it. Indexes ascend. Rejects where it cannot be opened. */
  async take(index: number): Promise<OpenedFile> {
    const opening = this.#opening.get(index);
    if (opening) {
      this.#opening.delete(index);
      // Otherwise the next ones are asked for when their turn comes.
      if (!this.#quick.ready()) this.#openUpTo(index + AHEAD);
      return opening;
    }
    const small = await this.#quick.read(this.#paths[index]!);
    if (small) return openedSmall(small);
    this.#next = Math.max(this.#next, index);
    this.#openUpTo(index + AHEAD);
    return this.take(index);
  }

  /** Closes what nobody has taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    const left = await Promise.allSettled(this.#opening.values());
    for (const file of left) if (file.status === 'fulfilled') await file.value[Symbol.asyncDispose]();
  }

  #openUpTo(last: number): void {
    for (; this.#next < this.#paths.length && this.#next <= last; this.#next++) {
      const opening = openFile(this.#paths[this.#next]!);
      // What is wrong is told when its turn comes.
      opening.catch(() => {});
      this.#opening.set(this.#next, opening);
    }
  }
}

function openedSmall({ stats, bytes }: SmallFile): OpenedFile {
  return { stats, head: bytes.subarray(0, HEAD_BYTES), content: bytes, [Symbol.asyncDispose]: async () => {} };
}

async function openFile(path: string): Promise<OpenedFile> {
  const handle = await open(path, 'r');
  try {
    const stats = await handle.stat({ bigint: true });
    const head = stats.isFile() ? await readHead(handle) : Buffer.alloc(0);
    return { stats, head, content: stats.isFile() && isWhole(head) ? head : handle, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
