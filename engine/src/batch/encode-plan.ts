/** Writes the plan that the kernel's `encodeRows` follows (its layout stands in engine/kernel/assembly/encode-rows.ts). */
import type { Codec, CsvCodec } from '../spec/plan.ts';
import type { DecodedRows } from './decoded-rows.ts';
import type { Overlay } from './overlay.ts';
import type { Tokens } from './tokens.ts';

const PLAN_WORDS = 10;
const EDIT_WORDS = 12;
const COLUMN_WORDS = 6;
const SEPARATOR_WORD = 3;
const RESULT_WORD = 9;
const Mode = { verbatim: 0, edited: 1, columns: 2, text: 3 } as const;

interface PlanColumn {
  readonly name: string;
  readonly tokens: Tokens;
  /** Index of the edit with the lowest rank that writes this name, or -1. */
  readonly edit: number;
}

/** Pointer to the plan by which the view's rows are written in `codec`. */
export function encodePlan(overlay: Overlay, codec: Codec): number {
  const key = codec.name === 'csv' ? `csv ${codec.separator}${codec.columns?.join('\0')}` : codec.name;
  let plan = overlay.plans.get(key);
  if (plan === undefined) {
    plan = codec.name === 'csv' ? csvPlan(overlay, codec) : makePlan(overlay, codec.name);
    overlay.plans.set(key, plan);
  }
  return plan;
}

/** The columns that the sink has, whichever the rows have. */
function csvPlan(overlay: Overlay, { separator, columns }: CsvCodec): number {
  const { rows } = overlay;
  const names = columns ?? overlay.names() ?? [];
  const list = names.map((name) => ({ name: '', tokens: overlay.get(name) ?? rows.emptyColumn(), edit: -1 }));
  const plan = writePlan(rows, Mode.columns, [], list);
  rows.arena.words[(plan >>> 2) + SEPARATOR_WORD] = separator.charCodeAt(0);
  return plan;
}

/** Bytes that the last `encodeRows` with this plan has written. */
export function encodedBytes(overlay: Overlay, plan: number): number {
  return overlay.rows.arena.words[(plan >>> 2) + RESULT_WORD]!;
}

/**
 * The column whose text is a line: that of a view with exactly one column (a projection on one, or lines themselves).
 * `undefined`: lines are the rows' JSON. `tokens` undefined: the column is absent everywhere.
 */
export function lineColumn(overlay: Overlay): { readonly tokens: Tokens | undefined } | undefined {
  return overlay.names()?.length === 1 ? { tokens: overlay.list()![0]?.[1] } : undefined;
}

function makePlan(overlay: Overlay, codec: Codec['name']): number {
  const { rows } = overlay;
  const line = codec === 'line' ? lineColumn(overlay) : undefined;
  if (line !== undefined) {
    const tokens = line.tokens ?? rows.emptyColumn();
    if (rows.lineColumn !== undefined && tokens === rows.column(rows.lineColumn)) return writePlan(rows, Mode.verbatim);
    return writePlan(rows, Mode.text, [], [{ name: '', tokens, edit: -1 }]);
  }
  const list = overlay.list();
  if (list !== undefined) {
    return writePlan(
      rows,
      Mode.columns,
      [],
      list.map(([name, tokens]) => ({ name, tokens, edit: -1 })),
    );
  }
  const { members, values } = overlay.edits();
  const columns = values.map(([name, tokens]) => ({ name, tokens, edit: members.findIndex((member) => member.name === name) }));
  if (members.length === 0 && columns.length === 0) return writePlan(rows, Mode.verbatim);
  return writePlan(rows, Mode.edited, members, columns);
}

type MemberEdits = ReturnType<Overlay['edits']>['members'];

function writePlan(rows: DecodedRows, mode: number, members: MemberEdits = [], columns: readonly PlanColumn[] = []): number {
  const { arena } = rows;
  // Texts first: they take room of their own.
  const keys = new Map([...members, ...columns].map(({ name }) => [name, rows.text(`${JSON.stringify(name.toWellFormed())}:`)]));
  const names = members.map(({ base }) => rows.text(base));
  const plan = arena.take((PLAN_WORDS + members.length * (EDIT_WORDS + 2) + columns.length * COLUMN_WORDS) * 4);
  const edits = plan + PLAN_WORDS * 4;
  const list = edits + members.length * EDIT_WORDS * 4;
  const scratch = list + columns.length * COLUMN_WORDS * 4;
  const words = [mode, rows.starts, rows.ends, 0, members.length, edits, columns.length, list, scratch, 0];
  members.forEach(({ base, at, name, tokens }, i) => {
    const key = keys.get(name)!;
    const text = names[i]!;
    const next = members.findIndex((other, j) => j > i && other.name === name);
    const renamed = name === base ? 0 : 1;
    const { starts, ends, kinds } = tokens ?? { starts: 0, ends: 0, kinds: 0 };
    // biome-ignore format: one record
    words.push(at.starts, at.ends, at.kinds, text.pointer, text.length, key.pointer, key.length, renamed, starts, ends, kinds, next + 1);
  });
  for (const { name, tokens, edit } of columns) {
    const key = keys.get(name)!;
    words.push(key.pointer, key.length, tokens.starts, tokens.ends, tokens.kinds, edit + 1);
  }
  arena.words.set(words, plan >>> 2);
  return plan;
}
