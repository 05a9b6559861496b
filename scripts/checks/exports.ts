/** What engine/src/index.ts says it exports is what the built package exports; nothing passes through `export *`. */
import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../../engine/src/index.ts', import.meta.url), 'utf8');
const built: object = await import(new URL('../../engine/dist/index.js', import.meta.url).href);

const lists = Array.from(source.matchAll(/^export \{([^}]*)\}/gm), (match) => match[1]!.split(','));
const declared = lists
  .flat()
  .map((name) => name.trim())
  .filter((name) => name !== '' && !name.startsWith('type '))
  .map((name) => name.split(' as ').at(-1)!);
const problems = [
  ...(/^export (\*|default|const|function|class|let)/m.test(source)
    ? ['engine/src/index.ts: only `export { … } from` is expected']
    : []),
  ...differing(declared, Object.keys(built), 'is exported by engine/src/index.ts but not by the build'),
  ...differing(Object.keys(built), declared, 'is exported by the build but not by engine/src/index.ts'),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function differing(names: readonly string[], others: readonly string[], says: string): string[] {
  return names.filter((name) => !others.includes(name)).map((name) => `${name} ${says}`);
}
