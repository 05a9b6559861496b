/** The first row of CSV, which names the columns: read once for each file, so it may be read byte by byte. */
import type { CsvCodec } from '../spec/plan.ts';

export interface CsvHeader {
  /** Without repeats. */
  readonly columns: readonly string[];
  /** Bytes up to the first row behind it, a byte order mark and blank lines before it included. */
  readonly length: number;
  /** Names that stood there twice or were empty, with those that were made of them. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
}

/** More are no table, but a file that has no line ends. */
const MOST_COLUMNS = 4096;
const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

/**
 * Reads the header at the start of `bytes`. `undefined`: it does not end there, and more may follow (`last` says that nothing does).
 * `problem` is to be read after "the header": `names …`.
 */
export function readCsvHeader(
  bytes: Uint8Array,
  separator: string,
  { last = false }: { readonly last?: boolean } = {},
): CsvHeader | { readonly problem: string } | undefined {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE)) at++;
  const by = separator.charCodeAt(0);
  const names: string[] = [];
  for (; ; at++) {
    const field = bytes[at] === QUOTE ? quotedField(bytes, at) : plainField(bytes, at, by);
    if (field === 'open') return last ? { problem: 'has a quote that is never closed' } : undefined;
    if (field === 'bare') return { problem: 'has a quote inside of a name that does not begin with one' };
    at = field.end;
    if (bytes[at] === RETURN && (bytes[at + 1] === NEWLINE || at + 1 >= bytes.length)) at++;
    // More of the last name may follow.
    if (at >= bytes.length && !last) return undefined;
    let name: string;
    try {
      name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(field.text);
    } catch {
      return { problem: 'is not valid UTF-8' };
    }
    names.push(name);
    if (names.length > MOST_COLUMNS) return { problem: `names more than ${MOST_COLUMNS} columns` };
    if (at >= bytes.length) return { ...named(names), length: bytes.length };
    if (bytes[at] === NEWLINE) return { ...named(names), length: at + 1 };
    if (bytes[at] !== by) return { problem: 'has something between a closing quote and the next separator' };
  }
}

type Field = { readonly text: Uint8Array; readonly end: number } | 'open' | 'bare';

function quotedField(bytes: Uint8Array, start: number): Field {
  const text: number[] = [];
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] !== QUOTE) text.push(bytes[at]!);
    else if (bytes[at + 1] === QUOTE) text.push(bytes[at++]!);
    else return { text: Uint8Array.from(text), end: at + 1 };
  }
  return 'open';
}

function plainField(bytes: Uint8Array, start: number, separator: number): Field {
  let end = start;
  for (; end < bytes.length && bytes[end] !== separator && bytes[end] !== NEWLINE; end++) if (bytes[end] === QUOTE) return 'bare';
  // A return belongs to the line end behind it.
  if (end > start && bytes[end - 1] === RETURN && bytes[end] !== separator) end--;
  // A copy: what the bytes stand in may be shared memory, which no decoder takes.
  return { text: Uint8Array.from(bytes.subarray(start, end)), end };
}

/** Every column gets a name of its own: nothing is lost because a header is careless. */
function named(names: readonly string[]): Pick<CsvHeader, 'columns' | 'renamed'> {
  const taken = new Set(names);
  const seen = new Set<string>();
  const renamed: { from: string; to: string }[] = [];
  const columns = names.map((name, index) => {
    let unique = name === '' ? `column_${index + 1}` : name;
    for (let n = 2; seen.has(unique) || (unique !== name && taken.has(unique)); n++) unique = `${name || 'column'}_${n}`;
    seen.add(unique);
    if (unique !== name) renamed.push({ from: name, to: unique });
    return unique;
  });
  return { columns, renamed };
}

/** The header that names the columns of what is written. */
export function encodeCsvHeader({ columns = [], separator }: Pick<CsvCodec, 'columns' | 'separator'>): Buffer {
  const quoted = columns.map((name) => {
    const plain = name !== '' && !name.includes(separator) && !/["\r\n]/.test(name);
    return plain ? name : `"${name.replaceAll('"', '""')}"`;
  });
  return Buffer.from(`${quoted.join(separator)}\n`);
}
