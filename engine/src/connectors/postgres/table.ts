/** What the server knows of the table, and the statements that come of it. */
import { ReefError } from '../../errors.ts';
import type { LibraryClient } from './client.ts';
import type { CopyColumn } from './copy-text.ts';
import { copies, type PostgresSettings, unknownColumns } from './settings.ts';

interface TableColumn {
  readonly name: string;
  /** `S` string, `A` array, and so on: `pg_type.typcategory`. */
  readonly category: string;
  readonly type: string;
  /** SQL of its default. */
  readonly standard: string | undefined;
  /** The server makes its values itself. */
  readonly made: boolean;
}

export interface Statements {
  readonly copy?: { readonly text: string; readonly columns: readonly CopyColumn[] };
  /** Takes a JSON array of rows, and names of columns where `checks`; answers with the rows it has not taken: number, columns. */
  readonly insert?: { readonly text: string; readonly known: readonly string[] | undefined };
}

const LOOKUP = `SELECT a.attname, t.typcategory, t.typname, pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '' OR a.attgenerated <> ''
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

/** Makes the table where that is asked for, looks its columns up, and makes the statements. Rejects with the server's error or a `ReefError`. */
export async function prepareTable(client: LibraryClient, given: PostgresSettings, subject: string): Promise<Statements> {
  const table = quotedName(given.table);
  if (given.create_table !== undefined) await run(client, createStatement(table, given.create_table, given.conflict_columns));
  const { rows } = await run(client, LOOKUP, [table]);
  const all = rows.map(
    ([name, category, type, standard, made]) =>
      ({ name, category, type, standard: standard ?? undefined, made }) as unknown as TableColumn,
  );
  const chosen = choose(all, given, subject);
  if (!copies(given)) return { insert: insertStatement(table, all, chosen, given) };
  const array = chosen.find(({ column }) => column.category === 'A');
  if (array && given.method === undefined) return { insert: insertStatement(table, all, chosen, given) };
  if (array) throw wrong(subject, `column "${array.column.name}" is a list, which COPY cannot be given, expected method: insert`);
  return {
    copy: {
      text: copyStatement(table, chosen),
      columns: chosen.map(({ from, column }) => ({ name: from, isText: column.category === 'S' })),
    },
  };
}

/** In CSV an empty text and a missing one are told apart; where a text cannot stand, both are NULL. */
function copyStatement(table: string, chosen: readonly Chosen[]): string {
  const names = (columns: readonly Chosen[]): string => columns.map(({ column }) => quoted(column.name)).join(', ');
  const others = chosen.filter(({ column }) => column.category !== 'S');
  const csv = ['FORMAT csv', ...(others.length === 0 ? [] : [`FORCE_NULL (${names(others)})`])];
  return `COPY ${table} (${names(chosen)}) FROM STDIN${chosen.length === 1 ? '' : ` (${csv.join(', ')})`}`;
}

function run(client: LibraryClient, text: string, values: readonly unknown[] = []) {
  return client.query({ text, values, rowMode: 'array' });
}

interface Chosen {
  readonly column: TableColumn;
  /** The column of the row. */
  readonly from: string;
}

function choose(all: readonly TableColumn[], { columns, table, ...given }: PostgresSettings, subject: string): Chosen[] {
  const find = (name: string): TableColumn => {
    const column = all.find((one) => one.name === name);
    if (column) return column;
    throw wrong(subject, `table ${table} has no column "${name}", expected one of ${all.map((one) => one.name).join(', ')}`);
  };
  for (const name of given.conflict_columns) find(name);
  const store = given.unknown_column === undefined ? undefined : find(given.unknown_column);
  if (store && store.type !== 'jsonb') throw wrong(subject, `column "${store.name}" is of type ${store.type}, expected jsonb`);
  if (columns !== undefined) return Object.entries(columns).map(([name, from]) => ({ column: find(name), from }));
  return all.filter((column) => !column.made && column !== store).map((column) => ({ column, from: column.name }));
}

/**
 * The rows go as one JSON array; the server turns each into a record of the table, so types are converted by its rules, numbers of any
 * length stay exact, and of a key that comes twice in one bulk the last row wins.
 */
function insertStatement(table: string, all: readonly TableColumn[], chosen: readonly Chosen[], given: PostgresSettings) {
  const { on_conflict, conflict_columns, unknown_column } = given;
  const unknown = unknownColumns(given);
  const renamed = chosen.some(({ column, from }) => column.name !== from);
  const pairs = chosen.map(({ column, from }) => `${literal(column.name)}, _in.d -> ${literal(from)}`);
  const record = `json_populate_record(NULL::${table}, ${renamed ? objectOf(pairs) : '_in.d'})`;
  const values = chosen.map(({ column: { name, standard } }) =>
    standard === undefined ? `_row.${quoted(name)}` : `coalesce(_row.${quoted(name)}, ${standard})`,
  );
  const names = chosen.map(({ column }) => column.name);
  if (unknown === 'store') {
    names.push(unknown_column!);
    values.push("nullif(_in.d::jsonb - $2::text[], '{}')");
  }
  const targets = names.map(quoted);
  const update = on_conflict === 'update';
  const keys = conflict_columns.map(quoted).join(', ');
  const source = `SELECT ${update ? `DISTINCT ON (${keys}) ` : ''}${values.map((value, index) => `${value} AS ${targets[index]}`).join(', ')}
  FROM _reef_docs _in, LATERAL ${record} _row${unknown === 'error' ? ' WHERE _in.n NOT IN (SELECT bad.n FROM _reef_bad bad)' : ''}${update ? ` ORDER BY ${keys}, _in.n DESC` : ' ORDER BY _in.n'}`;
  const others = targets.filter((_, index) => !conflict_columns.includes(names[index]!));
  const action = update ? `UPDATE SET ${others.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}` : 'NOTHING';
  const conflict = on_conflict === 'error' ? '' : `\n  ON CONFLICT ${keys === '' ? '' : `(${keys}) `}DO ${action}`;
  const docs = '_reef_docs AS MATERIALIZED (SELECT n, d FROM json_array_elements($1::json) WITH ORDINALITY AS e(d, n))';
  const bad =
    "_reef_bad AS MATERIALIZED (SELECT _in.n, string_agg(k, ', ' ORDER BY k) AS ks FROM _reef_docs _in, json_object_keys(_in.d) k WHERE k <> ALL ($2::text[]) GROUP BY _in.n)";
  const insert = `INSERT INTO ${table} (${targets.join(', ')})\n  ${source}${conflict}`;
  const text =
    unknown === 'error'
      ? `WITH ${docs}, ${bad}, _reef_done AS (${insert})\nSELECT n, ks FROM _reef_bad`
      : `WITH ${docs}\n${insert}`;
  // What the server makes itself has a place, though it is not taken from rows.
  const places = given.columns === undefined ? all.map(({ name }) => name) : [];
  return { text, known: unknown === 'ignore' ? undefined : [...places, ...chosen.map(({ from }) => from)] };
}

/** A function takes at most 100 arguments. */
function objectOf(pairs: readonly string[]): string {
  if (pairs.length <= 50) return `json_build_object(${pairs.join(', ')})`;
  const pieces = Array.from({ length: Math.ceil(pairs.length / 50) }, (_, piece) => pairs.slice(50 * piece, 50 * piece + 50));
  return `(${pieces.map((piece) => `json_build_object(${piece.join(', ')})::jsonb`).join(' || ')})::json`;
}

function createStatement(table: string, columns: Readonly<Record<string, string>>, keys: readonly string[]): string {
  const lines = Object.entries(columns).map(([name, type]) => `${quoted(name)} ${type}`);
  const primary = keys.length === 0 ? [] : [`PRIMARY KEY (${keys.map(quoted).join(', ')})`];
  return `CREATE TABLE IF NOT EXISTS ${table} (${[...lines, ...primary].join(', ')})`;
}

export function quotedName(name: string): string {
  return name.split('.').map(quoted).join('.');
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function wrong(subject: string, why: string): ReefError {
  return new ReefError('config', `Cannot open ${subject}: ${why}`);
}
