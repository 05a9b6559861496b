import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type AuditEntry, auditFiles, NO_ENTRY, parseEntry, sha256 } from './audit-log.ts';

export interface AuditReport {
  readonly entries: readonly AuditEntry[];
  /** The lines of the entries, as they stand. */
  readonly lines: readonly string[];
  /** SHA-256 of the last entry. */
  readonly head: string;
  /** Where the chain is broken: sentences. */
  readonly problems: readonly string[];
  /** What is no sign of tampering. */
  readonly notes: readonly string[];
}

/** Reads a folder's audit log through and follows its chain. */
export async function verifyAudit(folder: string): Promise<AuditReport> {
  const entries: AuditEntry[] = [];
  const lines: string[] = [];
  const problems: string[] = [];
  const notes: string[] = [];
  let head: string | undefined;
  /** Lines since the last entry that are none: a kill may have left one. */
  let fragments: string[] = [];
  for (const path of await auditFiles(folder)) {
    const file = basename(path);
    const text = await readFile(path, 'utf8');
    const all = text.split('\n');
    const unfinished = all.pop()!;
    for (const [index, line] of all.entries()) {
      const entry = parseEntry(line);
      if (!entry) {
        fragments.push(line);
        continue;
      }
      const where = `${file}:${index + 1}: entry ${entry.seq}`;
      problems.push(...wrongFragments(where, fragments, entry));
      if (fragments.length > 0 && entry.torn) notes.push(`${where} says that a kill tore the one before it`);
      fragments = [];
      problems.push(...wrongLink(where, entry, entries.at(-1), head));
      if (head === undefined && entry.seq > 1) notes.push(`entries before ${entry.seq} are not here`);
      head = sha256(line);
      entries.push(entry);
      lines.push(line);
    }
    if (unfinished !== '') {
      notes.push(`${file} ends with an unfinished entry of ${Buffer.byteLength(unfinished)} bytes: a kill tore it`);
    }
  }
  if (fragments.length > 0) problems.push(`${fragments.length} lines at the end are no entries`);
  return { entries, lines, head: head ?? NO_ENTRY, problems, notes };
}

function wrongFragments(where: string, fragments: readonly string[], { torn }: AuditEntry): string[] {
  const [fragment, ...more] = fragments;
  const declared = fragment !== undefined && more.length === 0 && torn?.sha256 === sha256(fragment);
  if (declared || (fragment === undefined && !torn)) return [];
  const what = fragment === undefined ? 'nothing is there' : `${fragments.length} lines before it are no entries`;
  const said = torn ? `it says that ${torn.bytes} torn bytes stand before it` : 'it says nothing of them';
  return [`${where}: ${what}, and ${said}`];
}

function wrongLink(where: string, entry: AuditEntry, before: AuditEntry | undefined, head: string | undefined): string[] {
  if (before === undefined) {
    return entry.seq === 1 && entry.previous !== NO_ENTRY ? [`${where}: it is the first, but names one before it`] : [];
  }
  const wrong: string[] = [];
  if (entry.seq !== before.seq + 1) wrong.push(`${where}: it follows entry ${before.seq}, expected entry ${before.seq + 1}`);
  if (entry.previous !== head) {
    wrong.push(`${where}: the entry before it is not the one that it was written behind (changed, removed or put in)`);
  }
  return wrong;
}
