import { choice, flag, integer, json, map, number, type Settings, text } from '../../../spec/fields.ts';
import type { SettingIssue } from '../../../spec/node.ts';
import type { Json } from '../../../spec/plan.ts';
import { checkConnection, connectionSettings } from '../connection-settings.ts';
import { compressions } from '../record-batch.ts';

export const settings = {
  ...connectionSettings,
  topic: text('Where rows go.', { optional: true }),
  topic_column: text('The column that names the topic of each row; rows without one go to `topic`.', { optional: true }),
  key_column: text(
    "The column with the key of each row: rows of one key go to one partition, the same one that Java's clients choose. Rows without one go to any.",
    { optional: true },
  ),
  partition_column: text('The column with the number of the partition of each row, in place of the key.', { optional: true }),
  headers_column: text('The column with the headers of each row, a JSON object of texts (`_ppf_headers` is one).', {
    optional: true,
  }),
  headers: map(text('Value of the header.'), 'Headers of every row.', { default: {} }),
  'producer.acks': json(
    '`all`: rows count as delivered when all replicas in sync have them; `1`: when the leader has them; `0`: when they are sent, so they may be lost.',
    { default: 'all' },
  ),
  'producer.enable.idempotence': flag(
    'With acks `all`: what is sent again is numbered, so that brokers keep it once and in order.',
    { default: true },
  ),
  'producer.batch.size': integer('Most bytes of rows that are sent together; a single row may be larger.', {
    default: 900_000,
    min: 1,
    max: 64 * 1024 * 1024,
    unit: 'bytes',
  }),
  'producer.batch.rows': integer('Most rows that are sent together.', { default: 20_000, min: 1, max: 1_000_000, unit: 'rows' }),
  'producer.linger.ms': integer('Rows wait so long for others to be sent with.', {
    default: 5,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
  }),
  'producer.compression.type': choice(compressions, 'How batches are compressed.', { default: 'none' }),
  concurrency: integer('How many bulks are on their way at once. In order, each takes partitions of its own.', {
    default: 4,
    min: 1,
    max: 64,
  }),
  ordered: flag(
    'True: the rows of a partition of the source arrive in the order in which they were read, where they go to one partition. False: they may overtake each other.',
    { default: true },
  ),
  unknown_topic: choice(
    ['wait', 'refuse', 'create'],
    'What happens when there is no such topic: wait for it; send its rows to the error table; ask the broker to make it (which it does where `auto.create.topics.enable` says so).',
    { default: 'wait' },
  ),
  delivery_timeout_secs: number(
    'A batch whose answer is not known is sent again under its own numbers for so long, so that it stands in the topic once. After that its rows are sent as new ones, and may come twice.',
    { default: 120, min: 0, unit: 'seconds' },
  ),
};

export type KafkaSinkSettings = Settings<typeof settings>;

/** -1 means all; `undefined`: it is none of them. */
export function acksOf(value: Json): -1 | 0 | 1 | undefined {
  const text = String(value);
  if (text === 'all' || text === '-1') return -1;
  return text === '0' ? 0 : text === '1' ? 1 : undefined;
}

export function checkSettings(given: KafkaSinkSettings): SettingIssue[] {
  const issues = checkConnection(given);
  const acks = acksOf(given['producer.acks']);
  if (acks === undefined) issues.push({ path: ['producer.acks'], message: 'is none of its values, expected all, 1 or 0' });
  if (acks === 0)
    issues.push({
      path: ['producer.acks'],
      message: 'is 0, so rows count as delivered before a broker has them and may be lost: expected "all"',
      severity: 'warning',
    });
  if (given.topic === undefined && given.topic_column === undefined)
    issues.push({ path: ['topic'], message: 'is missing, expected the name of a topic' });
  if (given.topic !== undefined && !/^[\w.-]{1,249}$/.test(given.topic))
    issues.push({ path: ['topic'], message: `is "${given.topic}", expected letters, digits, ".", "_" and "-"` });
  if (given.key_column !== undefined && given.key_column === given.partition_column)
    issues.push({ path: ['partition_column'], message: 'is the same as "key_column", expected one of both' });
  return issues;
}
