/** What a scan must find, told by JSON.parse: rows are cut at newline bytes, decoded strictly, and parsed one by one. */
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { ValueKind } from '../src/batch/batch.ts';
import { ROW_NOT_OBJECT, rowErrors } from '../src/batch/kernel-abi.ts';
import type { Scanned, ScannedRow, ScannedValue } from './scan-harness.ts';

const NEWLINE = 0x0a;

interface Line {
  readonly from: number;
  /** Behind the last byte, without the newline. */
  readonly to: number;
}

export function linesOf(input: Uint8Array): Line[] {
  const lines: Line[] = [];
  let from = 0;
  while (from < input.length) {
    const found = input.indexOf(NEWLINE, from);
    const to = found < 0 ? input.length : found;
    lines.push({ from, to });
    from = to + 1;
  }
  return lines;
}

type Parsed = { readonly is: 'bad' | 'other' } | { readonly is: 'object'; readonly value: Record<string, unknown> };

/** `bad` is what JSON.parse refuses, or what is no UTF-8. */
export function parseRow(bytes: Uint8Array): Parsed {
  if (!isUtf8(bytes)) return { is: 'bad' };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return { is: 'bad' };
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { is: 'object', value: value as Record<string, unknown> } : { is: 'other' };
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/** Checks a whole scan (with `last`) of `input` for the key columns `keys`. */
export function assertAgrees(input: Uint8Array, scanned: Scanned, keys: readonly string[]): void {
  let row = 0;
  const counts = { malformed: 0, notObject: 0, blank: 0 };
  for (const { from, to } of linesOf(input)) {
    const bytes = input.subarray(from, to);
    if (isBlank(bytes)) {
      counts.blank++;
      continue;
    }
    const found = scanned.rows[row++];
    assert.ok(found, `row ${row - 1} was not found`);
    const parsed = parseRow(bytes);
    if (parsed.is === 'object') {
      assertGoodRow(input, { from, to }, found);
      assertValues(parsed.value, found, keys);
      continue;
    }
    if (parsed.is === 'other') counts.notObject++;
    else counts.malformed++;
    assertBadRow(input, { from, to }, found);
    assert.equal(found.error === ROW_NOT_OBJECT, parsed.is === 'other', `row ${row - 1} has error ${found.error}`);
  }
  assert.equal(scanned.rows.length, row);
  assert.equal(scanned.consumed, input.length);
  const { malformed, notObject, blank } = scanned;
  assert.deepEqual({ malformed, notObject, blank }, counts);
}

function assertGoodRow(input: Uint8Array, line: Line, found: ScannedRow): void {
  assert.equal(found.error, 0, `a good row has error ${found.error} at ${found.errorAt - line.from}`);
  assert.equal(input[found.start], 0x7b);
  assert.equal(input[found.end - 1], 0x7d);
  assert.ok(isBlank(input.subarray(line.from, found.start)));
  assert.ok(isBlank(input.subarray(found.end, line.to)));
}

function assertBadRow(input: Uint8Array, line: Line, found: ScannedRow): void {
  assert.ok(found.error in rowErrors, `a bad row has error ${found.error}`);
  assert.equal(found.start, line.from);
  const end = input[line.to - 1] === 0x0d ? line.to - 1 : line.to;
  assert.equal(found.end, end);
  assert.ok(found.errorAt >= line.from && found.errorAt <= line.to, `error at ${found.errorAt}, row ends at ${line.to}`);
  assert.deepEqual(found.values, {});
}

function assertValues(value: Record<string, unknown>, found: ScannedRow, keys: readonly string[]): void {
  for (const key of keys) {
    const scanned = found.values[key];
    if (!Object.hasOwn(value, key)) {
      assert.equal(scanned, undefined, `${key} is absent`);
      continue;
    }
    assert.ok(scanned, `${key} was not found`);
    assert.deepEqual(JSON.parse(scanned.text), value[key], `${key} is ${scanned.text}`);
    assert.equal(scanned.text, scanned.text.trim());
    assert.equal(scanned.kind, kindOf(value[key], scanned), `kind of ${scanned.text}`);
  }
}

function kindOf(value: unknown, { text }: ScannedValue): number {
  if (typeof value === 'string') return ValueKind.string;
  if (typeof value === 'number') return /[.eE]/.test(text) ? ValueKind.float : ValueKind.integer;
  if (value === null) return ValueKind.null;
  if (typeof value === 'boolean') return value ? ValueKind.true : ValueKind.false;
  return Array.isArray(value) ? ValueKind.list : ValueKind.object;
}
