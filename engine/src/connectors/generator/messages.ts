/**
 * Messages as functions from their number to a line of JSON. A template is cut into constant JSON text and the fields between
 * once, at start.
 */
import type { Json } from '../../spec/plan.ts';
import type { FieldValue } from './fields.ts';

export type Row = Readonly<Record<string, Json>>;

export interface Messages {
  /** Line `message % rows`, newline included. */
  line(message: number): string;
  /** The lines of all rows, in order, when no message differs from the one a round before. */
  readonly constant: readonly string[] | undefined;
}

/** `texts`: names of the columns that are declared as strings, in which a lone number stays text. */
export function compileMessages(
  rows: readonly Row[],
  fields: ReadonlyMap<string, FieldValue>,
  texts: ReadonlySet<string>,
): Messages {
  const known: ReadonlyMap<string, FieldValue> = new Map([['message_num', (message: number) => message], ...fields]);
  const compiled = rows.map((row) => compileRow(row, known, texts));
  const isConstant = compiled.every((pieces) => pieces.every((piece) => typeof piece === 'string'));
  return {
    line(message) {
      const pieces = compiled[message % compiled.length]!;
      let line = '';
      for (const piece of pieces) line += typeof piece === 'string' ? piece : piece(message);
      return line;
    },
    constant: isConstant ? compiled.map((pieces) => pieces.join('')) : undefined,
  };
}

type Piece = string | ((message: number) => string);

function compileRow(row: Row, fields: ReadonlyMap<string, FieldValue>, texts: ReadonlySet<string>): Piece[] {
  const pieces: Piece[] = ['{'];
  Object.entries(row).forEach(([name, value], index) => {
    pieces.push(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`, ...compileValue(value, fields, texts.has(name)));
  });
  return merged([...pieces, '}\n']);
}

function compileValue(value: Json, fields: ReadonlyMap<string, FieldValue>, isText: boolean): Piece[] {
  if (typeof value !== 'string') return [JSON.stringify(value)];
  const lone = /^%\{([^{}]*)\}$/.exec(value);
  const field = lone === null ? undefined : fields.get(lone[1]!);
  if (field !== undefined) return [(message) => asJson(isText ? asText(field(message)) : field(message))];
  // What names no field goes out as it is.
  const pieces = value.split(/(%\{[^{}]*\})/).map((part): Piece => {
    const inner = part.startsWith('%{') ? fields.get(part.slice(2, -1)) : undefined;
    return inner === undefined ? insideString(part) : (message) => insideString(asText(inner(message)));
  });
  return ['"', ...pieces, '"'];
}

function asJson(value: Json): string {
  if (typeof value === 'number') return `${value}`;
  return typeof value === 'string' ? `"${insideString(value)}"` : JSON.stringify(value);
}

function asText(value: Json): string {
  if (typeof value === 'number') return `${value}`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What JSON writes otherwise: quotes, backslashes, control characters, surrogates without their other half. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be escaped.
const special = /["\\\u0000-\u001f\ud800-\udfff]/;

function insideString(text: string): string {
  return special.test(text) ? JSON.stringify(text).slice(1, -1) : text;
}

function merged(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') result[result.length - 1] = last + piece;
    else result.push(piece);
  }
  return result;
}
