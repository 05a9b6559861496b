/**
 * Which folders of engine/src may import which others is one table in ARCHITECTURE.md; this check reads that table and fails on
 * any import that it does not list, on a package that the folder does not list, and on a cycle of files at run time.
 * Tests, and what `testing/` holds for them, may import what they like; nothing else may import `testing/`.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Import {
  readonly from: string;
  readonly to: string;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** What one folder may import: folders, folders of which it may use only types, and packages. */
export interface Direction {
  readonly folders: readonly string[];
  readonly types: readonly string[];
  readonly packages: readonly string[];
}

const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** The imports of a file; `from` and relative targets are paths like `worker/chain.ts`. */
export function importsOf(file: string, source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));
  return Array.from(code.matchAll(IMPORT), (match) => {
    const target = match[2] ?? match[3]!;
    return {
      from: file,
      to: target.startsWith('.') ? join(dirname(file), target) : target,
      typeOnly: match[1] !== undefined,
      line: code.slice(0, match.index + match[0].length).split('\n').length,
    };
  });
}

/** Reads the table below the heading "Import directions". */
export function readDirections(markdown: string): Map<string, Direction> {
  const section = markdown.split(/^##+ /m).find((part) => part.startsWith('Import directions'));
  if (section === undefined) throw new Error('Cannot read ARCHITECTURE.md: expected a heading "Import directions" with a table.');
  const names = (cell: string | undefined) => Array.from((cell ?? '').matchAll(/`([^`]+)`/g), (match) => match[1]!);
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.map((line) => {
      const [, folder, folders, types, packages] = line.split('|');
      return [names(folder)[0]!, { folders: names(folders), types: names(types), packages: names(packages) }];
    }),
  );
}

export function problemsOf(imports: readonly Import[], directions: ReadonlyMap<string, Direction>): string[] {
  return [...imports.flatMap((found) => wrongDirection(found, directions)), ...cycles(imports), ...testHelpersInUse(imports)];
}

/** Where programs start; what cannot be reached from here serves only tests. */
const entries = [
  'index.ts',
  'worker/entry.ts',
  'pipeline/probe-entry.ts',
  'pipeline-tests/harness/child-entry.ts',
  'bundle.ts',
  'bundle-worker.ts',
];

function testHelpersInUse(imports: readonly Import[]): string[] {
  const byFile = Map.groupBy(imports, ({ from }) => from);
  const reached = new Set(entries);
  for (const file of reached) for (const { to } of byFile.get(file) ?? []) reached.add(to);
  return imports
    .filter(({ from, to }) => reached.has(from) && isForTests(to))
    .map(({ from, to, line }) => `engine/src/${from}:${line}: only tests may import ${to}`);
}

function wrongDirection({ from, to, typeOnly, line }: Import, directions: ReadonlyMap<string, Direction>): string[] {
  if (to.startsWith('node:')) return [];
  const where = `engine/src/${from}:${line}`;
  const folder = unitOf(from);
  const direction = directions.get(folder);
  if (direction === undefined) return [`${where}: ARCHITECTURE.md has no row for \`${folder}\``];
  if (!to.endsWith('.ts')) {
    const known = direction.packages.some((name) => to === name || to.startsWith(`${name}/`));
    return known ? [] : [`${where}: \`${folder}\` may not import the package \`${to}\``];
  }
  const target = unitOf(to);
  if (target === folder || direction.folders.includes(target)) return [];
  if (direction.types.includes(target)) {
    return typeOnly ? [] : [`${where}: \`${folder}\` may import only types of \`${target}\` (import type)`];
  }
  return [`${where}: \`${folder}\` may not import \`${target}\``];
}

/** Tests and what they share; the build leaves the same files out (engine/tsconfig.json). */
function isForTests(file: string): boolean {
  return /\.test\.ts$|(^|\/)testing(\/|\.ts$)|(^|\/)test-[^/]*\.ts$/.test(file);
}

/** The folder below engine/src, or the name of a file that stands in no folder. */
function unitOf(file: string): string {
  return file.split('/')[0]!.replace(/\.ts$/, '');
}

function cycles(imports: readonly Import[]): string[] {
  const edges = Map.groupBy(
    imports.filter(({ to, typeOnly }) => to.endsWith('.ts') && !typeOnly),
    ({ from }) => from,
  );
  const problems: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      problems.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const { to } of edges.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return problems;
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const src = join(root, 'engine', 'src');
  const files = globSync('**/*.ts', { cwd: src }).filter((file) => !/\.d\.ts$/.test(file) && !isForTests(file));
  const imports = files.flatMap((file) => importsOf(relative(src, join(src, file)), readFileSync(join(src, file), 'utf8')));
  const directions = readDirections(readFileSync(new URL('ARCHITECTURE.md', pathToFileURL(root)), 'utf8'));
  const unused = [...directions.keys()].filter((folder) => !files.some((file) => unitOf(file) === folder));
  const problems = [
    ...problemsOf(imports, directions),
    ...unused.map((folder) => `ARCHITECTURE.md: \`${folder}\` does not exist`),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
