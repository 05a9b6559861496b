/** A column of times, read by some formats and written in another. */
import { columnArguments, TextOf, type TokenBatch, takeTexts, withFunctionKernel } from '../batch/function-kernel.ts';
import { KIND_RAW } from '../batch/kernel-exports.ts';
import { kindOf, type Tokens, takeTokens, tokenText } from '../batch/tokens.ts';
import { missingText } from './row-problems.ts';
import { copyToken } from './row-tokens.ts';
import type { TimeProgram } from './time-format.ts';
import type { Zone } from './time-zone.ts';

export interface TimeConversion {
  readonly column: string;
  readonly target: string;
  /** Programs of the formats, one behind the other, a 0 behind the last. */
  readonly programs: Uint8Array;
  readonly formats: readonly string[];
  readonly to: TimeProgram;
  readonly toName: string;
  readonly zone: Zone;
}

export interface ConvertedTimes {
  /** Rows that are refused have none; those whose time is absent or null keep that. */
  readonly tokens: Tokens;
  readonly refused: readonly { readonly row: number; readonly reason: string }[];
}

const State = { none: 0, local: 2, outOfRange: 3 } as const;
/** Longest part of a value that a reason shows. */
const SHOWN_CHARACTERS = 60;

export function convertTimes(view: TokenBatch, from: Tokens, conversion: TimeConversion): ConvertedTimes {
  const { arena, size, rows, rowsPointer } = view;
  const texts = takeTexts(view, from, TextOf.values);
  const programs = arena.copyOf(conversion.programs);
  const to = arena.copyOf(conversion.to.bytes);
  const seconds = arena.take(size * 8);
  const nanos = arena.take(size * 4);
  const states = arena.take(size);
  const tokens = takeTokens(arena, size);
  const column = columnArguments(view, texts);
  const { zone } = conversion;
  const unread = withFunctionKernel(view, (kernel) =>
    kernel.readTimes(...column, programs, view.timestamp / 1000, zone.fixed ?? 0, seconds, nanos, states),
  );
  if (zone.fixed === undefined) moveToUtc(view, zone, seconds, states);
  const out = arena.takeText(rows.length * conversion.to.room);
  const { starts, ends, kinds } = tokens;
  const unwritten = withFunctionKernel(view, (kernel) =>
    kernel.writeTimes(rowsPointer, rows.length, seconds, nanos, states, to, starts, ends, kinds, out),
  );
  if (unread + unwritten === 0) return { tokens, refused: [] };
  return { tokens, refused: refusals(view, { texts, from, tokens, states }, conversion) };
}

/** Times of which the text says no offset: the offset depends on the time. */
function moveToUtc({ arena, size, rows }: TokenBatch, zone: Zone, seconds: number, states: number): void {
  const times = arena.f64(seconds, size);
  for (const row of rows) if (arena.bytes[states + row] === State.local) times[row]! -= zone.offsetAt(times[row]!);
}

interface Columns {
  readonly texts: Tokens;
  readonly from: Tokens;
  readonly tokens: Tokens;
  readonly states: number;
}

function refusals(
  view: TokenBatch,
  { texts, from, tokens, states }: Columns,
  { column, formats, toName }: TimeConversion,
): ConvertedTimes['refused'] {
  const { arena, rows } = view;
  const refused: { row: number; reason: string }[] = [];
  for (const row of rows) {
    const state = arena.bytes[states + row];
    if (state !== State.none && state !== State.outOfRange) continue;
    const kind = kindOf(arena, texts, row);
    // Absent and null stay so.
    if (kind === 0 || kind === 6) {
      copyToken(view, from, tokens, row);
      continue;
    }
    const text = kind === KIND_RAW ? tokenText(arena, texts, row) : '';
    const shown = JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
    const reason =
      kind !== KIND_RAW
        ? missingText(kind, column, 'a time')
        : state === State.outOfRange
          ? `column ${JSON.stringify(column)} is ${shown}, which ${toName} cannot hold`
          : `column ${JSON.stringify(column)} is ${shown}, expected a time as ${formats.join(' or ')}`;
    refused.push({ row, reason });
  }
  return refused;
}
