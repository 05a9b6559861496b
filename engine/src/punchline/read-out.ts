/** `out` of a node: its edges, with the columns that each lets pass. */
import { type ColumnDeclaration, columnTypeAliases } from '../spec/column-type.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import { ERROR_COLUMN, ERROR_TABLE } from '../spec/plan.ts';
import { RESERVED_PREFIX, reservedColumns } from '../spec/reserved-columns.ts';
import { quotedList } from '../spec/setting-text.ts';
import { checkKeys, found, listAt, mapAt, quote, wordAt } from './keys.ts';
import { columnKeys, outKeys } from './known-keys.ts';
import type { ProblemList } from './problem.ts';
import type { MapTree, Tree } from './tree.ts';

export interface EdgeDraft {
  /** Offset of the entry of `out`. */
  readonly at: number;
  readonly to: string;
  readonly toAt: number;
  readonly table?: string;
  readonly tableAt: number;
  readonly columns?: readonly ColumnDraft[];
}

export interface ColumnDraft extends ColumnDeclaration {
  readonly at: number;
}

export interface Out {
  /** Those that can be understood; what is wrong with the others is in the problems. */
  readonly edges: readonly EdgeDraft[];
  /** Whether there are others. */
  readonly unclear: boolean;
}

export function readOut(tree: Tree, subject: string, problems: ProblemList): Out {
  const items = outItems(tree, subject, problems);
  const seen = new Set<string>();
  const edges = items.flatMap((item) => {
    const edge = readEdge(item, subject, problems);
    if (!edge) return [];
    const key = JSON.stringify([edge.to, edge.table]);
    if (seen.has(key)) {
      const same = edge.table === undefined ? '' : ` for table ${quote(edge.table)}`;
      problems.error(
        edge.toAt,
        `${subject}: out leads to ${quote(edge.to)} twice${same}, expected it once: every row would go twice`,
      );
    }
    seen.add(key);
    return [edge];
  });
  return { edges, unclear: items.length === 0 || edges.length < items.length };
}

/** A single entry that is not in a list is told, and then read like one that is. */
function outItems(tree: Tree, subject: string, problems: ProblemList): readonly Tree[] {
  if (tree.kind === 'map' && tree.entries.has('id')) {
    problems.error(tree.at, `${subject}: out is a map, expected a list: start it with "- "`);
    return [tree];
  }
  if (tree.kind === 'scalar' && typeof tree.value === 'string') {
    problems.error(tree.at, `${subject}: out is ${found(tree)}, expected a list: "- id: ${tree.value.slice(0, 60)}"`);
    return [];
  }
  const items = listAt(tree, `${subject}: out`, problems)?.items;
  if (items?.length === 0) problems.error(tree.at, `${subject}: out is an empty list, expected at least one next node`);
  return items ?? [];
}

function readEdge(tree: Tree, subject: string, problems: ProblemList): EdgeDraft | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'string') {
    problems.error(tree.at, `${subject}: out entry is ${found(tree)}, expected a map: "- id: ${tree.value.slice(0, 60)}"`);
    return { at: tree.at, to: tree.value, toAt: tree.at, tableAt: tree.at };
  }
  const map = mapAt(tree, `${subject}: out entry`, problems);
  if (!map) return undefined;
  const entry = checkKeys(map, { ...outKeys, where: `${subject}: out` }, problems);
  const id = entry('id');
  if (!id) problems.error(map.at, `${subject}: out entry has no id, expected the id of the next node`);
  const to = id && wordAt(id, `${subject}: id in out`, problems);
  const tableEntry = entry('table');
  const table = tableEntry && wordAt(tableEntry, `${subject}: table in out`, problems);
  const columnsEntry = entry('columns');
  const columns = columnsEntry && readColumns(columnsEntry.value, subject, problems);
  if (columns && table === ERROR_TABLE) checkErrorColumns(columns, subject, problems);
  if (to === undefined) return undefined;
  return {
    at: map.at,
    to,
    toAt: id!.value.at,
    ...(table === undefined ? {} : { table }),
    tableAt: tableEntry?.value.at ?? map.at,
    ...(columns === undefined ? {} : { columns }),
  };
}

function readColumns(tree: Tree, subject: string, problems: ProblemList): ColumnDraft[] | undefined {
  const list = listAt(tree, `${subject}: columns in out`, problems);
  if (!list) return undefined;
  if (list.items.length === 0) {
    problems.error(list.at, `${subject}: columns in out is an empty list, expected names: leave columns out to let all pass`);
  }
  const names = new Set<string>();
  return list.items.flatMap((item) => {
    const column = readColumn(item, subject, problems);
    if (!column) return [];
    if (names.has(column.name)) {
      problems.error(column.at, `${subject}: column ${quote(column.name)} is declared twice in one out, expected it once`);
      return [];
    }
    names.add(column.name);
    return [column];
  });
}

/** `content: bytes`, as other tools have it. */
function shortForm({ entries }: MapTree): { readonly name: string; readonly type: string } | undefined {
  const [[name, entry] = ['']] = entries;
  if (entries.size !== 1 || !entry || columnKeys.known.includes(name)) return undefined;
  const { value } = entry;
  const type = value.kind === 'scalar' ? value.value : undefined;
  return typeof type === 'string' && Object.hasOwn(columnTypeAliases, type) ? { name, type } : undefined;
}

/** A column whose type is wrong is kept as `any`, so that it is not reported as lacking further down. */
function readColumn(tree: Tree, subject: string, problems: ProblemList): ColumnDraft | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'string') {
    const right = `"- {name: ${tree.value.slice(0, 60)}, type: string}"`;
    problems.error(tree.at, `${subject}: column is ${found(tree)}, expected a map: ${right}`);
    return { name: tree.value, type: 'any', at: tree.at };
  }
  const map = mapAt(tree, `${subject}: column`, problems);
  if (!map) return undefined;
  const short = shortForm(map);
  if (short) {
    const right = `{name: ${short.name.slice(0, 60)}, type: ${short.type.slice(0, 60)}}`;
    problems.error(map.at, `${subject}: column is written in short, expected ${right}`);
    return { name: short.name, type: 'any', at: map.at };
  }
  const entry = checkKeys(map, { ...columnKeys, where: `${subject}: column` }, problems);
  const nameEntry = entry('name');
  if (!nameEntry) problems.error(map.at, `${subject}: column has no name, expected {name: …, type: …}`);
  const name = nameEntry && wordAt(nameEntry, `${subject}: column name`, problems);
  const typeEntry = entry('type');
  const type = typeEntry && wordAt(typeEntry, `${subject}: column type`, problems);
  if (type !== undefined && !Object.hasOwn(columnTypeAliases, type)) {
    const types = Object.keys(columnTypeAliases);
    problems.error(
      typeEntry!.value.at,
      `${subject}: column type is ${found(typeEntry!.value)}, expected one of ${quotedList([...new Set(Object.values(columnTypeAliases))])}`,
      nearestWord(type, types),
    );
  }
  if (name === undefined) return undefined;
  checkReserved(name, nameEntry!.value.at, subject, problems);
  return { name, type: columnTypeAliases[type ?? 'any'] ?? 'any', at: nameEntry!.value.at };
}

/** Rows may hold columns of such names by themselves, so one that is like no reserved column is left alone. */
function checkReserved(name: string, at: number, subject: string, problems: ProblemList): void {
  if (!name.startsWith(RESERVED_PREFIX) || name === ERROR_COLUMN || Object.hasOwn(reservedColumns, name)) return;
  const suggestion = nearestWord(name, Object.keys(reservedColumns));
  if (suggestion === undefined) return;
  problems.warning(
    at,
    `${subject}: column ${quote(name)} is none of the reserved columns, which begin with ${RESERVED_PREFIX}`,
    suggestion,
  );
}

function checkErrorColumns(columns: readonly ColumnDraft[], subject: string, problems: ProblemList): void {
  for (const { name, type, at } of columns) {
    if (name === ERROR_COLUMN && (type === 'string' || type === 'any')) continue;
    const is = name === ERROR_COLUMN ? `has type ${type}` : 'does not exist';
    const right = `expected only ${quote(ERROR_COLUMN)} with type string`;
    problems.error(at, `${subject}: column ${quote(name)} of table ${quote(ERROR_TABLE)} ${is}, ${right}`);
  }
}
