/** `reef new`: a node of one's own to begin with, in the working directory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packageFile, templateFolder } from '../assets.ts';
import { nodeKinds } from '../nodes.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import type { NodeKind } from '../spec/plan.ts';
import { oneOf } from '../spec/setting-text.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { newUsage } from './usage.ts';

/** What the node is called in the templates, which work as they stand: its files, and its id in punchlines. */
const TEMPLATE_NAME = 'my-node';

interface NewFile {
  readonly name: string;
  readonly text: string;
}

/** Exit codes: 0 written, 1 a file is there already or cannot be written, 2 a wrong command line. */
export async function runNew(args: readonly string[], io: Pick<CommandIo, 'stdout' | 'stderr' | 'cwd'>): Promise<number> {
  const parsed = parseNewArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef new: ${parsed}\nusage: ${newUsage}\n`);
    return 2;
  }
  const { kind, name } = parsed;
  const files = newFiles(kind, name);
  const there = files.find((file) => existsSync(join(io.cwd, file.name)));
  if (there) {
    io.stderr.write(`reef new: Cannot write ${there.name}: it is there already, expected a new name\n`);
    return 1;
  }
  try {
    for (const file of files) await writeFile(join(io.cwd, file.name), file.text, { flag: 'wx' });
  } catch (error) {
    io.stderr.write(`reef new: Cannot write the files: ${(error as Error).message}\n`);
    return 1;
  }
  io.stdout.write(`${nextSteps(kind, name, files, io.cwd).join('\n')}\n`);
  return 0;
}

function newFiles(kind: NodeKind, name: string): NewFile[] {
  const folder = templateFolder(kind);
  return readdirSync(folder)
    .toSorted()
    .map((file) => ({
      name: file.replace(TEMPLATE_NAME, name),
      text: readFileSync(new URL(file, folder), 'utf8').replaceAll(TEMPLATE_NAME, name),
    }));
}

function nextSteps(kind: NodeKind, name: string, files: readonly NewFile[], cwd: string): string[] {
  const test = kind === 'sink' ? `node --test ${name}.test.ts` : `reef test ${name}.yaml`;
  const installed = ancestors(cwd).some((folder) => existsSync(join(folder, 'node_modules', '@reef', 'engine')));
  return [
    `wrote ${files.map((file) => file.name).join(', ')}`,
    '',
    ...(installed
      ? []
      : [`  npm install ${fileURLToPath(new URL('.', packageFile()))}    # the engine that it is written with, this one`]),
    `  ${test}`,
    `  reef run ${name}.yaml`,
  ];
}

function ancestors(folder: string): string[] {
  const parent = join(folder, '..');
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

function parseNewArgs(args: readonly string[]): { readonly kind: NodeKind; readonly name: string } | string {
  try {
    const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
    const [kind, name, ...more] = positionals;
    if (kind === undefined) return `it is not said what to make, expected ${oneOf(nodeKinds)}`;
    if (!nodeKinds.includes(kind as NodeKind)) {
      const near = nearestWord(kind, nodeKinds);
      return `"${kind}" is no kind of node, expected ${oneOf(nodeKinds)}${near === undefined ? '' : ` (did you mean "${near}"?)`}`;
    }
    if (name === undefined) return 'no name is given, expected one such as my-function';
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
      return `the name is "${name}", expected small letters and digits with "-" between words, such as my-function`;
    }
    if (more.length > 0) return `"${more[0]}" is one argument too many`;
    return { kind: kind as NodeKind, name };
  } catch (error) {
    return argumentProblem(error);
  }
}
