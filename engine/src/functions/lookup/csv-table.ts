import type { TableRow } from './table-row.ts';

/** Rows of a CSV file (RFC 4180) whose first line names the columns; all values are strings. */
export function* readCsv(text: string, separator: string): Iterable<TableRow> {
  const records = readRecords(text.startsWith('\ufeff') ? text.slice(1) : text, separator);
  const first = records.next();
  if (first.done) throw new Error('it is empty, expected a line with the names of the columns');
  const names = first.value.values;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`its first line has ${JSON.stringify(twice)} twice`);
  for (const { values, line } of records) {
    if (values.length === 1 && values[0] === '') continue;
    if (values.length !== names.length) throw new Error(`line ${line} has ${values.length} values, expected ${names.length}`);
    yield { members: new Map(names.map((name, i) => [name, JSON.stringify(values[i])])), place: `line ${line}` };
  }
}

interface Record {
  readonly values: string[];
  /** Where it begins, from 1. */
  readonly line: number;
}

function* readRecords(text: string, separator: string): Generator<Record, void> {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const record: Record = { values: [], line };
    for (;;) {
      const value = readValue(text, at, separator, line);
      record.values.push(value.text);
      line += value.newlines;
      at = value.end;
      if (text[at] !== separator) break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (at < text.length && text[at] !== '\n')
      throw new Error(`line ${line} has text behind a closing quote, expected a separator`);
    at++;
    line++;
    yield record;
  }
}

interface Value {
  readonly text: string;
  readonly end: number;
  readonly newlines: number;
}

function readValue(text: string, at: number, separator: string, line: number): Value {
  if (text[at] !== '"') {
    let end = at;
    while (end < text.length && text[end] !== separator && text[end] !== '\n' && !(text[end] === '\r' && text[end + 1] === '\n'))
      end++;
    return { text: text.slice(at, end), end, newlines: 0 };
  }
  for (let end = at + 1; ; end++) {
    end = text.indexOf('"', end);
    if (end < 0) throw new Error(`line ${line} has a quote that is not closed`);
    if (text[end + 1] === '"') {
      end++;
      continue;
    }
    const inside = text.slice(at + 1, end);
    return { text: inside.replaceAll('""', '"'), end: end + 1, newlines: inside.split('\n').length - 1 };
  }
}
