/** One entry of `cases`. */
import { dirname, resolve } from 'node:path';
import { checkKeys, choiceAt, found, listAt, mapAt } from '../punchline/keys.ts';
import type { Entry, MapTree, Tree } from '../punchline/tree.ts';
import type { NodeKind } from '../spec/plan.ts';
import type { Case, Expectation, Fault, Input, RejectedRow, RejectedRows, Rows } from './case.ts';
import {
  caseKeys,
  expectKeys,
  faultKeys,
  inputKeys,
  overLimitKeys,
  refuseKeys,
  rejectedKeys,
  restartKeys,
  rowsKeys,
  waysToExpect,
  waysToFeed,
} from './case-keys.ts';
import type { CaseReader } from './case-reader.ts';

type Path = readonly (string | number)[];

const anyKind: readonly NodeKind[] = ['source', 'function', 'sink'];
const DEFAULT_TIMEOUT_SECS = 60;

/** `path`: of the case file, for the names of files in it. */
export function readCase(tree: Tree, index: number, path: string, reader: CaseReader): Case | undefined {
  const { problems } = reader;
  const before = problems.errors;
  const map = mapAt(tree, `case ${index + 1}`, problems);
  if (!map) return undefined;
  const entry = checkKeys(map, { ...caseKeys, where: `case ${index + 1}` }, problems);
  const nameEntry = entry('name');
  if (!nameEntry) problems.error(map.at, `case ${index + 1} has no name, expected a sentence that says what is right`);
  const name = nameEntry && reader.word(nameEntry, `case ${index + 1}: name`);
  const skipEntry = entry('skip');
  const skip = skipEntry && reader.word(skipEntry, 'skip');
  const input = readInput(entry('input'), path, reader);
  const real = readReal(entry('real'), reader);
  for (const id of real) {
    if (input.has(id)) problems.error(entry('real')!.keyAt, `"${id}" is real and has an input, expected one of both`);
  }
  const expect = readExpect(entry('expect'), ['cases', index, 'expect'], path, reader);
  if (!entry('expect')) problems.error(map.at, `case ${index + 1} expects nothing, expected expect: with the id of a node`);
  for (const id of real) {
    const sink = reader.nodes.some((node) => node.id === id && node.kind === 'sink');
    if (sink && expect.get(id)?.out)
      problems.error(entry('real')!.keyAt, `sink "${id}" is real, so its rows cannot be seen: expect them of the node before it`);
  }
  const faults = readFaults(entry('faults'), reader);
  const batch = entry('batch_rows');
  const timeoutSecs = reader.whole(entry('timeout_secs'), 'timeout_secs', { least: 1, fallback: DEFAULT_TIMEOUT_SECS });
  const batchRows = batch && reader.whole(batch, 'batch_rows', { least: 1, fallback: 1 });
  if (problems.errors > before || name === undefined) return undefined;
  return {
    name,
    location: { file: problems.source.file, ...problems.source.position(map.at) },
    ...(skip === undefined ? {} : { skip }),
    input,
    real,
    expect,
    faults,
    ...(batchRows === undefined ? {} : { batchRows }),
    timeoutSecs,
  };
}

function readInput(entry: Entry | undefined, path: string, reader: CaseReader): Map<string, Input> {
  const inputs = new Map<string, Input>();
  const map = entry && mapAt(entry.value, 'input', reader.problems);
  for (const [name, { keyAt, value }] of map?.entries ?? []) {
    const id = reader.node(name, keyAt, 'input', anyKind);
    const input = readOneInput(value, path, reader, `input of "${name}"`);
    if (id === undefined || !input) continue;
    const isSource = reader.nodes.some((node) => node.id === id && node.kind === 'source');
    if (!isSource && !('rows' in input))
      reader.problems.error(value.at, `input of "${name}" is bytes, but it is no source, expected rows`);
    if (!isSource && input.table !== undefined)
      reader.problems.error(value.at, `input of "${name}" has a table, but it is no source, expected only rows`);
    inputs.set(id, input);
  }
  return inputs;
}

function readOneInput(tree: Tree, path: string, reader: CaseReader, what: string): Input | undefined {
  const map = mapAt(tree, what, reader.problems);
  if (!map) return undefined;
  const entry = checkKeys(map, { ...inputKeys, where: what }, reader.problems);
  const key = reader.oneKey(map, what, waysToFeed, inputKeys);
  if (key === undefined) return undefined;
  const given = entry(key)!;
  const tableEntry = entry('table');
  const name = tableEntry && reader.word(tableEntry, `${what}: table`);
  const table = name === undefined ? {} : { table: name };
  if (key === 'rows') {
    const rows = reader.rows(given.value, what);
    return rows && { rows, ...table };
  }
  const text = reader.text(given, `${what}: ${key}`);
  if (text === undefined) return undefined;
  return key === 'text' ? { text, ...table } : { file: resolve(dirname(path), text), ...table };
}

function readReal(entry: Entry | undefined, reader: CaseReader): string[] {
  const list = entry && listAt(entry.value, 'real', reader.problems);
  return (list?.items ?? []).flatMap((item) => {
    const word = reader.word({ keyAt: item.at, value: item }, 'real');
    return word === undefined ? [] : (reader.node(word, item.at, 'real', ['source', 'sink']) ?? []);
  });
}

function readExpect(entry: Entry | undefined, at: Path, path: string, reader: CaseReader): Map<string, Expectation> {
  const expectations = new Map<string, Expectation>();
  const map = entry && mapAt(entry.value, 'expect', reader.problems);
  if (map && map.entries.size === 0) reader.problems.error(map.at, 'expect is empty, expected the id of a node');
  for (const [name, { keyAt, value }] of map?.entries ?? []) {
    const id = reader.node(name, keyAt, 'expect', anyKind);
    const inner = mapAt(value, `what "${name}" is to give`, reader.problems);
    if (id === undefined || !inner) continue;
    const subject = `what "${name}" is to give`;
    const get = checkKeys(inner, { ...expectKeys, where: subject }, reader.problems);
    const tables = readTables(get('tables'), id, [...at, name, 'tables'], path, reader);
    const rejected = readRejected(inner, subject, [...at, name], reader);
    const hasOut = waysToExpect.some((key) => inner.entries.has(key));
    if (!hasOut && tables.size === 0 && !rejected)
      reader.oneKey(inner, subject, [...waysToExpect, 'tables', 'rejected', 'rejected_count'], expectKeys);
    const out = hasOut ? readRows(inner, subject, [...at, name], path, reader) : undefined;
    expectations.set(id, { ...(out ? { out } : {}), tables, ...(rejected ? { rejected } : {}) });
  }
  return expectations;
}

function readTables(entry: Entry | undefined, id: string, at: Path, path: string, reader: CaseReader): Map<string, Rows> {
  const tables = new Map<string, Rows>();
  const map = entry && mapAt(entry.value, 'tables', reader.problems);
  if (map && reader.nodes.some((node) => node.id === id && node.kind === 'sink')) {
    reader.problems.error(entry.keyAt, `sink "${id}" has no tables, expected rows`);
  }
  for (const [table, { value }] of map?.entries ?? []) {
    const subject = `table "${table}" of "${id}"`;
    const inner = mapAt(value, subject, reader.problems);
    if (!inner) continue;
    checkKeys(inner, { ...rowsKeys, where: subject }, reader.problems);
    const rows = readRows(inner, subject, [...at, table], path, reader);
    if (rows) tables.set(table, rows);
  }
  return tables;
}

function readRows(map: MapTree, subject: string, at: Path, path: string, reader: CaseReader): Rows | undefined {
  const key = reader.oneKey(map, subject, waysToExpect, expectKeys);
  if (key === undefined) return undefined;
  const how = readHow(key, map.entries.get(key)!, subject, path, reader);
  const orderEntry = map.entries.get('order');
  const order = orderEntry && choiceAt(orderEntry, `${subject}: order`, ['kept', 'any'] as const, reader.problems);
  const duplicatesAtMost = reader.whole(map.entries.get('duplicates_at_most'), `${subject}: duplicates_at_most`, {
    least: 0,
    fallback: 0,
  });
  return how && { path: at, how, duplicatesAtMost, ...(order === undefined ? {} : { order }) };
}

function readHow(key: string, entry: Entry, subject: string, path: string, reader: CaseReader): Rows['how'] | undefined {
  switch (key) {
    case 'count':
      return { kind: 'count', count: reader.whole(entry, `${subject}: count`, { least: 0, fallback: 0 }) };
    case 'text': {
      const text = reader.text(entry, `${subject}: text`);
      return text === undefined ? undefined : { kind: 'text', text };
    }
    case 'rows_file': {
      const file = reader.word(entry, `${subject}: rows_file`);
      return file === undefined ? undefined : { kind: 'rows', rows: [], file: resolve(dirname(path), file) };
    }
    case 'nothing_lost':
      if (entry.value.kind === 'scalar' && entry.value.value === true) return { kind: 'nothing_lost' };
      reader.problems.error(entry.value.at, `${subject}: nothing_lost is ${found(entry.value)}, expected true`);
      return undefined;
    default: {
      const rows = reader.rows(entry.value, `${subject}: ${key}`);
      return rows && { kind: key as 'rows' | 'includes', rows };
    }
  }
}

function readRejected(map: MapTree, subject: string, path: Path, reader: CaseReader): RejectedRows | undefined {
  const keys = ['rejected', 'rejected_count'].filter((key) => map.entries.has(key));
  if (keys.length === 0 || reader.oneKey(map, subject, keys, expectKeys) === undefined) return undefined;
  const entry = map.entries.get(keys[0]!)!;
  if (keys[0] === 'rejected_count') {
    const count = reader.whole(entry, `${subject}: rejected_count`, { least: 0, fallback: 0 });
    return { path, how: { kind: 'rejected_count', count } };
  }
  const list = listAt(entry.value, `${subject}: rejected`, reader.problems);
  const rows = list?.items.map((item) => readRejectedRow(item, `${subject}: rejected row`, reader));
  return rows && { path, how: { kind: 'rejected', rows } };
}

function readRejectedRow(tree: Tree, what: string, reader: CaseReader): RejectedRow {
  const entry = reader.map(tree, what, rejectedKeys);
  const rowEntry = entry?.('row');
  const row = rowEntry && reader.row(rowEntry.value, `${what}: row`);
  const text = (key: string): string | undefined => {
    const given = entry?.(key);
    return given && reader.text(given, `${what}: ${key}`);
  };
  const [raw, reason, reasonIncludes] = [text('text'), text('reason'), text('reason_includes')];
  return {
    ...(row === undefined ? {} : { row }),
    ...(raw === undefined ? {} : { text: raw }),
    ...(reason === undefined ? {} : { reason }),
    ...(reasonIncludes === undefined ? {} : { reasonIncludes }),
  };
}

function readFaults(entry: Entry | undefined, reader: CaseReader): Fault[] {
  const list = entry && listAt(entry.value, 'faults', reader.problems);
  return (list?.items ?? []).flatMap((item, index) => {
    const what = `fault ${index + 1}`;
    const map = mapAt(item, what, reader.problems);
    const get = map && checkKeys(map, { ...faultKeys, where: what }, reader.problems);
    const kind = map && reader.oneKey(map, what, faultKeys.known, faultKeys);
    if (!get || kind === undefined) return [];
    const fault = readFault(kind as Fault['kind'], get(kind)!.value, reader);
    return fault ? [fault] : [];
  });
}

function readFault(kind: Fault['kind'], tree: Tree, reader: CaseReader): Fault | undefined {
  const keys = { refuse: refuseKeys, over_limit: overLimitKeys, restart: restartKeys }[kind];
  const entry = reader.map(tree, kind, keys);
  if (!entry) return undefined;
  const where = kind === 'over_limit' ? 'function' : 'sink';
  const idEntry = entry(where);
  if (!idEntry) {
    reader.problems.error(tree.at, `${kind} has no ${where}, expected the id of one`);
    return undefined;
  }
  const word = reader.word(idEntry, `${kind}: ${where}`);
  const node = word === undefined ? undefined : reader.node(word, idEntry.value.at, kind, [where]);
  if (node === undefined) return undefined;
  if (kind === 'refuse') {
    const times = reader.whole(entry('times'), 'refuse: times', { least: 1, fallback: 1 });
    return { kind, node, times, afterRows: reader.whole(entry('after_rows'), 'refuse: after_rows', { least: 0, fallback: 0 }) };
  }
  if (kind === 'restart')
    return { kind, node, afterRows: reader.whole(entry('after_rows'), 'restart: after_rows', { least: 1, fallback: 1 }) };
  const columnEntry = entry('column');
  const valueEntry = entry('value');
  if (!columnEntry || !valueEntry) {
    reader.problems.error(tree.at, 'over_limit does not say for which rows, expected column and value');
    return undefined;
  }
  const column = reader.word(columnEntry, 'over_limit: column');
  const value = valueEntry.value.kind === 'scalar' ? valueEntry.value.value : undefined;
  if (typeof value === 'string' || Number.isSafeInteger(value))
    return column === undefined ? undefined : { kind, node, column, value: value as string | number };
  reader.problems.error(valueEntry.value.at, `over_limit: value is ${found(valueEntry.value)}, expected text or a whole number`);
  return undefined;
}
