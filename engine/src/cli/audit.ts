/** `reef audit`: which configuration and code was active when, and whether that record is whole. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type AuditEntry, auditFiles } from '../state/audit-log.ts';
import { stateHome } from '../state/state-folder.ts';
import { type AuditReport, verifyAudit } from '../state/verify-audit.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { auditUsage } from './usage.ts';

interface AuditArgs {
  readonly state: string | undefined;
  readonly verify: boolean;
  readonly json: boolean;
}

/** `--state DIR`, a file in it, a punchline in that: state folders lie no deeper. */
const DEEPEST = 2;

/** Exit codes: 0 whole, 1 a log is not whole or there is none, 2 a wrong command line. */
export async function runAudit(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseAuditArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef audit: ${parsed}\nusage: ${auditUsage}\n`);
    return 2;
  }
  const top = parsed.state === undefined ? stateHome(io.env) : resolve(io.cwd, parsed.state);
  const folders = await foldersWithLogs(top, DEEPEST);
  if (folders.length === 0) {
    io.stderr.write(`reef audit: there is no audit log in ${top}, expected the state folder of a punchline that has run\n`);
    return 1;
  }
  let whole = true;
  for (const folder of folders) {
    const report = await verifyAudit(folder);
    whole &&= report.problems.length === 0;
    if (parsed.json) for (const line of report.lines) io.stdout.write(`${line}\n`);
    else io.stdout.write(`${folder}\n${parsed.verify ? '' : report.entries.map(entryText).join('')}`);
    for (const problem of report.problems) io.stderr.write(`reef audit: ${folder}: ${problem}\n`);
    if (!parsed.json) io.stdout.write(verdict(report));
  }
  return whole ? 0 : 1;
}

function verdict({ entries, head, problems, notes }: AuditReport): string {
  const [first] = entries;
  const range = first === undefined ? 'no entries' : `entries ${first.seq} to ${entries.at(-1)!.seq}`;
  const words = problems.length === 0 ? 'whole' : `NOT WHOLE, ${problems.length === 1 ? '1 break' : `${problems.length} breaks`}`;
  return `${notes.map((note) => `  note: ${note}\n`).join('')}  ${range}: ${words}; SHA-256 of the last ${head}\n`;
}

interface Started {
  readonly name: string;
  readonly kind: string;
  readonly file: string;
  readonly file_sha256: string;
  readonly configuration_sha256: string;
}

interface Code {
  readonly node: string;
  readonly type: string;
  readonly sha256: string;
  readonly from?: string;
  readonly isolated?: boolean;
}

function entryText(entry: AuditEntry): string {
  const { seq, time, event, reef, user, host, pid, outcome, error, started, after } = entry as AuditEntry &
    Record<string, string>;
  const head = `  ${seq} ${time} ${event}`;
  const who = `by ${user || '(no name)'} on ${host}, process ${pid}, reef ${reef}`;
  if (event !== 'started') return `${head} (${started}) ${outcome}${error === undefined ? '' : `: ${error}`} ${who}\n`;
  const punchline = entry.punchline as unknown as Started;
  const code = ((entry.code ?? []) as unknown as readonly Code[]).map(
    ({ node, type, sha256, from, isolated }) =>
      `      code of "${node}" (${type}) ${sha256} ${isolated ? 'isolated: it has killed the process' : `from ${from}`}\n`,
  );
  return `${head} ${punchline.name}, ${punchline.kind}, ${who}${after === 'a kill' ? ', after a kill' : ''}
      file ${punchline.file_sha256} ${punchline.file}
      configuration ${punchline.configuration_sha256}
${code.join('')}`;
}

async function foldersWithLogs(folder: string, deeper: number): Promise<string[]> {
  const own = (await auditFiles(folder)).length > 0 ? [folder] : [];
  if (deeper === 0) return own;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const all = await Promise.all(below.sort().map((path) => foldersWithLogs(path, deeper - 1)));
  return [...own, ...all.flat()];
}

function parseAuditArgs(args: readonly string[]): AuditArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        state: { type: 'string' },
        verify: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (positionals.length > 0) return `"${positionals[0]}" is one word too many, expected options only`;
    if (values.state === '') return '--state is empty, expected the name of a folder';
    return { state: values.state, verify: values.verify, json: values.json };
  } catch (error) {
    return argumentProblem(error);
  }
}
