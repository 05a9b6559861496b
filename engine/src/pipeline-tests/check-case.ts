/** What a pipeline gave against what its case expects. */
import { readFileSync } from 'node:fs';
import type { Case, RejectedRow, RejectedRows, Row, Rows, Value } from './case.ts';
import { compareRows, differenceLines, setDifference } from './compare-rows.ts';
import type { RejectedDocument } from './gathered.ts';
import { observerOf } from './rewire.ts';
import { canonical, parseRow, rowText } from './row-text.ts';
import type { PipelineRun } from './run-pipeline.ts';

export interface Failure {
  /** What is not as expected: `output`, `moment: rejected rows`. */
  readonly subject: string;
  readonly lines: readonly string[];
  /** What `--update` writes in its place. */
  readonly update?: Update;
}

export interface Update {
  /** Leads to the value in the case file. */
  readonly path: readonly (string | number)[];
  readonly value: Value;
  /** The file that is written instead. */
  readonly file?: string;
}

/** `baseline`: the run without the faults, where the case asks for nothing to be lost. `sinks`: ids of the punchline's own sinks. */
export function checkCase(test: Case, run: PipelineRun, sinks: ReadonlySet<string>, baseline?: PipelineRun): Failure[] {
  const failures: Failure[] = [];
  if (run.failure !== undefined) failures.push({ subject: 'the pipeline', lines: [run.failure, ...run.warnings.slice(0, 10)] });
  const several = test.input.size + test.real.length > 1;
  for (const [node, { out, tables, rejected }] of test.expect) {
    const seen = (table: string | undefined): string => (sinks.has(node) ? node : observerOf(node, table));
    if (out) failures.push(...checkRows(node, out, seen(undefined), { test, run, baseline, several }));
    for (const [table, rows] of tables) {
      failures.push(...checkRows(`${node}, table ${table}`, rows, seen(table), { test, run, baseline, several }));
    }
    if (rejected) {
      failures.push(
        ...checkRejected(
          node,
          rejected,
          run.rejected.filter((document) => document.node === node),
        ),
      );
    }
  }
  failures.push(...unexpectedRejections(test, run));
  if (run.failure === undefined && run.unused.length > 0) {
    failures.push({ subject: 'the faults', lines: run.unused });
  }
  return failures;
}

interface Context {
  readonly test: Case;
  readonly run: PipelineRun;
  readonly baseline: PipelineRun | undefined;
  readonly several: boolean;
}

function checkRows(subject: string, { path, how, order, duplicatesAtMost }: Rows, node: string, context: Context): Failure[] {
  const { gathered } = context.run;
  if (how.kind === 'text') {
    const actual = gathered.text(node);
    if (actual === how.text) return [];
    const lines = compareRows({ ...listsOf(how.text, actual), match: 'exact', order: 'kept', duplicatesAtMost: 0 });
    const ends = lines.length === 0 ? ['the texts end in a different number of line breaks'] : lines;
    return [{ subject, lines: ends, update: { path: [...path, 'text'], value: actual } }];
  }
  const actual = gathered.rows(node);
  if (how.kind === 'count') {
    if (actual.length === how.count) return [];
    const lines = [`- ${how.count} rows`, `+ ${actual.length} rows`];
    return [{ subject, lines, update: { path: [...path, 'count'], value: actual.length } }];
  }
  if (how.kind === 'nothing_lost') return checkLoss(subject, node, duplicatesAtMost, context);
  const expected = how.file === undefined ? how.rows : rowsOfFile(how.file);
  const match = how.kind === 'includes' ? 'includes' : 'exact';
  const lines = compareRows({
    expected,
    actual,
    match,
    order: order ?? (context.several ? 'any' : 'kept'),
    duplicatesAtMost,
  });
  if (lines.length === 0) return [];
  if (duplicatesAtMost > 0) return [{ subject, lines }];
  const value = how.kind === 'includes' ? actual.map((row, index) => onlyColumns(row, expected[index])) : actual;
  const key = how.file === undefined ? how.kind : 'rows_file';
  return [{ subject, lines, update: { path: [...path, key], value, ...(how.file === undefined ? {} : { file: how.file }) } }];
}

/** Lines as rows of one column, for showing which of them differ. */
function listsOf(expected: string, actual: string): { readonly expected: Row[]; readonly actual: Row[] } {
  const rows = (text: string): Row[] => text.split('\n').map((line) => ({ line }));
  return { expected: rows(expected), actual: rows(actual) };
}

function onlyColumns(row: Row, like: Row | undefined): Row {
  return like === undefined ? row : Object.fromEntries(Object.entries(row).filter(([name]) => Object.hasOwn(like, name)));
}

/** A file that is not there yet holds nothing: `--update` writes it. */
function rowsOfFile(path: string): Row[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseRow);
}

/** A row that the fault has rejected is not lost: it is in an error table. */
function checkLoss(subject: string, node: string, duplicatesAtMost: number, { run, baseline }: Context): Failure[] {
  if (!baseline) return [];
  if (baseline.failure !== undefined) return [{ subject: `${subject}, without the faults`, lines: [baseline.failure] }];
  const expected = baseline.gathered.rows(node);
  const actual = run.gathered.rows(node);
  const known = new Set(baseline.rejected.map(({ id, node: by }) => `${by}\n${id}`));
  const rejected = run.rejected.filter(({ id, node: by }) => !known.has(`${by}\n${id}`)).length;
  const difference = setDifference(expected, actual, 'exact');
  const lost = difference.missing.length - rejected;
  const lines = differenceLines(lost > 0 ? difference : { ...difference, missing: [] }, expected, duplicatesAtMost);
  if (lost > 0) lines.unshift(`of ${expected.length} rows ${lost} did not come and were not rejected`);
  return lines.length === 0 ? [] : [{ subject, lines }];
}

function checkRejected(node: string, { path, how }: RejectedRows, actual: readonly RejectedDocument[]): Failure[] {
  const subject = `${node}: rejected rows`;
  if (how.kind === 'rejected_count') {
    if (actual.length === how.count) return [];
    const lines = [`- ${how.count} rejected`, `+ ${actual.length} rejected`, ...actual.slice(0, 10).map(documentLine)];
    return [{ subject, lines, update: { path: [...path, 'rejected_count'], value: actual.length } }];
  }
  const left = [...actual];
  const missing = how.rows.filter((expected) => {
    const at = left.findIndex((document) => isRejected(expected, document));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (missing.length + left.length === 0) return [];
  const lines = [...missing.map((row) => `- ${rowText(expectedText(row))}`), ...left.map(documentLine)];
  return [{ subject, lines, update: { path: [...path, 'rejected'], value: actual.map(asExpected) } }];
}

function isRejected({ row, text, reason, reasonIncludes }: RejectedRow, document: RejectedDocument): boolean {
  if (reason !== undefined && reason !== document.reason) return false;
  if (reasonIncludes !== undefined && !document.reason.includes(reasonIncludes)) return false;
  if (text !== undefined && text !== document.entered.text) return false;
  if (row === undefined) return true;
  const entered = enteredRow(document);
  return entered !== undefined && canonical(entered) === canonical(row);
}

function expectedText({ row, text, reason, reasonIncludes }: RejectedRow): Row {
  return {
    ...(row === undefined ? {} : { row }),
    ...(text === undefined ? {} : { text }),
    ...(reason === undefined ? {} : { reason }),
    ...(reasonIncludes === undefined ? {} : { reason_includes: reasonIncludes }),
  };
}

function asExpected(document: RejectedDocument): Row {
  const row = enteredRow(document);
  const { text, base64 } = document.entered;
  return { ...(row === undefined ? { text: text ?? base64 ?? '' } : { row }), reason: document.reason };
}

function documentLine(document: RejectedDocument): string {
  return `+ ${rowText(asExpected(document))}`;
}

function enteredRow({ entered }: RejectedDocument): Row | undefined {
  try {
    const row = parseRow(entered.text ?? '');
    return typeof row === 'object' && row !== null ? row : undefined;
  } catch {
    return undefined;
  }
}

/** Rejected rows that nobody expects fail a case: a pipeline that loses all its rows that way would pass otherwise. */
function unexpectedRejections(test: Case, { rejected }: PipelineRun): Failure[] {
  const free = new Set(test.faults.flatMap((fault) => (fault.kind === 'over_limit' ? [fault.node] : [])));
  const left = rejected.filter(({ node }) => !free.has(node) && test.expect.get(node)?.rejected === undefined);
  return [...Map.groupBy(left, ({ node }) => node)].map(([node, documents]) => ({
    subject: `${node}: rejected rows`,
    lines: ['- none (the case says nothing of rejected rows)', ...documents.slice(0, 10).map(documentLine)],
  }));
}
