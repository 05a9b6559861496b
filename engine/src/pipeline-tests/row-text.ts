/** Rows as JSON text and back, with integers beyond 2^53 as they are. */
import type { Row, Value } from './case.ts';

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

export function rowText(row: Value): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? rawJSON(String(value)) : value));
}

export function parseRow(text: string): Row {
  const revive = (_: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const integer = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '');
    return integer ? BigInt(context!.source!) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as Row;
}

/** The same text for values that are equal: keys in order, `1.0` as `1`. */
export function canonical(value: Value): string {
  return rowText(sorted(value));
}

function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Row).map(([key, inner]): [string, Value] => [key, sorted(inner)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
