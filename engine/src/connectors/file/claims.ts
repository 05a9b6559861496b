/**
 * Which files the sinks and sources of this process have in hand. Two that write to one file tear each other's rows, and a sink that
 * empties the file that a source is to read loses them: both are mistakes in a punchline that a path alone does not show (links,
 * folders, globs), so files are told apart by device and inode.
 */
import type { BigIntStats } from 'node:fs';
import { ReefError } from '../../errors.ts';

export interface Claim {
  /** `file sink "out"`, for people. */
  readonly owner: string;
  readonly writes: boolean;
}

/** By device and inode. Of a folder of many files each is claimed, so one claim may stand for all: nothing is made for each. */
const claims = new Map<string, Claim | readonly Claim[]>();

/** Lets go of what was claimed; may be called more than once. */
export type Release = () => void;

/** Takes a file for `owner` to read or write. Throws when that does not go with who has it already. */
export function claim(path: string, stats: Pick<BigIntStats, 'dev' | 'ino'>, mine: Claim): Release {
  const key = keyOf(stats);
  const others = holders(key);
  for (const { owner, writes } of others) {
    if (!writes && !mine.writes) continue;
    throw new ReefError(
      'config',
      `Cannot open ${mine.owner}: ${path} is the file that ${owner} ${writes ? 'writes' : 'reads'}, expected another one`,
    );
  }
  claims.set(key, others.length === 0 ? mine : [...others, mine]);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    const left = holders(key);
    const index = left.indexOf(mine);
    if (left.length === 1) claims.delete(key);
    else claims.set(key, left.toSpliced(index, 1));
  };
}

function holders(key: string): readonly Claim[] {
  const found = claims.get(key);
  return found === undefined ? [] : 'owner' in found ? [found] : found;
}

/** The sink of this process that writes to a file; `undefined`: none does. */
export function writerOf(stats: Pick<BigIntStats, 'dev' | 'ino'>): string | undefined {
  for (const { owner, writes } of holders(keyOf(stats))) if (writes) return owner;
  return undefined;
}

function keyOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}
