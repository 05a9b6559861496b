/**
 * Looks at small files without the thread pool: on a local disk, whose pages are in memory, asking the system costs a few microseconds,
 * and handing the question to another thread and back costs fifty. Where it may take long (the file system is not a local one, or the
 * last answer was slow) nothing is asked in this way: the main thread serves others too.
 */
import type { BigIntStats } from 'node:fs';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

/** Larger files are read from where they lie straight into shared memory. */
const SMALL_BYTES = 64 * 1024;
/** An answer that took longer had to wait for a disk. */
const SLOW_MS = 4;
/** After a slow answer so many questions are left to the thread pool, which asks for some at once. */
const LEFT_TO_OTHERS = 32;
/** Others have their turn after so many. */
const AT_ONCE = 64;

/** Magic numbers of statfs(2): ext, XFS, Btrfs, tmpfs, overlayfs, ZFS, F2FS. */
const localKinds = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010]);

export interface SmallFile {
  readonly stats: BigIntStats;
  /** All of it. */
  readonly bytes: Buffer;
}

export class QuickFiles {
  /** The last folder that was asked about, and whether it is on a local file system. */
  #folder: string | undefined;
  #local = false;
  #leftToOthers = 0;
  #sinceTurn = 0;
  readonly #buffer = Buffer.allocUnsafeSlow(SMALL_BYTES + 1);

  /** `undefined`: it is to be asked in the usual way, which also says what is wrong. */
  async stat(path: string): Promise<BigIntStats | undefined> {
    if (!(await this.#mayAsk(path))) return undefined;
    const stats = this.#timed(() => lstatSync(path, { bigint: true }));
    return stats?.isSymbolicLink() ? undefined : stats;
  }

  /** A regular file of at most 64 KiB. `undefined`: it is not, or is to be read in the usual way, which also says what is wrong. */
  async read(path: string): Promise<SmallFile | undefined> {
    return (await this.#mayAsk(path)) ? this.#timed(() => this.#readNow(path)) : undefined;
  }

  /** False: what comes next is better asked for in the usual way, and before its turn. */
  ready(): boolean {
    if (this.#leftToOthers === 0) return this.#local;
    this.#leftToOthers--;
    return false;
  }

  async #mayAsk(path: string): Promise<boolean> {
    if (this.#leftToOthers > 0) return this.ready();
    if (++this.#sinceTurn > AT_ONCE) {
      this.#sinceTurn = 0;
      await turn();
    }
    const folder = dirname(path);
    if (folder !== this.#folder) {
      this.#local = await statfs(folder).then(
        ({ type }) => localKinds.has(type),
        () => false,
      );
      this.#folder = folder;
    }
    return this.#local;
  }

  #timed<T>(ask: () => T): T | undefined {
    const start = performance.now();
    try {
      return ask();
    } catch {
      return undefined;
    } finally {
      if (performance.now() - start > SLOW_MS) this.#leftToOthers = LEFT_TO_OTHERS;
    }
  }

  #readNow(path: string): SmallFile | undefined {
    // A pipe would wait for who writes to it; a link may lead to another file system.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const stats = fstatSync(file, { bigint: true });
      if (!stats.isFile() || stats.size > SMALL_BYTES) return undefined;
      let length = 0;
      for (let read = 1; read > 0 && length < this.#buffer.length; length += read) {
        read = readSync(file, this.#buffer, length, this.#buffer.length - length, length);
      }
      return length > SMALL_BYTES ? undefined : { stats, bytes: Buffer.from(this.#buffer.subarray(0, length)) };
    } finally {
      closeSync(file);
    }
  }
}
