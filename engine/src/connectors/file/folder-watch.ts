import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** So many folders are watched at the most; the poll sees to the others. */
const MOST_FOLDERS = 256;

export interface FolderEvents {
  /** A file was written to. */
  changed(path: string): void;
  /** A name appeared, went or moved. */
  renamed(): void;
}

/** Tells of changes in folders where the system can; where it cannot (network file systems, no watches left) nothing is lost but time. */
export class FolderWatch {
  readonly #events: FolderEvents;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(events: FolderEvents) {
    this.#events = events;
  }

  /** Watches these folders and no others. True when one is new: what happened in it just before was not told. */
  set(folders: ReadonlySet<string>): boolean {
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#stop(folder);
    const before = this.#watchers.size;
    for (const folder of folders) {
      if (this.#watchers.size < MOST_FOLDERS && !this.#watchers.has(folder)) this.#start(folder);
    }
    return this.#watchers.size > before;
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#stop(folder);
  }

  #start(folder: string): void {
    try {
      const watcher = watch(folder, (event, name) => {
        if (event === 'change' && name !== null) this.#events.changed(join(folder, name));
        else this.#events.renamed();
      });
      watcher.on('error', () => this.#stop(folder));
      this.#watchers.set(folder, watcher);
    } catch {
      // The folder is not there yet, or there are no watches left: the poll sees to it.
    }
  }

  #stop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}
