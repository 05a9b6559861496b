/**
 * Which columns rows may have at a place of the graph. Open: any but those known to be absent. Closed: only those present.
 * Each set remembers which node or edge has narrowed it, for messages.
 */
import { ERROR_COLUMN } from '../spec/plan.ts';

export interface ColumnSet {
  readonly open: boolean;
  readonly present: ReadonlySet<string>;
  readonly absent: ReadonlySet<string>;
  /** Who says which columns there are: `the edge to "out" (line 7) passes only "a", "b"`. */
  readonly why: string;
}

const none: ReadonlySet<string> = new Set();

export function anyColumns(): ColumnSet {
  return { open: true, present: none, absent: none, why: '' };
}

export function onlyColumns(names: Iterable<string>, why: string): ColumnSet {
  return { open: false, present: new Set(names), absent: none, why };
}

/** Metadata columns are beside the rows, and there whatever is declared. */
export function mayHave(set: ColumnSet, name: string): boolean {
  if (name.startsWith('_ppf_') && name !== ERROR_COLUMN) return true;
  return set.present.has(name) || (set.open && !set.absent.has(name));
}

/** Rows that come from several places. */
export function either(sets: readonly ColumnSet[]): ColumnSet {
  if (sets.length === 1) return sets[0]!;
  const absent = sets.flatMap((set) => [...set.absent]).filter((name) => !sets.some((set) => mayHave(set, name)));
  return {
    open: sets.some((set) => set.open),
    present: new Set(sets.flatMap((set) => [...set.present])),
    absent: new Set(absent),
    why: sets
      .map((set) => set.why)
      .filter((why) => why !== '')
      .join('; '),
  };
}

export function without(set: ColumnSet, names: readonly string[], why: string): ColumnSet {
  if (names.length === 0) return set;
  const present = new Set([...set.present].filter((name) => !names.includes(name)));
  return { open: set.open, present, absent: new Set([...set.absent, ...names]), why: set.open ? why : set.why };
}

export function withColumns(set: ColumnSet, names: readonly string[]): ColumnSet {
  if (names.length === 0) return set;
  const absent = new Set([...set.absent].filter((name) => !names.includes(name)));
  return { ...set, present: new Set([...set.present, ...names]), absent };
}
