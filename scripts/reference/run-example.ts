/** Runs the example of a node type as a user would: the fragment between a source and sinks, in a folder of its own. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { NodeFacts } from '../../engine/src/cli/node-facts.ts';
import { resolveNodeSpec } from '../../engine/src/nodes.ts';
import { loadPunchlines } from '../../engine/src/punchline/load.ts';
import { renderProblem } from '../../engine/src/punchline/problem.ts';
import type { Environment } from '../../engine/src/punchline/substitute.ts';
import type { FunctionSpec } from '../../engine/src/spec/function.ts';
import type { NodeExample } from '../../engine/src/spec/node.ts';
import { NO_TABLE } from '../../engine/src/spec/plan.ts';
import { validateSettings } from '../../engine/src/spec/validate.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const reef = join(root, 'engine', 'bin', 'reef.js');
const data = join(root, 'examples', 'moment');
const MOST_MS = 20_000;

/** What came out, one text for each place. */
export interface ExampleResult {
  readonly title: string;
  readonly text: string;
}

interface Fragment {
  readonly id: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly out?: readonly { readonly id: string; readonly table?: string }[];
}

export async function runExample(facts: NodeFacts, example: NodeExample): Promise<ExampleResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'reef-reference-'));
  try {
    for (const name of ['earthquakes.jsonl', 'moment.wasm']) await copyFile(join(data, name), join(folder, name));
    const rows = example.input?.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeFile(join(folder, 'input.jsonl'), rows ?? (await firstLines(join(data, 'earthquakes.jsonl'), 3)));
    const punchline = await punchlineOf(facts, example);
    await writeFile(join(folder, 'example.yaml'), JSON.stringify(punchline));
    const env = { ...process.env, ...variables(example.yaml), NO_COLOR: '1', COLUMNS: '100' };
    if (example.needs !== undefined) return await onlyCheck(join(folder, 'example.yaml'), env);
    const running = run(process.execPath, [reef, 'run', 'example.yaml', '--state', 'state'], {
      cwd: folder,
      env,
      timeout: MOST_MS,
    });
    running.child.stdin?.end(rows);
    return await results(facts, example, folder, (await running).stdout);
  } catch (error) {
    const { killed, stderr, message } = error as { killed?: boolean; stderr?: string; message: string };
    const why = killed ? `it has not ended in ${MOST_MS / 1000} s: say in \`needs\` what it waits for` : (stderr ?? message);
    throw new Error(`Cannot run example "${example.title}" of ${facts.kind} ${facts.type}: ${why}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Any value will do. */
function variables(yaml: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from(yaml.matchAll(/\$\{(\w+)\}/g), (match) => [match[1]!, 'example']));
}

async function onlyCheck(file: string, env: Environment): Promise<ExampleResult[]> {
  const { problems } = await loadPunchlines(file, { env });
  const wrong = problems.filter(({ severity }) => severity === 'error').map((problem) => renderProblem(problem));
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return [];
}

async function firstLines(file: string, count: number): Promise<string> {
  return `${(await readFile(file, 'utf8')).split('\n', count).join('\n')}\n`;
}

const ERRORS = '_ppf_errors';

async function punchlineOf(facts: NodeFacts, example: NodeExample): Promise<object> {
  const fragment = parse(example.yaml) as Fragment;
  const out = facts.kind === 'sink' ? [] : (fragment.out ?? (await outsOf(facts, fragment)));
  const source = { id: '_in', kind: 'source', type: 'file', settings: { path: 'input.jsonl' }, out: [{ id: fragment.id }] };
  const sinks = out.map(({ id }) => ({ id, kind: 'sink', type: 'file', settings: { path: `out-${id}.jsonl` } }));
  const node = out.length === 0 ? fragment : { ...fragment, out };
  const dag = [...(facts.kind === 'source' ? [] : [source]), node, ...sinks];
  return { kind: 'BatchPunchline', metadata: { name: 'example' }, spec: { dag } };
}

/** One for the rows without a table, one for each table that it may route to, one for what it rejects. */
async function outsOf({ kind, type }: NodeFacts, fragment: Fragment): Promise<NonNullable<Fragment['out']>> {
  const spec = (await resolveNodeSpec(kind as 'function', type, '')) as FunctionSpec;
  const { settings } = await validateSettings(spec.settings, fragment.settings ?? {});
  const tables = settings === undefined ? [] : (spec.tables?.(settings as never) ?? []);
  return [
    { id: 'rows' },
    ...[...tables.filter((table) => table !== NO_TABLE), ERRORS].map((table) => ({ id: `table-${table}`, table })),
  ];
}

async function results(facts: NodeFacts, { input }: NodeExample, folder: string, stdout: string): Promise<ExampleResult[]> {
  if (facts.kind === 'sink') return stdout === '' ? [] : [{ title: 'What it prints', text: stdout }];
  if (facts.kind === 'source' || input === undefined) return [];
  const found: ExampleResult[] = [];
  for (const name of ['rows', ...(await tablesIn(folder))]) {
    const text = await readFile(join(folder, `out-${name}.jsonl`), 'utf8');
    if (text === '' && name !== 'rows') continue;
    const table = name.replace(/^table-/, '');
    if (table === ERRORS) found.push({ title: 'Rows rejected', text: reasons(text) });
    else
      found.push({ title: name === 'rows' ? 'Rows out' : `Rows out, table \`${table}\``, text: text === '' ? '(none)\n' : text });
  }
  return found;
}

async function tablesIn(folder: string): Promise<string[]> {
  const { dag } = (JSON.parse(await readFile(join(folder, 'example.yaml'), 'utf8')) as { spec: { dag: { id: string }[] } }).spec;
  return dag.map(({ id }) => id).filter((id) => id.startsWith('table-'));
}

function reasons(text: string): string {
  const documents = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse((JSON.parse(line) as { _ppf_error_document: string })._ppf_error_document) as Rejected);
  return documents.map(({ entered, reason }) => `${entered.text}\n    ${reason}\n`).join('');
}

interface Rejected {
  readonly reason: string;
  readonly entered: { readonly text: string };
}
