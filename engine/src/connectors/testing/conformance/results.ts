/**
 * What the suite found, kept in `results/KIND-TYPE.json` (`KIND-TYPE.VARIANT.json`) for docs/reference/index.md. A run that finds something else than is kept
 * fails; with REEF_CONFORMANCE=write (`node scripts/make-conformance.ts`) it is kept instead.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Kind = 'source' | 'sink' | 'listener';

/** True: seen to hold. A sentence: does not apply. */
export type Result = true | string;
export type Results<C extends string = string> = Partial<Readonly<Record<C, Result>>>;

/** Whose results they are. */
export interface Subject {
  readonly kind: Kind;
  readonly type: string;
  /** One of the ways in which it can be used. */
  readonly variant?: string | undefined;
}

const folder = fileURLToPath(new URL('./results/', import.meta.url));

function resultsFile({ kind, type, variant }: Subject): string {
  return join(folder, `${kind}-${type}${variant === undefined ? '' : `.${variant}`}.json`);
}

export function readResults(subject: Subject): Results | undefined {
  try {
    return JSON.parse(readFileSync(resultsFile(subject), 'utf8')) as Results;
  } catch {
    return undefined;
  }
}

/** The ways of using it of which results are kept, besides the usual one. */
export function variantsOf({ kind, type }: Omit<Subject, 'variant'>): string[] {
  const start = `${kind}-${type}.`;
  return globSync(`${start}?*.json`, { cwd: folder })
    .map((file) => file.slice(start.length, -'.json'.length))
    .sort();
}

export interface Findings<C extends string> {
  readonly passed: ReadonlySet<C>;
  readonly except: Partial<Readonly<Record<C, string>>>;
}

/** Compares or keeps. Rejects what was not checked: a run of only some checks compares those. */
export function keepResults<C extends string>(subject: Subject, names: readonly C[], { passed, except }: Findings<C>): void {
  const found = names.flatMap((name): [C, Result][] => {
    const sentence = except[name];
    return sentence !== undefined ? [[name, sentence]] : passed.has(name) ? [[name, true]] : [];
  });
  if (process.env.REEF_CONFORMANCE === 'write') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(resultsFile(subject), `${JSON.stringify(Object.fromEntries(found), undefined, 2)}\n`);
    return;
  }
  const kept = readResults(subject) ?? {};
  const stale = found.filter(([name, result]) => kept[name] !== result).map(([name]) => name);
  if (stale.length > 0) {
    const { kind, type } = subject;
    throw new Error(
      `The results kept of ${kind} ${type} are stale (${stale.join(', ')}): run \`node scripts/make-conformance.ts ${type}\``,
    );
  }
}
