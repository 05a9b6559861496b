/** `reef test`: runs the cases that stand beside punchlines. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ReefError } from '../errors.ts';
import { type FileResult, type FoundFile, findCaseFiles } from '../pipeline-tests/index.ts';
import { redacted } from '../spec/secrets.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { testUsage } from './usage.ts';

const MOST_WORKERS = 16;

interface TestArgs {
  readonly names: readonly string[];
  readonly update: boolean;
  readonly watch: boolean;
  readonly junit: string | undefined;
  readonly only: string | undefined;
  readonly workers: number;
}

/**
 * Exit codes: 0 all cases passed (or were skipped, or updated), 1 a case failed, 2 a wrong command line, 3 a case file or its
 * punchline is wrong.
 */
export async function runTest(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseTestArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef test: ${parsed}\nusage: ${testUsage}\n`);
    return 2;
  }
  if (parsed.watch) {
    const { watchTests } = await import('./watch.ts');
    return watchTests(parsed.names, args, io);
  }
  let files: FoundFile[];
  try {
    files = await findCaseFiles(parsed.names, io.cwd);
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
    io.stderr.write(`reef test: ${error.message}\n`);
    return 3;
  }
  const results: FileResult[] = [];
  let updated = 0;
  for (const file of files) {
    const [result, updates] = await runFile(file, parsed, io);
    results.push(result);
    updated += updates;
  }
  const { junitXml, summaryLine } = await import('../pipeline-tests/index.ts');
  if (parsed.junit !== undefined) await writeFile(resolve(io.cwd, parsed.junit), redacted(junitXml(results)));
  io.stdout.write(`${summaryLine(results, updated)}\n`);
  if (results.some(({ problems }) => problems.length > 0)) return 3;
  return results.some((file) => file.results.some(({ outcome }) => outcome === 'failed')) ? 1 : 0;
}

/** What came of the file, and how many expectations were written anew. */
async function runFile({ file, puncher }: FoundFile, args: TestArgs, io: CommandIo): Promise<[FileResult, number]> {
  const { caseLines, readCaseFile, readPuncherFile, runCase, updateCases } = await import('../pipeline-tests/index.ts');
  const { renderProblem } = await import('../punchline/problem.ts');
  const { cases, punchline, problems, source } = await (puncher ? readPuncherFile : readCaseFile)(file, io);
  const rendered = problems.map((problem) =>
    renderProblem(problem, io.stderr.isTTY && problem.file === file ? source : undefined),
  );
  for (const text of rendered) io.stderr.write(`${text}\n`);
  if (!cases || !punchline) return [{ file, results: [], problems: rendered }, 0];
  io.stdout.write(`${file}\n`);
  const results = [];
  let updated = 0;
  let { text } = cases;
  for (const test of cases.cases) {
    if (args.only !== undefined && !test.name.includes(args.only)) continue;
    const result = await runCase(punchline, test, args.workers);
    const updates = args.update ? result.failures.flatMap(({ update }) => update ?? []) : [];
    const mended = result.outcome === 'failed' && updates.length === result.failures.length;
    for (const line of caseLines(result, mended)) io.stdout.write(`${line}\n`);
    if (updates.length > 0) {
      text = await updateCases(text, updates);
      updated += updates.length;
    }
    results.push(mended ? { ...result, outcome: 'passed' as const, failures: [] } : result);
  }
  if (text !== cases.text) await writeFile(cases.path, text);
  return [{ file, results, problems: [] }, updated];
}

function parseTestArgs(args: readonly string[]): TestArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        update: { type: 'boolean', default: false },
        watch: { type: 'boolean', default: false },
        junit: { type: 'string' },
        only: { type: 'string' },
        workers: { type: 'string' },
      },
      allowPositionals: true,
    });
    if (positionals.length === 0) return 'no file is given, expected a case file, a punchline or a folder';
    const workers = Number(values.workers ?? 1);
    if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
      return `--workers is "${values.workers}", expected a whole number from 1 to ${MOST_WORKERS}`;
    }
    const { update, watch, junit, only } = values;
    if (update && watch) return '--update and --watch are given, expected one of both';
    return { names: positionals, update, watch, junit, only, workers };
  } catch (error) {
    return argumentProblem(error);
  }
}
