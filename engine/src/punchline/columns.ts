/** Follows the columns along the edges, and finds nodes that need a column which cannot reach them. */

import type { ColumnType } from '../spec/column-type.ts';
import type { FunctionSpec } from '../spec/function.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import { ERROR_COLUMN, ERROR_TABLE, lineColumnOf, NO_TABLE, RAW_COLUMN } from '../spec/plan.ts';
import { oneOf, quotedList } from '../spec/setting-text.ts';
import { anyColumns, type ColumnSet, either, mayHave, onlyColumns, withColumns, without } from './column-set.ts';
import type { Graph, Link } from './graph.ts';
import { quote } from './keys.ts';
import type { ProblemList } from './problem.ts';
import type { SpecifiedNode } from './read-node.ts';
import { findWord } from './tree.ts';

/** Needs a graph without loops. */
export function checkColumns(graph: Graph, problems: ProblemList): void {
  const arriving = new Map<SpecifiedNode, ColumnSet[]>();
  for (const node of graph.order ?? []) {
    const sets = arriving.get(node) ?? [];
    const leaving = declared(node, problems, () => {
      if (sets.length > 0) checkNeeds(node, sets, problems);
      checkTables(node, problems);
      return columnsAfter(node, sets.length > 0 ? either(sets) : anyColumns());
    });
    for (const link of graph.linksFrom.get(node) ?? []) {
      checkBytes(link, problems);
      const passing = columnsOn(link, leaving ?? anyColumns(), problems);
      const others = arriving.get(link.to);
      if (others) others.push(passing);
      else arriving.set(link.to, [passing]);
    }
  }
}

/** A user's spec may throw where it tells its columns: that is a problem of the node. */
function declared<T>(node: SpecifiedNode, problems: ProblemList, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    problems.error(node.typeAt, `${node.subject}: its type cannot tell its columns: ${text}`);
    return undefined;
  }
}

function columnsAfter({ spec, settings, codec, out, subject }: SpecifiedNode, before: ColumnSet): ColumnSet {
  if (!spec || !settings) return anyColumns();
  if (spec.kind === 'source') {
    const told = spec.columns?.(settings, codec)?.map((column) => column.name);
    const columns = told ?? onlyColumnOf(codec, out ?? []);
    return columns ? onlyColumns(columns, `${subject} gives ${only(columns)}`) : anyColumns();
  }
  return spec.kind === 'function' ? afterFunction(spec, settings, subject, before) : before;
}

function onlyColumnOf(codec: SpecifiedNode['codec'], out: NonNullable<SpecifiedNode['out']>): readonly string[] | undefined {
  if (codec?.name === 'raw') return [RAW_COLUMN];
  return codec?.name === 'line' ? [lineColumnOf(out)] : undefined;
}

function afterFunction(
  spec: FunctionSpec,
  settings: NonNullable<SpecifiedNode['settings']>,
  subject: string,
  before: ColumnSet,
): ColumnSet {
  if (spec.writesOthers?.(settings)) return anyColumns();
  const keeps = spec.keeps?.(settings)?.filter((name) => mayHave(before, name));
  const kept = keeps ? onlyColumns(keeps, `${subject} keeps ${only(keeps)}`) : before;
  const removed = spec.removes?.(settings) ?? [];
  const left = without(kept, removed, `${subject} removes ${quotedList(removed)}`);
  return withColumns(
    left,
    spec.writes(settings).map((column) => column.name),
  );
}

function columnsOn({ from, edge, to }: Link, leaving: ColumnSet, problems: ProblemList): ColumnSet {
  const { line } = problems.source.position(edge.at);
  const where = `the edge from ${quote(from.id ?? '')} to ${quote(to.id ?? '')} (line ${line})`;
  if (edge.table === ERROR_TABLE) return onlyColumns([ERROR_COLUMN], `${where} carries the error table`);
  if (!edge.columns) return leaving;
  const passing = edge.columns.filter(({ name, at }) => {
    if (mayHave(leaving, name)) return true;
    const message = `${from.subject}: column ${quote(name)} is declared but no row can have it${reason(leaving)}`;
    problems.warning(at, message, nearestWord(name, leaving.present));
    return false;
  });
  const names = passing.map((column) => column.name);
  return onlyColumns(names, `${where} passes ${only(names)}`);
}

function checkNeeds(node: SpecifiedNode, sets: readonly ColumnSet[], problems: ProblemList): void {
  const { spec, settings, codec, settingsTree, settingsAt, subject } = node;
  if (!spec || !settings || spec.kind === 'source') return;
  if (spec.kind === 'sink' && codec?.name === 'raw') checkNeedsBytes(node, sets, problems);
  const all = either(sets);
  for (const name of new Set(spec.reads?.(settings) ?? [])) {
    const lacking = sets.filter((set) => !mayHave(set, name));
    if (lacking.length === 0) continue;
    const at = (settingsTree && findWord(settingsTree, name)) ?? settingsAt;
    const needs = `${subject} needs column ${quote(name)}, which`;
    if (lacking.length === sets.length) {
      problems.error(at, `${needs} cannot reach it${reason(all)}`, nearestWord(name, all.present));
    } else problems.warning(at, `${needs} not all rows that reach it have${reason(either(lacking))}`);
  }
}

/** What writes bytes writes those of the rows' only column, or of the one that is named for them. */
function checkNeedsBytes({ settingsAt, subject }: SpecifiedNode, sets: readonly ColumnSet[], problems: ProblemList): void {
  const lacking = sets.filter((set) => {
    const [first = '', ...others] = set.present;
    // Metadata and error documents are no bytes.
    return !mayHave(set, RAW_COLUMN) && (others.length > 0 || first === '' || first.startsWith('_ppf_'));
  });
  if (lacking.length === 0) return;
  const needs = `${subject} writes the bytes of column ${quote(RAW_COLUMN)}, or of the only column that rows have, which`;
  if (lacking.length < sets.length)
    problems.warning(settingsAt, `${needs} not all rows that reach it have${reason(either(lacking))}`);
  else problems.error(settingsAt, `${needs} cannot reach it${reason(either(sets))}`);
}

/** The declared type of what is written as bytes. */
function checkBytes({ from, edge: { columns, table }, to }: Link, problems: ProblemList): void {
  if (to.codec?.name !== 'raw' || to.spec?.kind !== 'sink' || !columns || table === ERROR_TABLE) return;
  const column = columns.length === 1 ? columns[0]! : columns.find(({ name }) => name === RAW_COLUMN);
  if (!column || BYTES.has(column.type)) return;
  const message = `${from.subject}: column ${quote(column.name)} is declared as ${column.type}, but ${to.subject} writes its bytes, expected bytes or string`;
  problems.error(column.at, message);
}

/** In any of these base64 may stand. */
const BYTES: ReadonlySet<ColumnType> = new Set(['bytes', 'string', 'any']);

function only(names: readonly string[]): string {
  return names.length === 0 ? 'no column' : `only ${quotedList(names)}`;
}

function reason(set: ColumnSet): string {
  return set.why === '' ? '' : `: ${set.why}`;
}

/** Routes without an edge, and edges without a route. */
function checkTables({ spec, settings, out, outKeyAt, subject }: SpecifiedNode, problems: ProblemList): void {
  if (!spec || spec.kind === 'sink' || !settings || !out) return;
  const routes = spec.tables?.(settings) ?? [];
  if (routes.length === 0) return;
  for (const table of new Set(routes)) {
    if (out.some((edge) => (edge.table ?? NO_TABLE) === table)) continue;
    const [to, missing] = table === NO_TABLE ? ['the outs without a table', 'one'] : [`table ${quote(table)}`, 'an out with it'];
    problems.warning(outKeyAt, `${subject} routes rows to ${to}, expected ${missing}: such rows end here`);
  }
  const named = routes.filter((table) => table !== NO_TABLE);
  for (const { table, tableAt } of out) {
    if (table === undefined || table === ERROR_TABLE || routes.includes(table)) continue;
    const message = `${subject} routes no rows to table ${quote(table)}, expected ${oneOf(named)}, or no table for the other rows`;
    problems.warning(tableAt, message, nearestWord(table, named));
  }
}
