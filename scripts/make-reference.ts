/**
 * Makes docs/reference/: a page for each node type, from its declaration, with examples that are run for it, and the JSON Schema of
 * punchlines. `--check` only compares, for CI: since the pages hold what came out, it has run every example that can be run.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allNodeFacts, type NodeFacts } from '../engine/src/cli/node-facts.ts';
import { punchlineSchema } from '../engine/src/cli/punchline-schema.ts';
import { conformancePage } from './reference/conformance-page.ts';
import { indexPage, nodePage, pagePath, type ShownExample } from './reference/page.ts';
import { runExample } from './reference/run-example.ts';

const target = fileURLToPath(new URL('../docs/reference/', import.meta.url));

const all = await allNodeFacts();
const schema = await punchlineSchema();
const problems = all.flatMap(lacking);
const jobs = all.flatMap((facts) => facts.examples.map((example) => ({ facts, example })));
const shown = new Map<unknown, ShownExample>();
// One waits for its process most of the time.
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const { facts, example } = job;
      try {
        shown.set(example, { example, results: await runExample(facts, example) });
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
  }),
);
if (problems.length === 0) compareOrWrite(makeFiles());
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function makeFiles(): Map<string, string> {
  const pages = all.map((facts): [string, string] => {
    return [
      pagePath(facts),
      nodePage(
        facts,
        facts.examples.map((example) => shown.get(example)!),
      ),
    ];
  });
  return new Map([
    ...pages,
    ['README.md', indexPage(all)],
    ['index.md', conformancePage(all)],
    ['punchline.schema.json', `${JSON.stringify(schema, undefined, 2)}\n`],
  ]);
}

function compareOrWrite(files: ReadonlyMap<string, string>): void {
  const old = globSync('**/*.{md,json}', { cwd: target }).filter((file) => !files.has(file));
  if (process.argv.includes('--check')) {
    const stale = [...files].filter(([file, text]) => read(join(target, file)) !== text).map(([file]) => file);
    for (const file of [...stale, ...old])
      problems.push(`docs/reference/${file} is stale: run \`node scripts/make-reference.ts\``);
    return;
  }
  for (const file of old) rmSync(join(target, file));
  for (const [file, text] of files) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), text);
  }
  console.log(`wrote ${files.size} files to docs/reference/`);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** What a page needs and a declaration does not say. */
function lacking({ kind, type, security, examples }: NodeFacts): string[] {
  return [
    ...(security === undefined
      ? [`Cannot make the page of ${kind} ${type}: its declaration has no \`security\`, expected a sentence`]
      : []),
    ...(examples.length === 0 ? [`Cannot make the page of ${kind} ${type}: its declaration has no example, expected one`] : []),
  ];
}
