/**
 * What the suite found, kept in `results/KIND-TYPE.json` for docs/reference/index.md. A run that finds something else than is kept
 * fails; with REEF_CONFORMANCE=write (`node scripts/make-conformance.ts`) it is kept instead.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Check, checks, type Exceptions } from './checks.ts';

/** True: seen to hold. A sentence: does not apply. */
export type Results = Partial<Readonly<Record<Check, true | string>>>;

export function resultsFile(kind: 'source' | 'sink', type: string): string {
  return fileURLToPath(new URL(`./results/${kind}-${type}.json`, import.meta.url));
}

export function readResults(kind: 'source' | 'sink', type: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(resultsFile(kind, type), 'utf8')) as Results;
  } catch {
    return undefined;
  }
}

/** Compares or keeps. Rejects what was not checked: a run of only some checks compares those. */
export function keepResults(kind: 'source' | 'sink', type: string, passed: ReadonlySet<Check>, except: Exceptions): void {
  const names = Object.keys(checks) as Check[];
  const found = names.flatMap((name): [Check, true | string][] => {
    const sentence = except[name];
    return sentence !== undefined ? [[name, sentence]] : passed.has(name) ? [[name, true]] : [];
  });
  const file = resultsFile(kind, type);
  if (process.env.REEF_CONFORMANCE === 'write') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(found), undefined, 2)}\n`);
    return;
  }
  const kept = readResults(kind, type) ?? {};
  const stale = found.filter(([name, result]) => kept[name] !== result).map(([name]) => name);
  if (stale.length > 0) {
    throw new Error(
      `The results kept of ${kind} ${type} are stale (${stale.join(', ')}): run \`node scripts/make-conformance.ts ${type}\``,
    );
  }
}
