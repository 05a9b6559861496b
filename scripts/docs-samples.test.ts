/** What the guides show is run: files in their code blocks (```ts NAME, ```yaml NAME) all punchlines and nodes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const reef = join(root, 'engine', 'bin', 'reef.js');
const run = promisify(execFile);

interface Sample {
  readonly language: string;
  readonly name: string;
  readonly text: string;
}

async function samplesOf(page: string): Promise<Sample[]> {
  const markdown = await readFile(join(root, page), 'utf8');
  return Array.from(markdown.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm), (match) => ({
    language: match[1]!,
    name: match[2]!,
    text: match[3]!,
  }));
}

async function folderWith(t: TestContext, samples: readonly Sample[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reef-docs-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules', '@reef'), { recursive: true });
  await symlink(join(root, 'engine'), join(folder, 'node_modules', '@reef', 'engine'));
  for (const name of ['earthquakes.jsonl', 'moment.ts', 'moment.wasm'])
    await copyFile(join(root, 'examples', 'moment', name), join(folder, name));
  for (const { name, text } of samples) await writeFile(join(folder, name), text);
  return folder;
}

test('the function in docs/native-functions.md does what the page says', async (t) => {
  const folder = await folderWith(
    t,
    (await samplesOf('docs/native-functions.md')).filter(({ name }) => name !== ''),
  );
  const { stdout } = await run(process.execPath, [reef, 'run', 'strength.yaml', '--state', 'state'], { cwd: folder });
  const rows = stdout.trimEnd().split('\n');
  const source = (await readFile(join(folder, 'earthquakes.jsonl'), 'utf8')).trimEnd().split('\n');
  const expected = source
    .map((line) => JSON.parse(line) as { magnitude: number })
    .filter(({ magnitude }) => magnitude >= 4.5)
    .map((row) => ({ ...row, strength: row.magnitude < 5 ? 'light' : row.magnitude < 6 ? 'moderate' : 'strong' }));
  assert.deepEqual(
    rows.map((row) => JSON.parse(row)),
    expected,
  );
});

test('what docs/quick-start.md says is so', async (t) => {
  const folder = await folderWith(
    t,
    (await samplesOf('docs/quick-start.md')).filter(({ name }) => name !== ''),
  );
  await run(process.execPath, [reef, 'check', 'strong.yaml'], { cwd: folder });
  const { stdout } = await run(process.execPath, [reef, 'run', 'strong.yaml', '--state', 'state'], { cwd: folder });
  assert.match(stdout, /^place +magnitude +depth\n─.*\n22km NNE of Hualian, Taiwan +6\.4 /);
  assert.match((await run(process.execPath, [reef, 'test', 'strong.yaml'], { cwd: folder })).stdout, /1 case passed, 0 failed/);
});

test('the source and the sink in docs/sources-and-sinks.md do what the page says', async (t) => {
  const folder = await folderWith(
    t,
    (await samplesOf('docs/sources-and-sinks.md')).filter(({ name }) => name !== ''),
  );
  const { stdout, stderr } = await run(process.execPath, [reef, 'run', 'ticks.yaml', '--state', 'state'], { cwd: folder });
  assert.match(stdout, /^(\{"time":"[^"]+Z"\}\n){3}$/);
  assert.match(stderr, /sink "count" had 3 rows/);
});

test('the cases in docs/testing.md pass', async (t) => {
  const folder = await folderWith(
    t,
    (await samplesOf('docs/testing.md')).filter(({ name }) => name !== ''),
  );
  await copyFile(join(root, 'examples', 'moment', 'moment.yaml'), join(folder, 'moment.yaml'));
  const { stdout } = await run(process.execPath, [reef, 'test', '.'], { cwd: folder });
  assert.match(stdout, /2 cases passed, 0 failed/);
});

for (const page of ['README.md', ...globSync('docs/*.md', { cwd: root }).sort()]) {
  const samples = (await samplesOf(page)).filter(({ language, name }) => language === 'yaml' && name === '');
  const punchlines = samples.map(({ text }) => punchlineOf(text)).filter((punchline) => punchline !== undefined);
  if (punchlines.length === 0) continue;
  test(`the punchlines and nodes in ${page} are right`, async (t) => {
    const files = punchlines.map((text, index) => ({ language: 'yaml', name: `${index}.yaml`, text }));
    const folder = await folderWith(t, files);
    const variables = punchlines.flatMap((text) =>
      Array.from(text.matchAll(/\$\{(\w+)\}/g), ([, name]) => [name!, `value of ${name}`]),
    );
    const env = { ...process.env, ...Object.fromEntries(variables) };
    await run(process.execPath, [reef, 'check', ...files.map(({ name }) => name)], { cwd: folder, env });
  });
}

interface Node {
  readonly id: string;
  readonly kind: 'source' | 'function' | 'sink';
  readonly type: string;
  readonly out?: readonly { readonly id: string }[];
}

/** A punchline as it stands; a node, alone or as an item of a list, between others; `undefined`: it is neither. */
function punchlineOf(sample: string): string | undefined {
  const text = sample.replaceAll(/\$\{file:[^}]+\}/g, () => `\${SECRET_OF_A_FILE}`);
  if (text.includes('dag:')) return text;
  const [node] = [parse(text)].flat() as (Partial<Node> | null)[];
  return node?.kind && node.type ? JSON.stringify({ spec: { dag: withNeighbours(node as Node) } }) : undefined;
}

function withNeighbours(node: Node): object[] {
  const given = { id: 'given', kind: 'source', type: 'stdin', out: [{ id: node.id }] };
  const taken = [...new Set(node.out?.map(({ id }) => id))].map((id) => ({ id, kind: 'sink', type: 'blackhole' }));
  return [...(node.kind === 'source' ? [] : [given]), node, ...taken];
}
