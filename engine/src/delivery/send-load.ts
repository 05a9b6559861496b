/**
 * Sends one load until each of its rows is either taken or refused for good: what may pass is sent again after a pause, of what was
 * taken in part only the rest, and what was refused as a whole for what a part may not suffer from is halved.
 */
import { ReefError } from '../errors.ts';
import type { BulkSink, RefusedRow } from '../spec/bulk-sink.ts';
import type { RetryPolicy } from '../spec/plan.ts';
import { backoff } from './backoff.ts';
import { type Load, pick } from './load.ts';
import type { Troubles } from './troubles.ts';

export interface SendOptions {
  readonly sink: BulkSink;
  readonly retry: RetryPolicy;
  readonly troubles: Troubles;
  readonly signal: AbortSignal;
  /** Rows, by their number in the load, that are refused for good. */
  refuse(rows: readonly RefusedRow[]): void;
}

/** Rows that are sent together, and how often they were. */
interface Group {
  readonly rows: Uint32Array;
  readonly tries: number;
}

/** Rejects when the sink cannot go on, and with the signal's reason when that aborts. */
export async function sendLoad(load: Load, options: SendOptions): Promise<void> {
  const groups: Group[] = [{ rows: rowNumbers(load.rows), tries: 0 }];
  for (let group = groups.pop(); group; group = groups.pop()) groups.push(...(await sendGroup(load, group, options)).reverse());
}

/** What of the group is to be sent again, in order. */
async function sendGroup(load: Load, { rows, tries }: Group, options: SendOptions): Promise<Group[]> {
  const { sink, troubles, signal } = options;
  signal.throwIfAborted();
  const refuse = (refused: readonly RefusedRow[]): void => {
    if (refused.length > 0) options.refuse(refused.map(({ row, reason }) => ({ row: rows[row]!, reason })));
  };
  const everyRow = (reason: string): RefusedRow[] => Array.from(rows, (_, row) => ({ row, reason }));
  const again = async (left: Uint32Array, reason: string, askedMs: number | undefined): Promise<Group[]> => {
    const { retry } = options;
    if (retry.maxAttempts !== undefined && tries + 1 >= retry.maxAttempts) {
      const given = `${reason} (given up after ${tries + 1} ${tries === 0 ? 'try' : 'tries'}, as retry.max_attempts says)`;
      options.refuse(Array.from(left, (row) => ({ row, reason: given })));
      return [];
    }
    troubles.failed(reason);
    await backoff(tries, signal, { policy: retry, askedMs });
    return [{ rows: left, tries: tries + 1 }];
  };

  try {
    const undelivered = await sink.send(pick(load, rows), signal);
    if (undelivered?.again === undefined) troubles.worked();
    if (undelivered === undefined) return [];
    const { refused = [], refusedAll, split, again: left = [], againReason, retryAfterMs } = undelivered;
    if (refusedAll !== undefined) refuse(everyRow(refusedAll));
    else if (split !== undefined && rows.length === 1) refuse(everyRow(split));
    else if (split !== undefined) return halves(rows);
    else refuse(refused);
    if (left.length === 0) return [];
    const reason = againReason ?? 'rows were not taken';
    return await again(
      Uint32Array.from(left, (row) => rows[row]!),
      reason,
      retryAfterMs,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ReefError) || !error.retry) throw error;
    return again(rows, error.message, error.retryAfterMs);
  }
}

/** Nearly every load has as many rows as the one before. */
let numbers = new Uint32Array();

/** 0 to `count` - 1; not to be written to. */
function rowNumbers(count: number): Uint32Array {
  if (numbers.length < count) numbers = Uint32Array.from({ length: count }, (_, row) => row);
  return numbers.subarray(0, count);
}

function halves(rows: Uint32Array): Group[] {
  const middle = rows.length >> 1;
  return [
    { rows: rows.subarray(0, middle), tries: 0 },
    { rows: rows.subarray(middle), tries: 0 },
  ];
}
