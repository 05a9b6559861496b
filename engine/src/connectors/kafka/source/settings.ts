import { rawRowIssues } from '../../../spec/encoding.ts';
import { choice, flag, integer, json, number, type Settings, text } from '../../../spec/fields.ts';
import type { SettingIssue } from '../../../spec/node.ts';
import type { Codec, Json } from '../../../spec/plan.ts';
import { checkConnection, connectionSettings } from '../connection-settings.ts';

export const settings = {
  ...connectionSettings,
  topics: json('The topics to read: a list, or text with commas between.'),
  'group.id': text(
    'The consumer group: its members share the partitions, and its offsets say in Kafka what is delivered. Default: `reef-` and the id of the node.',
    { optional: true },
  ),
  start_offset_strategy: choice(
    ['last_committed', 'earliest', 'latest'],
    'Where partitions begin of which the group has committed no offset: `latest` at their end, the others at their beginning. Where it has, it goes on there, whatever stands here: a restart skips nothing.',
    { default: 'last_committed' },
  ),
  offset_out_of_range: choice(
    ['earliest', 'latest', 'fail'],
    'What happens when the offset to go on at is not there any more (the broker has deleted it, the topic is a new one): go on at the oldest or newest row, or end with an error.',
    { default: 'earliest' },
  ),
  'value.format': choice(['json'], "Punch's older word for `encoding.codec`.", { optional: true }),
  rows: choice(['one', 'lines'], '`one`: a record is one row, newlines in it or not; `lines`: each of its lines is one.', {
    default: 'one',
  }),
  tombstones: choice(
    ['skip', 'row'],
    'What becomes of records without a value, which in compacted topics delete a key: nothing, or a row without columns of its own (`_ppf_key` stands beside it).',
    { default: 'skip' },
  ),
  isolation_level: choice(
    ['read_committed', 'read_uncommitted'],
    '`read_committed`: rows of transactions come when those are committed, and never when they are aborted.',
    { default: 'read_committed' },
  ),
  stop_at_end: flag('Ends when it has read what was there when it got its partitions. For a BatchPunchline.', { default: false }),
  session_timeout_secs: number('A member that brokers do not hear of for so long has left, and others get its partitions.', {
    default: 45,
    min: 1,
    max: 1800,
    unit: 'seconds',
  }),
  release_timeout_secs: number(
    'When the group shares out partitions anew, what was read of them may still be delivered for so long before they are given up. What is not is delivered all the same, and read again by who gets them.',
    { default: 10, min: 0, max: 300, unit: 'seconds' },
  ),
  fetch_bytes: integer('Most bytes of a partition in one answer of a broker; a single batch may be larger.', {
    default: 1024 * 1024,
    min: 1,
    max: 256 * 1024 * 1024,
    unit: 'bytes',
  }),
  fetch_wait_ms: integer('A broker that has nothing new waits so long before it says so.', {
    default: 500,
    min: 1,
    max: 20_000,
    unit: 'ms',
  }),
  metadata_refresh_secs: number('How often it looks for new partitions, and for topics that were not there.', {
    default: 30,
    min: 0.1,
    unit: 'seconds',
  }),
};

export type KafkaSourceSettings = Settings<typeof settings>;

/** Names without repeats; `undefined`: it is neither a list of names nor text. */
export function topicsOf(topics: Json): string[] | undefined {
  const names = typeof topics === 'string' ? topics.split(',').map((name) => name.trim()) : topics;
  if (!Array.isArray(names)) return undefined;
  const kept = names.filter((name) => name !== '');
  return kept.length > 0 && kept.every((name) => typeof name === 'string') ? [...new Set(kept as string[])] : undefined;
}

export function checkSettings(given: KafkaSourceSettings, codec?: Codec): SettingIssue[] {
  const issues = [...checkConnection(given), ...rawRowIssues(given, codec)];
  const topics = topicsOf(given.topics);
  if (!topics) issues.push({ path: ['topics'], message: 'is no list of topics, expected [logs, alerts] or "logs, alerts"' });
  for (const topic of topics ?? []) {
    if (!/^[\w.-]{1,249}$/.test(topic))
      issues.push({ path: ['topics'], message: `has "${topic}", expected letters, digits, ".", "_" and "-"` });
  }
  return issues;
}
