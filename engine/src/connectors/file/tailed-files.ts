/**
 * Follows files as they grow, through rotation by renaming, by copying and truncating, and through deletion. A partition is one
 * file (not one path), so that the old file and the new one of a path can both be followed while writers change over; its
 * name is the path where the file was first seen and a hash of what the system knows it by. So offsets are those of the file,
 * and no two rows share an id.
 *
 * Two loops run side by side. One looks at names: when something was renamed, and every `watcher_interval_s` whatever the
 * system tells. The other reads. Without changes there is one timer, and nothing is read.
 */
import type { Feed, PartitionFeed } from '../../spec/feed.ts';
import type { Log } from '../../spec/node.ts';
import type { Source } from '../../spec/source.ts';
import { Alarm } from './alarm.ts';
import { errorNumber, fileError } from './file-error.ts';
import { FolderWatch } from './folder-watch.ts';
import { nextGeneration } from './generation.ts';
import { SEARCHES, TailCatalog } from './tail-catalog.ts';
import type { TailedFile } from './tailed-file.ts';

export interface TailedFilesOptions {
  readonly id: string;
  readonly folder: string;
  readonly log: Log;
  /** Absolute path, folder or glob. */
  readonly path: string;
  readonly from: 'beginning' | 'end';
  readonly intervalMs: number;
  /** Files that are kept open at the most, beside those that no name leads to any more. */
  readonly mostOpen?: number;
}

/** Appends within this time are read together. */
const GATHER_MS = 20;
/** Looking at names takes this part of the time at most when something tells of changes, */
const SCAN_SHARE = 1 / 10;
/** and this part when nothing does, unless that would be more than so many times rarer than it was asked for. */
const POLL_SHARE = 1 / 1000;
const RAREST_POLL = 12;
const READERS = 4;
/** While names are being moved about, they are looked at again so soon. */
const UNSETTLED_MS = 200;

export class TailedFiles implements Source {
  readonly #options: TailedFilesOptions;
  readonly #scanAlarm = new Alarm();
  readonly #readAlarm = new Alarm();
  readonly #watch: FolderWatch;
  readonly #dirty = new Set<TailedFile>();
  /** Files to look at again at some time, though nothing tells of them. */
  readonly #later = new Map<TailedFile, number>();
  /** In the order of their last use. */
  readonly #opened = new Set<TailedFile>();
  #catalog: TailCatalog | undefined;
  #feed: Feed | undefined;
  #earliestScan = 0;
  #earliestRead = 0;
  #told: string | undefined;

  constructor(options: TailedFilesOptions) {
    this.#options = options;
    this.#watch = new FolderWatch({
      changed: (path) => {
        const file = this.#catalog?.at(path);
        if (file !== undefined) this.#markDirty(file);
      },
      renamed: () => this.#scanAlarm.at(Math.max(this.#earliestScan, performance.now() + GATHER_MS)),
    });
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    this.#feed = feed;
    this.#catalog ??= new TailCatalog(this.#options, feed.resume);
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    const loops = [this.#scanLoop(this.#catalog, stop), this.#readLoop(stop)].map((loop) =>
      loop.catch((error) => {
        failed.abort();
        if (!signal.aborted) throw error;
      }),
    );
    await Promise.all(loops);
  }

  async close(): Promise<void> {
    this.#watch.close();
    for (const file of this.#opened) await file.close();
  }

  async #scanLoop(catalog: TailCatalog, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const start = performance.now();
      await this.#scan(catalog, start, stop);
      const end = performance.now();
      this.#earliestScan = end + (end - start) / SCAN_SHARE;
      const { intervalMs } = this.#options;
      this.#scanAlarm.at(end + Math.min(Math.max(intervalMs, (end - start) / POLL_SHARE), intervalMs * RAREST_POLL));
      await this.#scanAlarm.wait(stop);
    }
  }

  async #scan(catalog: TailCatalog, now: number, stop: AbortSignal): Promise<void> {
    try {
      const { news, lost, folders, isUnsettled } = await catalog.scan(now, stop);
      for (const file of news) this.#take(file);
      for (const file of lost) await this.#giveUp(file);
      if (this.#watch.set(folders)) this.#scanAlarm.at(performance.now() + GATHER_MS);
      if (isUnsettled) this.#scanAlarm.at(performance.now() + Math.min(this.#options.intervalMs, UNSETTLED_MS));
      if (catalog.files.size === 0) this.#tell('info', `File source "${this.#options.id}" waits for ${this.#options.path}`);
      else this.#told = undefined;
    } catch (error) {
      if (stop.aborted) return;
      this.#tell('warn', fileError(`look for files of source "${this.#options.id}"`, this.#options.path, error).message);
    }
  }

  #take(file: TailedFile): void {
    // What is left out must be in the checkpoint, or the next start would take it for new.
    if (this.#options.from === 'end' && file.offset > 0 && file.suspectedCopy === undefined) this.#partitionOf(file);
    this.#markDirty(file);
  }

  /** A file of the last run that cannot be found. Only the newest generation of a truncated file is looked for. */
  async #giveUp(file: TailedFile): Promise<void> {
    const { path, ino, offset } = file;
    if (!this.#catalog?.isFollowed(path, ino)) {
      this.#options.log.warn(
        `File ${path}, of which the last run delivered ${offset} bytes, is gone: what came after cannot be read`,
      );
    }
    await this.#finish(file, 'deleted');
  }

  async #readLoop(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#readAlarm.wait(stop);
      this.#wakeLater(performance.now());
      const files = [...this.#dirty];
      this.#dirty.clear();
      const readers = Array.from({ length: READERS }, async () => {
        for (let file = files.shift(); file !== undefined && !stop.aborted; file = files.shift()) {
          await this.#read(file, stop);
          await this.#closeSurplus();
        }
      });
      await Promise.all(readers);
      this.#earliestRead = performance.now() + GATHER_MS;
      if (this.#dirty.size > 0) this.#readAlarm.at(this.#earliestRead);
      for (const time of this.#later.values()) this.#readAlarm.at(time);
    }
  }

  #wakeLater(now: number): void {
    for (const [file, time] of this.#later) {
      if (time > now) continue;
      this.#later.delete(file);
      this.#dirty.add(file);
    }
  }

  async #read(file: TailedFile, stop: AbortSignal): Promise<void> {
    if (!this.#catalog?.files.has(file) || !this.#mayFollow(file)) return;
    // While it is read it is not closed as one too many.
    this.#opened.delete(file);
    const now = performance.now();
    try {
      if (file.suspectedCopy !== undefined && !(await this.#isDecided(file, now))) return;
      const { offset } = file;
      const isOver = file.leftAt !== undefined && file.hasCaughtUp && now - file.leftAt >= this.#options.intervalMs;
      const look = await file.read(() => this.#partitionOf(file), isOver);
      file.told = file.packed === undefined ? undefined : this.#leaveOut(file, file.packed);
      if (look === 'more') this.#markDirty(file);
      else if (look === 'truncated') await this.#restart(file);
      else if (look === 'replaced') await this.#lookElsewhere(file);
      else if (isOver) await this.#conclude(file);
      else if (file.successor !== undefined) this.#markDirty(file.successor);
      if (file.leftAt !== undefined) {
        if (file.offset !== offset && look !== 'truncated') file.leftAt = now;
        this.#later.set(file, file.leftAt + this.#options.intervalMs);
      }
    } catch (error) {
      if (stop.aborted) throw error;
      if (errorNumber(error) === 'ENOENT') await this.#lookElsewhere(file);
      else this.#complain(file, error);
    } finally {
      this.#touch(file);
    }
  }

  /** Its rows were read before a rotation compressed them, or cannot be. */
  #leaveOut({ path, told }: TailedFile, packed: string): string {
    const message = `File ${path} is not followed: it is compressed with ${packed}, expected rows (a path that leaves it out, or mode: whole)`;
    if (message !== told) this.#options.log.warn(message);
    return message;
  }

  #mayFollow(file: TailedFile): boolean {
    const { predecessor } = file;
    if (predecessor === undefined) return true;
    if (this.#catalog?.files.has(predecessor) && !predecessor.hasCaughtUp) return false;
    file.predecessor = undefined;
    predecessor.successor = undefined;
    return true;
  }

  /** Whether a suspected copy is known to be one, or known to be none. */
  async #isDecided(file: TailedFile, now: number): Promise<boolean> {
    const { intervalMs, log } = this.#options;
    const original = file.suspectedCopy!.original.path;
    const verdict = await file.judge(now, intervalMs);
    if (verdict === 'copy') {
      log.info(`File ${file.path} is a copy of ${original} from before it was truncated: it is read from byte ${file.offset}`);
    } else if (verdict === 'undecided') this.#later.set(file, file.suspectedCopy!.since + intervalMs);
    return verdict !== 'undecided';
  }

  async #restart(file: TailedFile): Promise<void> {
    this.#options.log.info(`File ${file.path} was truncated: it is read from its start`);
    const old = file.partition ?? this.#partitionOf(file);
    await old.end();
    await file.restart(nextGeneration(file.name));
    // In this order, so that one of the two is in every checkpoint.
    this.#partitionOf(file);
    old.forget?.();
    this.#markDirty(file);
    for (const other of this.#catalog?.files ?? []) if (other.suspectedCopy?.original === file) this.#markDirty(other);
  }

  /** It has been silent since it left its path. */
  async #conclude(file: TailedFile): Promise<void> {
    const stats = await file.handle?.stat();
    if (!file.isGone || stats?.nlink === 0) await this.#finish(file, file.isGone ? 'deleted' : 'moved');
    else await this.#lookElsewhere(file);
  }

  /**
   * No listed path leads to it: a rotation has put it elsewhere, or has just been moving names about while they were listed.
   */
  async #lookElsewhere(file: TailedFile): Promise<void> {
    const now = performance.now();
    const scanSoon = (): void => this.#scanAlarm.at(Math.max(this.#earliestScan, now + GATHER_MS));
    if (!file.isGone) {
      scanSoon();
      return;
    }
    const path = (await this.#catalog?.locate(file))?.path;
    if (path !== undefined && (await this.#catalog?.isListed(path))) {
      file.leftAt = now;
      scanSoon();
      return;
    }
    if (path !== undefined && file.handle === undefined) {
      file.path = path;
      this.#markDirty(file);
      return;
    }
    file.searches++;
    if (path === undefined && file.searches < SEARCHES) {
      file.leftAt = now;
      scanSoon();
      return;
    }
    if (file.handle === undefined && file.seenSize > file.offset) {
      this.#options.log.warn(`File ${file.path} is gone: ${file.seenSize - file.offset} bytes of it were not read`);
    }
    await this.#finish(file, path === undefined && file.handle === undefined ? 'deleted' : 'out of sight');
  }

  /** Nothing more is expected of the file. If it grows all the same, and a listed path leads to it, it is taken up again. */
  async #finish(file: TailedFile, fate: 'moved' | 'out of sight' | 'deleted'): Promise<void> {
    file.hasCaughtUp = true;
    file.leftAt = undefined;
    if (fate !== 'moved') {
      const partition = this.#partitionOf(file);
      this.#catalog?.forget(file, fate === 'out of sight');
      await partition.end();
      partition.forget?.();
    } else await file.partition?.end();
    file.partition = undefined;
    this.#opened.delete(file);
    await file.close();
    if (file.successor !== undefined) this.#markDirty(file.successor);
  }

  #partitionOf(file: TailedFile): PartitionFeed {
    file.partition ??= this.#feed!.partition(file.name, { offset: file.offset, position: file.positions() });
    return file.partition;
  }

  #markDirty(file: TailedFile): void {
    this.#dirty.add(file);
    this.#readAlarm.at(this.#earliestRead);
  }

  #touch(file: TailedFile): void {
    this.#opened.delete(file);
    if (file.handle !== undefined) this.#opened.add(file);
  }

  /** Of a file that no name leads to, the open handle is all there is: it stays. */
  async #closeSurplus(): Promise<void> {
    let surplus = this.#opened.size - (this.#options.mostOpen ?? 256);
    for (const file of this.#opened) {
      if (surplus <= 0) return;
      if (file.isGone) continue;
      this.#opened.delete(file);
      await file.close();
      surplus--;
    }
  }

  #complain(file: TailedFile, error: unknown): void {
    // It must not hold up the file that follows it.
    file.hasCaughtUp = true;
    if (file.successor !== undefined) this.#markDirty(file.successor);
    const { message } = fileError(`read file source "${this.#options.id}"`, file.path, error);
    if (message === file.told) return;
    file.told = message;
    this.#options.log.warn(`${message}; tries again`);
  }

  #tell(level: 'info' | 'warn', message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#options.log[level](message);
  }
}
