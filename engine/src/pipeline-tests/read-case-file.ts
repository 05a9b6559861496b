/** Reads a case file and the punchline that it is about; all that is wrong with either is told at once. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { checkKeys, found, listAt, mapAt } from '../punchline/keys.ts';
import { loadPunchlines } from '../punchline/load.ts';
import { parseYaml } from '../punchline/parse-yaml.ts';
import { type Problem, ProblemList, SourceText } from '../punchline/problem.ts';
import type { Environment } from '../punchline/substitute.ts';
import type { Entry } from '../punchline/tree.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import type { Punchline } from '../spec/plan.ts';
import { oneOf } from '../spec/setting-text.ts';
import type { Case, CaseFile } from './case.ts';
import { fileKeys } from './case-keys.ts';
import { CaseReader } from './case-reader.ts';
import { readCase } from './read-case.ts';

export interface ReadCases {
  /** Present when nothing is wrong. */
  readonly cases?: CaseFile;
  readonly punchline?: Punchline;
  readonly problems: readonly Problem[];
  readonly source?: SourceText;
}

export interface ReadOptions {
  readonly cwd: string;
  readonly env: Environment;
}

export async function readCaseFile(file: string, options: ReadOptions): Promise<ReadCases> {
  const path = resolve(options.cwd, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    return { problems: [{ file, line: 0, column: 0, severity: 'error', message: `cannot read the case file: ${why}` }] };
  }
  const problems = new ProblemList(new SourceText(file, text));
  const read = await readText({ file, path, text }, problems, options);
  return { ...read, problems: [...problems.sorted(), ...read.problems], source: problems.source };
}

interface Named {
  readonly file: string;
  readonly path: string;
  readonly text: string;
}

async function readText(named: Named, problems: ProblemList, options: ReadOptions): Promise<ReadCases> {
  const none: ReadCases = { problems: [] };
  const [document, another] = parseYaml(problems);
  if (another) problems.error(another.tree?.at ?? 0, 'a second document begins here, expected one in a case file');
  if (!document?.tree) {
    if (problems.errors === 0) problems.error(0, 'the file holds no cases, expected cases: with a list of them');
    return none;
  }
  const map = mapAt(document.tree, 'the case file', problems);
  if (!map) return none;
  const entry = checkKeys(map, fileKeys, problems);
  const casesEntry = entry('cases');
  if (!casesEntry) problems.error(map.at, 'the file has no cases, expected cases: with a list of them');
  const list = casesEntry && listAt(casesEntry.value, 'cases', problems);
  if (list?.items.length === 0) problems.error(list.at, 'cases is an empty list, expected at least one');
  const path = punchlinePath(named.path, entry('punchline'), map.at, problems);
  if (path === undefined) return none;
  const env = { ...options.env, ...readEnv(entry('env'), problems) };
  const loaded = await loadPunchlines(path, { cwd: options.cwd, env });
  const wrong = loaded.problems.filter(({ severity }) => severity === 'error');
  const punchline = choosePunchline(loaded.punchlines, entry('punchline_name'), map.at, problems);
  if (wrong.length > 0 || !punchline || !list) return { problems: wrong };
  const reader = new CaseReader(problems, punchline.nodes);
  const cases = list.items.map((item, index) => readCase(item, index, named.path, reader));
  noTwins(
    cases,
    list.items.map(({ at }) => at),
    problems,
  );
  if (problems.errors > 0) return none;
  return { punchline, cases: { ...named, punchline: path, cases: cases as Case[] }, problems: [] };
}

/** `moment.test.yaml` is about `moment.yaml` beside it, unless it names another file. */
function punchlinePath(caseFile: string, entry: Entry | undefined, at: number, problems: ProblemList): string | undefined {
  if (entry) {
    const { value } = entry;
    if (value.kind === 'scalar' && typeof value.value === 'string') return resolve(dirname(caseFile), value.value);
    problems.error(value.at, `punchline is ${found(value)}, expected the name of a file`);
    return undefined;
  }
  const stem = basename(caseFile).replace(/\.test\.ya?ml$/, '');
  const names = [`${stem}.yaml`, `${stem}.yml`];
  const name = names.find((one) => one !== basename(caseFile) && existsSync(resolve(dirname(caseFile), one)));
  if (name !== undefined) return resolve(dirname(caseFile), name);
  problems.error(at, `the punchline is not named, and there is no ${names[0]} beside this file, expected punchline: FILE`);
  return undefined;
}

function readEnv(entry: Entry | undefined, problems: ProblemList): Environment {
  const map = entry && mapAt(entry.value, 'env', problems);
  const values = [...(map?.entries ?? [])].map(([name, { value }]): [string, string] => {
    if (value.kind !== 'scalar' || value.value === null)
      problems.error(value.at, `env.${name} is ${found(value)}, expected text`);
    return [name, value.kind === 'scalar' ? String(value.value) : ''];
  });
  return Object.fromEntries(values);
}

function choosePunchline(
  punchlines: readonly Punchline[],
  entry: Entry | undefined,
  at: number,
  problems: ProblemList,
): Punchline | undefined {
  const names = punchlines.map(({ name }) => name);
  const wanted = entry?.value.kind === 'scalar' ? String(entry.value.value) : undefined;
  if (wanted === undefined) {
    if (names.length > 1) problems.error(at, `the file holds several punchlines, expected punchline_name: ${oneOf(names)}`);
    return punchlines[0];
  }
  const chosen = punchlines.find(({ name }) => name === wanted);
  if (!chosen && names.length > 0) {
    problems.error(entry!.value.at, `punchline_name is "${wanted}", expected ${oneOf(names)}`, nearestWord(wanted, names));
  }
  return chosen;
}

function noTwins(cases: readonly (Case | undefined)[], places: readonly number[], problems: ProblemList): void {
  const seen = new Set<string>();
  for (const [index, test] of cases.entries()) {
    if (test && seen.has(test.name))
      problems.error(places[index]!, `a case is called "${test.name}" twice, expected names that differ`);
    if (test) seen.add(test.name);
  }
}
