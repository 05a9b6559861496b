/** Settings that every sink of bulks has, with the same words: how much goes into a bulk, and how many are on their way. */

import type { BulkLimits } from './bulk-sink.ts';
import { type Field, flag, group, integer, type Settings } from './fields.ts';
import type { SettingIssue } from './node.ts';

const batchFields = (rows: number, bytes: number, timeoutMs: number) => ({
  rows: integer('Most rows that are sent together.', { default: rows, min: 1, max: 1_000_000, unit: 'rows' }),
  bytes: integer('Most bytes that are sent together; a single row may be larger.', {
    default: bytes,
    min: 1,
    max: 256 * 1024 * 1024,
    unit: 'bytes',
  }),
  timeout_ms: integer('Rows wait so long for others to be sent with. 0: not at all, only for earlier ones to be through.', {
    default: timeoutMs,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
  }),
});

type Batch = Settings<ReturnType<typeof batchFields>>;

/** The settings `batch`, `concurrency` and `ordered`, with a sink's own defaults. */
export function bulkSettings({ rows, bytes, timeoutMs, concurrency }: Omit<BulkLimits, 'ordered'>): {
  readonly batch: Field<Batch>;
  readonly concurrency: Field<number>;
  readonly ordered: Field<boolean>;
} {
  return {
    batch: group(batchFields(rows, bytes, timeoutMs), 'How many rows are sent together.', {
      default: { rows, bytes, timeout_ms: timeoutMs },
    }),
    concurrency: integer('How many are on their way at once. In order, each takes partitions of its own.', {
      default: concurrency,
      min: 1,
      max: 256,
    }),
    ordered: flag(
      'True: the rows of a partition (a file, say) arrive in the order in which they were read, so one after the other. False: they may overtake each other, and one partition uses all of `concurrency`.',
      { default: true },
    ),
  };
}

/** The words that Punch has for `batch.rows` and `batch.timeout_ms`. */
export const punchBulkSettings = {
  bulk_size: integer("Punch's word for `batch.rows`.", { optional: true, min: 1, max: 1_000_000, unit: 'rows' }),
  bulk_interval: integer("Punch's word for `batch.timeout_ms`.", { optional: true, min: 0, max: 3_600_000, unit: 'ms' }),
};

export interface BulkSettings {
  readonly batch: Batch;
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly bulk_size?: number | undefined;
  readonly bulk_interval?: number | undefined;
}

/** The limits that the settings ask for. */
export function bulkLimits({ batch, concurrency, ordered, bulk_size, bulk_interval }: BulkSettings): BulkLimits {
  return {
    rows: bulk_size ?? batch.rows,
    bytes: batch.bytes,
    timeoutMs: bulk_interval ?? batch.timeout_ms,
    concurrency,
    ordered,
  };
}

/** Both words for one thing, with different values. `defaults`: what `batch` is when nobody has set it. */
export function checkBulkSettings({ batch, bulk_size, bulk_interval }: BulkSettings, defaults: Batch): SettingIssue[] {
  const issues: SettingIssue[] = [];
  if (bulk_size !== undefined && batch.rows !== defaults.rows && batch.rows !== bulk_size)
    issues.push({ path: ['bulk_size'], message: 'stands beside "batch.rows", expected one of both' });
  if (bulk_interval !== undefined && batch.timeout_ms !== defaults.timeout_ms && batch.timeout_ms !== bulk_interval)
    issues.push({ path: ['bulk_interval'], message: 'stands beside "batch.timeout_ms", expected one of both' });
  return issues;
}
