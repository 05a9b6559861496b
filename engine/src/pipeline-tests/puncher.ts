/**
 * Punch's unit tests of parsers: one input document, a chain of functions, what the output includes. Those of them run whose functions
 * exist here (wasm modules, built-in types, modules in TypeScript); one with punchlets, Punch's own language, is skipped and says so.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { kindsOf } from '../nodes.ts';
import { checkKeys, listAt, mapAt } from '../punchline/keys.ts';
import type { KeyTable } from '../punchline/known-keys.ts';
import { loadPunchlines } from '../punchline/load.ts';
import { parseYaml } from '../punchline/parse-yaml.ts';
import { ProblemList, SourceText } from '../punchline/problem.ts';
import type { MapTree } from '../punchline/tree.ts';
import type { Case, Row } from './case.ts';
import { CaseReader } from './case-reader.ts';
import type { ReadCases, ReadOptions } from './read-case-file.ts';

const keys: KeyTable = {
  where: 'the puncher file',
  known: ['description', 'input', 'output', 'punchlets', 'resources', 'validations'],
  elsewhere: { debug: 'it has no effect here' },
};

const FIRST = 'function-1';

export async function readPuncherFile(file: string, options: ReadOptions): Promise<ReadCases> {
  const path = resolve(options.cwd, file);
  const text = await readFile(path, 'utf8');
  const problems = new ProblemList(new SourceText(file, text));
  const [document] = parseYaml(problems);
  const map = document?.tree && mapAt(document.tree, 'the puncher file', problems);
  const result = map && (await readTest({ file, path, text, map }, problems, options));
  return { ...result, problems: [...problems.sorted(), ...(result?.problems ?? [])], source: problems.source };
}

interface Puncher {
  readonly file: string;
  readonly path: string;
  readonly text: string;
  readonly map: MapTree;
}

async function readTest(
  { file, path, text, map }: Puncher,
  problems: ProblemList,
  options: ReadOptions,
): Promise<ReadCases | undefined> {
  const entry = checkKeys(map, keys, problems);
  const reader = new CaseReader(problems, []);
  const inputEntry = entry('input');
  if (!inputEntry) problems.error(map.at, 'the puncher file has no input, expected a document');
  const input = inputEntry && reader.row(inputEntry.value, 'input');
  const outputEntry = entry('output');
  const output = outputEntry && mapAt(outputEntry.value, 'output', problems);
  const includesEntry = output?.entries.get('includes');
  const includes = includesEntry && reader.row(includesEntry.value, 'output.includes');
  const list = entry('punchlets') && listAt(entry('punchlets')!.value, 'punchlets', problems);
  const chain = (list?.items ?? []).flatMap((item) => reader.word({ keyAt: item.at, value: item }, 'punchlets') ?? []);
  if (problems.errors > 0 || !input) return undefined;
  const missing = chain.find((name) => functionNode(name) === undefined);
  let skip: string | undefined;
  if (missing !== undefined) skip = `${missing} is a punchlet, and Punch's own language does not exist here`;
  else if (chain.length === 0) skip = 'it names no function';
  else if (entry('validations')) skip = 'validations do not exist here';
  const loaded = await loadPunchlines(file, { ...options, text: punchlineText(skip === undefined ? chain : []) });
  const last = `function-${skip === undefined ? chain.length : 1}`;
  const test: Case = {
    name: file,
    location: { file, line: 1, column: 1 },
    ...(skip === undefined ? {} : { skip }),
    input: new Map([[FIRST, { rows: [input] }]]),
    real: [],
    expect: new Map([[last, expectation(includes)]]),
    faults: [],
    timeoutSecs: 60,
  };
  const [punchline] = loaded.punchlines;
  const wrong = loaded.problems.filter(({ severity }) => severity === 'error');
  if (!punchline) return { problems: wrong };
  return { punchline, cases: { file, path, text, punchline: path, cases: [test] }, problems: [] };
}

function expectation(includes: Row | undefined) {
  const how = includes ? ({ kind: 'includes', rows: [includes] } as const) : ({ kind: 'count', count: 1 } as const);
  return { out: { path: ['output'], how, duplicatesAtMost: 0 }, tables: new Map() };
}

/** The chain between a source and a sink, which the test replaces. */
function punchlineText(chain: readonly string[]): string {
  const functions = (chain.length === 0 ? [{ type: 'enrich_field', settings: { fields: {} } }] : chain.map(functionNode)).map(
    (node, index, all) => ({
      id: `function-${index + 1}`,
      kind: 'function',
      ...node,
      out: [{ id: index + 1 < all.length ? `function-${index + 2}` : 'out' }],
    }),
  );
  const source = { id: 'in', kind: 'source', type: 'stdin', out: [{ id: FIRST }] };
  const dag = [source, ...functions, { id: 'out', kind: 'sink', type: 'blackhole' }];
  return JSON.stringify({ kind: 'BatchPunchline', metadata: { name: 'puncher' }, spec: { dag } });
}

function functionNode(name: string): { readonly type: string; readonly settings?: object } | undefined {
  if (name.endsWith('.wasm')) return { type: 'wasm', settings: { path: name } };
  if (/\.[cm]?[jt]s$/.test(name)) return { type: name.startsWith('.') ? name : `./${name}` };
  return kindsOf(name).includes('function') ? { type: name } : undefined;
}
