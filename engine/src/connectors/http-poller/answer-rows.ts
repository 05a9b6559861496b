/** An answer's body as rows, one a line. Nothing of it becomes an object. */
import { readCsvBody } from '../../codecs/csv-body.ts';
import { readJsonBody } from '../../codecs/json-body.ts';
import { findPointer } from '../../codecs/json-pointer.ts';
import type { Codec } from '../../spec/plan.ts';

export interface AnswerKind {
  readonly codec: Codec;
  /** Value of `Content-Type`. */
  readonly type: string | undefined;
  /** Where the rows stand, for JSON. */
  readonly pointer: string;
}

/** `problem` is to be read after "the answer". */
export type AnswerRows =
  | { readonly bytes: Uint8Array; readonly rows: number; readonly columns?: readonly string[] }
  | { readonly problem: string };

const NEWLINE = 10;
const JSON_LINES = /^application\/(x-)?(ndjson|jsonl|jsonlines|json-lines|json-seq)\b/i;

export function answerRows(body: Buffer, { codec, type, pointer }: AnswerKind): AnswerRows {
  if (body.length === 0) return { bytes: body, rows: 0 };
  if (codec.name === 'csv') {
    const read = readCsvBody([body], { separator: codec.separator, columns: codec.header ? undefined : codec.columns });
    if ('problem' in read) return read;
    const bytes = Buffer.concat(read.parts);
    return { bytes, rows: linesIn(bytes), columns: read.columns };
  }
  if (codec.name !== 'json' || JSON_LINES.test(type ?? '')) return lines(body);
  const found = findPointer(body, pointer);
  if (found === undefined) return { problem: pointer === '' ? 'is empty, expected JSON' : `has nothing at "${pointer}"` };
  const value = pointer === '' ? body : body.subarray(found.from, found.to);
  if (value.equals(NULL)) return { bytes: Buffer.alloc(0), rows: 0 };
  return readJsonBody([value]);
}

const NULL = Buffer.from('null');

function lines(body: Buffer): AnswerRows {
  const bytes = body[body.length - 1] === NEWLINE ? body : Buffer.concat([body, Buffer.of(NEWLINE)]);
  return { bytes, rows: linesIn(bytes) };
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
