/** Reads a punchline file: all that can be wrong is found before anything starts, and told at once. */
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { builtins, type NodeTypes } from '../nodes.ts';
import type { Punchline } from '../spec/plan.ts';
import { parseYaml } from './parse-yaml.ts';
import { type Problem, ProblemList, SourceText } from './problem.ts';
import { readDocument } from './read-document.ts';
import { reasonOf } from './referenced-file.ts';
import { type Environment, substitute } from './substitute.ts';

export interface LoadOptions {
  /** Where relative file names start from, and the folder of a punchline from standard input. Default: the working directory. */
  readonly cwd?: string;
  /** Environment variables for `${…}`. Default: those of the process. */
  readonly env?: Environment;
  /** Standard input, read when the file is `-`. Default: that of the process. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
  /** Whether users' modules (`type: ./x.ts`) are run, to learn their settings and columns. Default true. */
  readonly runModules?: boolean;
  /** The node types that exist. Default: the built-in ones. */
  readonly specs?: NodeTypes;
  /** The content of the file, when it is known already: nothing is read then. */
  readonly text?: string;
}

export interface Loaded {
  /** Those without errors. */
  readonly punchlines: readonly Punchline[];
  /** By position. Nothing may be started when one of them is an error. */
  readonly problems: readonly Problem[];
  /** For showing lines beside problems; absent when the file cannot be read. */
  readonly source?: SourceText;
  /** The file as it was read; absent when it cannot be. */
  readonly text?: string;
}

/** Larger files are no punchlines. */
const MAX_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Loads the punchlines of a file, or of standard input when `file` is `-`. Never throws because of what stands in it. */
export async function loadPunchlines(file: string, options: LoadOptions = {}): Promise<Loaded> {
  const cwd = options.cwd ?? process.cwd();
  const path = file === '-' ? '-' : resolve(cwd, file);
  let text: string;
  try {
    text = options.text ?? decode(await readBytes(path, options));
  } catch (error) {
    const message = `cannot read the punchline: ${reasonOf(error)}`;
    return { punchlines: [], problems: [{ file, line: 0, column: 0, severity: 'error', message }] };
  }
  const source = new SourceText(file, text.replace(/^\ufeff/, ''));
  const problems = new ProblemList(source);
  const context = {
    problems,
    file: path,
    folder: path === '-' ? cwd : dirname(path),
    types: options.specs ?? builtins,
    runModules: options.runModules ?? true,
  };
  const documents = parseYaml(problems);
  if (documents.length === 0) problems.error(0, 'the file holds no punchline, expected spec: with a dag: of nodes');
  const punchlines: Punchline[] = [];
  for (const [index, { tree, valid }] of documents.entries()) {
    if (!tree) continue;
    const before = problems.errors;
    const substituted = substitute(tree, { environment: options.env ?? process.env, folder: context.folder, problems });
    const punchline = await readDocument(substituted, { ...context, index });
    if (!punchline || !valid || problems.errors > before) continue;
    if (punchlines.some((other) => other.name === punchline.name)) {
      problems.error(
        tree.at,
        `punchline "${punchline.name}" stands twice in this file, expected names that differ (metadata.name)`,
      );
    } else punchlines.push(punchline);
  }
  return { punchlines, problems: problems.sorted(), source, text };
}

async function readBytes(path: string, options: LoadOptions): Promise<Buffer> {
  const stream = path === '-' ? (options.stdin ?? process.stdin) : fileBytes(path);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array);
    chunks.push(bytes);
    size += bytes.length;
    if (size > MAX_BYTES) throw new RangeError(`it has more than ${MAX_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}

/** Not `createReadStream`: the code of streams takes longer to load than a punchline to read. */
async function* fileBytes(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.allocUnsafe(CHUNK_BYTES) });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError('it is not UTF-8 text');
  }
}
