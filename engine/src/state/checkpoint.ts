import { readFile } from 'node:fs/promises';
import { ReefError } from '../errors.ts';
import type { Json } from '../spec/plan.ts';

/** What a start needs to go on where the last run was: written together, so that positions and sinks belong to each other. */
export interface Checkpoint {
  readonly version: 1;
  /** Source id, then partition, to the position up to which every required sink has everything. */
  readonly positions: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Sink id to what its `write` last resolved with. */
  readonly sinks: Readonly<Record<string, Json>>;
  /** ISO 8601, for people. */
  readonly savedAt: string;
}

/** Reads a checkpoint; `undefined` when there is none. One that cannot be understood is an error: starting afresh in silence would repeat everything. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ReefError('state', `Cannot read checkpoint ${path}: ${(error as Error).message}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(path, `it is not JSON (${(error as Error).message})`);
  }
  const problem = problemOf(value);
  if (problem !== undefined) throw unusable(path, problem);
  return value as Checkpoint;
}

/** Pieces of about this length. */
const PIECE_CHARS = 64 * 1024;

/** As JSON, in pieces: a source of many files has megabytes of positions. */
export function* checkpointText({ positions, ...rest }: Checkpoint): Iterable<string> {
  let text = `${JSON.stringify(rest).slice(0, -1)},"positions":{`;
  let nextSource = '';
  for (const [source, partitions] of Object.entries(positions)) {
    text += `${nextSource}${JSON.stringify(source)}:{`;
    nextSource = ',';
    let next = '';
    // Not by Object.entries: pairs of all would be in memory for as long as the disk takes.
    for (const name of Object.keys(partitions)) {
      text += `${next}${JSON.stringify(name)}:${JSON.stringify(partitions[name])}`;
      next = ',';
      if (text.length < PIECE_CHARS) continue;
      yield text;
      text = '';
    }
    text += '}';
  }
  yield `${text}}}`;
}

function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not a JSON object';
  if (value.version !== 1) return `its version is ${JSON.stringify(value.version)}, this Reef reads version 1`;
  if (!isObject(value.positions) || !Object.values(value.positions).every(isObject)) {
    return '"positions" is not an object of objects';
  }
  return isObject(value.sinks) ? undefined : '"sinks" is not an object';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(path: string, problem: string): ReefError {
  return new ReefError(
    'state',
    `Cannot use checkpoint ${path}: ${problem}; put the right file back, or remove it to start from the beginning (rows may then be delivered again)`,
    { data: { path } },
  );
}
