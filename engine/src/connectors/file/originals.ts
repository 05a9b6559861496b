import { dirname } from 'node:path';
import { fingerprintOf } from './identity.ts';
import type { TailedFile } from './tailed-file.ts';

interface Folder {
  /** Of the fingerprints, the longest first. */
  lengths: number[];
  readonly byFingerprint: Map<string, TailedFile>;
}

/** Files that others may be copies of, by how they begin, or did before they were truncated: very many are no more work than few. */
export class Originals {
  readonly #folders = new Map<string, Folder>();

  constructor(files: Iterable<TailedFile>) {
    for (const file of files) this.add(file);
  }

  add(file: TailedFile): void {
    if (file.isGone) return;
    const path = dirname(file.path);
    const folder: Folder = this.#folders.get(path) ?? { lengths: [], byFingerprint: new Map() };
    this.#folders.set(path, folder);
    for (const fingerprint of [file.fingerprint, file.before?.fingerprint]) {
      const length = Number.parseInt(fingerprint ?? '0', 10);
      if (length === 0 || folder.byFingerprint.has(fingerprint!)) continue;
      folder.byFingerprint.set(fingerprint!, file);
      if (!folder.lengths.includes(length)) folder.lengths = [...folder.lengths, length].sort((one, other) => other - one);
    }
  }

  /** The file in the same folder that begins with most of the bytes that the one at `path` begins with. */
  of(path: string, head: Uint8Array): TailedFile | undefined {
    const folder = this.#folders.get(dirname(path));
    for (const length of folder?.lengths ?? []) {
      const found = length > head.length ? undefined : folder!.byFingerprint.get(fingerprintOf(head.subarray(0, length)));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
