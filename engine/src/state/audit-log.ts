/**
 * What became active in a state folder and what stopped, for those who must prove it: `audit.ndjson`, JSON lines that are only ever
 * appended to, each on disk before the next thing happens. Every entry holds the SHA-256 of the line before it, so that one that is
 * changed, removed or put in between shows. A full file is given another name and never touched again.
 */
import { open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ReefError } from '../errors.ts';
import type { Json } from '../spec/plan.ts';
import { syncFolder } from './write-atomically.ts';

const NAME = 'audit.ndjson';
/** A file from which on a new one is begun: some ten thousand starts. */
export const MOST_FILE_BYTES = 8 * 1024 * 1024;
/** `previous` of the very first entry. */
export const NO_ENTRY = '0'.repeat(64);

export interface AuditEntry {
  /** Counts from 1, over all files. */
  readonly seq: number;
  /** RFC 3339. */
  readonly time: string;
  /** SHA-256 of the line before, without its newline. */
  readonly previous: string;
  /** A kill in the middle of an entry left this behind the line before. */
  readonly torn?: { readonly bytes: number; readonly sha256: string };
  readonly [more: string]: Json | undefined;
}

export interface Appended {
  readonly seq: number;
  /** Of the entry itself: whoever keeps it elsewhere can tell that none was cut off behind it. */
  readonly sha256: string;
  /** Bytes of an unfinished entry that stood at the end. */
  readonly torn: number;
}

interface End {
  readonly seq: number;
  readonly sha256: string;
  readonly torn: Uint8Array;
  readonly bytes: number;
}

/** Appends an entry; resolves when it is on disk. Only for the process that has locked the folder. */
export async function appendAudit(
  folder: string,
  what: Readonly<Record<string, Json>>,
  mostBytes = MOST_FILE_BYTES,
): Promise<Appended> {
  const path = join(folder, NAME);
  try {
    const present = await endOf(path);
    const full = present !== undefined && present.bytes >= mostBytes;
    const end = present ?? (await endOf((await auditFiles(folder)).at(-1)));
    if (full) await rename(path, join(folder, await nextName(folder)));
    const torn = full || !present ? new Uint8Array(0) : present.torn;
    const entry: AuditEntry = {
      seq: (end?.seq ?? 0) + 1,
      time: new Date().toISOString(),
      ...what,
      ...(torn.length > 0 ? { torn: { bytes: torn.length, sha256: sha256(torn) } } : {}),
      previous: end?.sha256 ?? NO_ENTRY,
    };
    const line = JSON.stringify(entry);
    const file = await open(path, 'a', 0o600);
    try {
      // What is torn stays where it is, closed by a newline: the file is never cut.
      await file.appendFile(`${torn.length > 0 ? '\n' : ''}${line}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    if (full || !present) await syncFolder(folder);
    return { seq: entry.seq, sha256: sha256(Buffer.from(line)), torn: torn.length };
  } catch (error) {
    const message = `Cannot write audit log ${path}: ${(error as Error).message}, expected a file that can be appended to`;
    throw new ReefError('state', message, { cause: error, data: { path } });
  }
}

/** The files of a folder's audit log, the oldest first; empty when there is none. */
export async function auditFiles(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  const full = names.filter((name) => /^audit-\d{6,}\.ndjson$/.test(name)).sort();
  return [...full, ...(names.includes(NAME) ? [NAME] : [])].map((name) => join(folder, name));
}

async function nextName(folder: string): Promise<string> {
  const last = (await auditFiles(folder)).findLast((path) => !path.endsWith(NAME));
  const number = last === undefined ? 1 : Number(/(\d+)\.ndjson$/.exec(last)![1]) + 1;
  return `audit-${String(number).padStart(6, '0')}.ndjson`;
}

/** The last entry of a file, and what a kill left behind it. `undefined` when there is no file, or nothing in it. */
async function endOf(path: string | undefined): Promise<End | undefined> {
  const content = path === undefined ? undefined : await readFile(path).catch(ifMissing);
  if (content === undefined || content.length === 0) return undefined;
  const behind = content.lastIndexOf(10) + 1;
  const torn = content.subarray(behind);
  const lines = content.subarray(0, behind).toString().split('\n').slice(0, -1);
  // A fragment of an earlier kill is no entry: the chain goes round it.
  const last = lines.findLast((line) => parseEntry(line) !== undefined);
  if (last === undefined) return { seq: 0, sha256: NO_ENTRY, torn, bytes: content.length };
  return { seq: parseEntry(last)!.seq, sha256: sha256(Buffer.from(last)), torn, bytes: content.length };
}

export function parseEntry(line: string): AuditEntry | undefined {
  try {
    const entry = JSON.parse(line) as AuditEntry;
    return Number.isSafeInteger(entry.seq) && typeof entry.previous === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return process.getBuiltinModule('node:crypto').hash('sha256', bytes);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
