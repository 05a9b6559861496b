/**
 * Which files are followed, and under which paths: compares what is listed with what is known by device, inode and
 * fingerprint, and so tells growth, renaming, copying, deletion and new files apart.
 */
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Position } from '../../spec/feed.ts';
import type { Log } from '../../spec/node.ts';
import { writerOf } from './claims.ts';
import { errorNumber, fileError, nameProblem } from './file-error.ts';
import { fixedFolder, listFiles } from './file-list.ts';
import { generationOf } from './generation.ts';
import { asFilePosition, endOfRows, fingerprintOf, headOf, matchesFingerprint, readIfSame, startOfRows } from './identity.ts';
import { Originals } from './originals.ts';
import { Recent } from './recent.ts';
import { TailedFile } from './tailed-file.ts';
import { partitionName } from './whole-files.ts';

const MOST_RETIRED = 1000;
/** A file that cannot be found is looked for so often before it counts as gone. */
export const SEARCHES = 3;

export interface CatalogOptions {
  readonly id: string;
  readonly folder: string;
  /** Absolute path, folder or glob. */
  readonly path: string;
  readonly from: 'beginning' | 'end';
  readonly log: Log;
}

export interface ScanResult {
  /** Files to look at. */
  readonly news: readonly TailedFile[];
  /** Files of the last run that cannot be found. */
  readonly lost: readonly TailedFile[];
  /** Names were being moved about meanwhile, or files of the last run are still missing: to be done again soon. */
  readonly isUnsettled: boolean;
  /** Folders in which changes matter. */
  readonly folders: ReadonlySet<string>;
}

export class TailCatalog {
  readonly files = new Set<TailedFile>();
  readonly #options: CatalogOptions;
  readonly #byKey = new Map<string, TailedFile>();
  /** The last file seen at each path, also when it has left. */
  readonly #byPath = new Map<string, TailedFile>();
  /** Files that left and were read to their end, but exist: should a listed path lead to them again, they are not new. */
  readonly #retired = new Map<string, TailedFile>();
  /** Files of the last run that have not been found yet. */
  #resumed: TailedFile[];
  /** The same, and those that were found: a folder may have very many, and each is looked for. */
  readonly #resumedByIno: ReadonlyMap<string, readonly TailedFile[]>;
  readonly #found = new Set<TailedFile>();
  readonly #isFirstStart: boolean;
  #isFirstScan = true;
  readonly #told = new Set<string>();
  /** What is in a folder, by inode. When very many files are missing, each is looked for there. */
  readonly #folders = new Map<string, Recent<Map<string, Located[]>>>();
  #listed = this.#listedNow();

  constructor(options: CatalogOptions, resume: ReadonlyMap<string, Position>) {
    this.#options = options;
    this.#resumed = [...resume].flatMap(([name, value]) => {
      const position = asFilePosition(value);
      return position === undefined ? [] : [new TailedFile(name, position)];
    });
    // Of several generations of a truncated file the newest is the one to go on with.
    this.#resumed.sort((one, other) => generationOf(other.name) - generationOf(one.name));
    this.#resumedByIno = Map.groupBy(this.#resumed, ({ ino }) => ino);
    this.#isFirstStart = this.#resumed.length === 0;
  }

  at(path: string): TailedFile | undefined {
    const file = this.#byPath.get(path);
    return file?.path === path && !file.isGone ? file : undefined;
  }

  /** Whether a file with this inode is followed at the path. */
  isFollowed(path: string, ino: string): boolean {
    const file = this.#byPath.get(path);
    return file !== undefined && file.ino === ino && file.path === path && this.files.has(file);
  }

  /** Rejects with the reason of `stop` once that is aborted. */
  async scan(now: number, stop: AbortSignal): Promise<ScanResult> {
    this.#folders.clear();
    this.#listed = this.#listedNow();
    const list = await listFiles(this.#options.path);
    const seen = new Set<TailedFile>();
    const news: TailedFile[] = [];
    const unknown: { readonly path: string; readonly stats: BigIntStats }[] = [];
    const folders = new Set([fixedFolder(this.#options.path, list.kind)]);
    let isUnsettled = false;
    for (const path of list.paths) {
      stop.throwIfAborted();
      const stats = await stat(path, { bigint: true }).catch((error: unknown) => this.#tellOf(path, error));
      if (stats === undefined || !stats.isFile() || this.#isWritten(path, stats)) continue;
      folders.add(dirname(path));
      const file = this.#byKey.get(keyOf(stats)) ?? this.#takeBack(path, stats) ?? (await this.#adopt(path, stats));
      if (file === undefined) unknown.push({ path, stats });
      else if (file === 'moving') isUnsettled = true;
      else if (!seen.has(file)) {
        seen.add(file);
        this.#place(file, path, now);
        if (Number(stats.size) !== file.seenSize || file.leftAt !== undefined || file.suspectedCopy !== undefined)
          news.push(file);
      }
    }
    const lost = await this.#findMoved(list.paths, { news, now, stop });
    const originals = new Originals(unknown.length > 0 ? this.files : []);
    for (const { path, stats } of unknown) {
      stop.throwIfAborted();
      const file = await this.#create(path, { stats, now, originals });
      if (file === 'moving') isUnsettled = true;
      if (typeof file !== 'object') continue;
      originals.add(file);
      seen.add(file);
      news.push(file);
    }
    for (const file of this.files) {
      if (seen.has(file)) continue;
      if (!file.isGone) leave(file, now);
      file.isGone = true;
      news.push(file);
    }
    this.#isFirstScan = false;
    return { news, lost, folders, isUnsettled: isUnsettled || this.#resumed.length > 0 };
  }

  /** A sink of this process writes there: its rows would go round in a circle. */
  #isWritten(path: string, stats: BigIntStats): boolean {
    const writer = writerOf(stats);
    if (writer !== undefined) this.#tell(`File ${path} is not followed: ${writer} writes it`);
    return writer !== undefined;
  }

  /** The file is not followed any more. `exists`: it is not deleted, only out of sight. */
  forget(file: TailedFile, exists: boolean): void {
    this.files.delete(file);
    if (this.#byKey.get(file.key) === file) this.#byKey.delete(file.key);
    for (const path of file.paths) if (this.#byPath.get(path) === file) this.#byPath.delete(path);
    file.paths.clear();
    if (!exists) return;
    this.#retired.set(file.key, file);
    for (const key of this.#retired.keys()) {
      if (this.#retired.size <= MOST_RETIRED) break;
      this.#retired.delete(key);
    }
  }

  /** A path, listed or not, that leads to the file now: where a rotation has put it. */
  async locate(file: TailedFile): Promise<{ readonly path: string; readonly dev: string } | undefined> {
    const parent = dirname(file.path);
    const folder = this.#folders.get(parent) ?? new Recent(() => byInode(parent));
    this.#folders.set(parent, folder);
    for (const { path, stats } of (await folder.get()).get(file.ino) ?? []) {
      if (Number(stats.size) < file.offset) continue;
      const head = await headOf(path, file.ino);
      if (head !== undefined && matchesFingerprint(head, file.fingerprint)) return { path, dev: String(stats.dev) };
    }
    return undefined;
  }

  async isListed(path: string): Promise<boolean> {
    return (await this.#listed.get()).has(path);
  }

  #listedNow(): Recent<ReadonlySet<string>> {
    return new Recent(async () => new Set((await listFiles(this.#options.path)).paths));
  }

  #add(file: TailedFile, path: string): void {
    file.predecessor = this.#byPath.get(path);
    if (file.predecessor !== undefined) file.predecessor.successor = file;
    file.path = path;
    this.files.add(file);
    this.#byKey.set(file.key, file);
    this.#know(path, file);
  }

  #know(path: string, file: TailedFile): void {
    this.#byPath.set(path, file);
    file.paths.add(path);
  }

  #place(file: TailedFile, path: string, now: number): void {
    file.isGone = false;
    file.searches = 0;
    if (file.path === path) return;
    leave(file, now);
    file.path = path;
    this.#know(path, file);
  }

  #takeBack(path: string, stats: BigIntStats): TailedFile | undefined {
    const file = this.#retired.get(keyOf(stats));
    if (file === undefined) return undefined;
    this.#retired.delete(file.key);
    file.isGone = false;
    this.#add(file, path);
    return file;
  }

  /** A listed file that the last run knew. The device may have another number since the machine started again. */
  async #adopt(path: string, stats: BigIntStats): Promise<TailedFile | 'moving' | undefined> {
    if (this.#resumed.length === 0) return undefined;
    const candidates = (this.#resumedByIno.get(String(stats.ino)) ?? []).filter((file) => !this.#found.has(file));
    if (candidates.length === 0) return undefined;
    const head = await headOf(path, String(stats.ino));
    if (head === undefined) return 'moving';
    const fits = (file: TailedFile): boolean => Number(stats.size) >= file.offset && matchesFingerprint(head, file.fingerprint);
    // The same inode at the same path with other content was truncated: reading finds that out.
    const found = candidates.find(fits) ?? candidates.find((file) => file.path === path);
    if (found === undefined) return undefined;
    this.#found.add(found);
    found.dev = String(stats.dev);
    const { path: oldPath } = found;
    this.#add(found, path);
    // Its old path may have a new file.
    if (oldPath !== path && !this.#byPath.has(oldPath)) this.#know(oldPath, found);
    return found;
  }

  /**
   * Files of the last run that no listed path leads to: renamed out of sight in the meantime, or gone for good. These are
   * returned, but not at the first try: a rotation may be moving names about just now.
   */
  async #findMoved(
    listed: readonly string[],
    { news, now, stop }: { readonly news: TailedFile[]; readonly now: number; readonly stop: AbortSignal },
  ): Promise<TailedFile[]> {
    const missing: TailedFile[] = [];
    const paths = new Set(listed);
    for (const file of this.#resumed) {
      if (this.#found.has(file)) continue;
      stop.throwIfAborted();
      const found = await this.locate(file);
      if (found === undefined || paths.has(found.path)) {
        file.searches++;
        missing.push(file);
        continue;
      }
      this.#found.add(file);
      file.dev = found.dev;
      this.files.add(file);
      this.#byKey.set(file.key, file);
      if (!this.#byPath.has(file.path)) this.#know(file.path, file);
      file.path = found.path;
      leave(file, now);
      file.isGone = true;
      news.push(file);
    }
    const lost = missing.filter(({ searches }) => searches >= SEARCHES);
    for (const file of lost) this.#found.add(file);
    this.#resumed = missing.filter(({ searches }) => searches < SEARCHES);
    return lost;
  }

  async #create(
    path: string,
    { stats, now, originals }: { readonly stats: BigIntStats; readonly now: number; readonly originals: Originals },
  ): Promise<TailedFile | 'moving' | undefined> {
    let file: TailedFile;
    try {
      const head = await readIfSame(path, String(stats.ino));
      if (head === undefined) return 'moving';
      const hash = process
        .getBuiltinModule('node:crypto')
        .createHash('sha256')
        .update(`${keyOf(stats)}:${stats.birthtimeNs}`)
        .digest('hex')
        .slice(0, 8);
      file = new TailedFile(`${partitionName(this.#options.folder, path)}@${hash}`, {
        path,
        dev: String(stats.dev),
        ino: String(stats.ino),
        fingerprint: fingerprintOf(head),
        offset: startOfRows(head),
      });
      if (this.#isFirstScan && this.#isFirstStart) {
        if (this.#options.from === 'end') file.offset = await endOfRows(path, Number(stats.size));
      } else {
        const original = originals.of(path, head);
        if (original !== undefined) file.suspectedCopy = { original, size: -1, since: now };
      }
    } catch (error) {
      if (errorNumber(error) === 'ENOENT') return 'moving';
      this.#tell(fileError(`read file source "${this.#options.id}"`, path, error).message);
      return undefined;
    }
    this.#add(file, path);
    return file;
  }

  /** Of a listed file that cannot be looked at, unless it is just gone, or a link to what is not there yet. */
  #tellOf(path: string, error: unknown): undefined {
    const number = errorNumber(error);
    const isGone = number === 'ENOENT' || number === 'ENOTDIR';
    if (isGone && nameProblem(path, number) === undefined) return;
    this.#tell(fileError(`read file source "${this.#options.id}"`, path, error).message);
  }

  #tell(message: string): void {
    if (this.#told.has(message) || this.#told.size > 1000) return;
    this.#told.add(message);
    this.#options.log.warn(message);
  }
}

function leave(file: TailedFile, now: number): void {
  file.leftAt = now;
  file.hasCaughtUp = false;
}

interface Located {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** The files of a folder. */
async function byInode(folder: string): Promise<Map<string, Located[]>> {
  const found: Located[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const stats = await stat(path, { bigint: true }).catch(() => undefined);
    if (stats !== undefined) found.push({ path, stats });
  }
  return Map.groupBy(found, ({ stats }) => String(stats.ino));
}

function keyOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}
