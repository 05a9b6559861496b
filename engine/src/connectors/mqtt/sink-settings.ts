import { bulkSettings, checkBulkSettings } from '../../spec/bulk-settings.ts';
import { flag, integer, list, number, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { checkConnection, connectionSettings } from './settings.ts';
import { templateIssue } from './topic-template.ts';

export const DEFAULT_BATCH = { rows: 1000, bytes: 1024 * 1024, timeout_ms: 5 };

export const settings = {
  ...connectionSettings,
  topic: text(
    'Where rows go. `{NAME}` stands for what the column NAME of the row holds; a row whose value would add a wildcard, an empty level or a `$` at the beginning goes to the error table.',
  ),
  qos: integer(
    'The quality of service. 1: the server acknowledges each message. 2: it takes none twice over a lost connection (MQTT 5). 0: it says nothing, and rows count as delivered when the system has taken them: what is then lost on the way is lost.',
    { default: 1, min: 0, max: 2 },
  ),
  retain: flag('The server keeps the last message of each topic for those who subscribe later.', { default: false }),
  user_properties: list(
    text('A column.'),
    'MQTT 5: columns that go as user properties of their name, where they are not empty.',
    {
      default: [],
    },
  ),
  content_type: text('MQTT 5: what the messages are said to be: `application/json`, say.', { optional: true }),
  message_expiry_secs: integer('MQTT 5: the server throws away what nobody has fetched within this time.', {
    optional: true,
    min: 1,
    max: 4_294_967_295,
    unit: 'seconds',
  }),
  max_in_flight: integer('Most messages that are unacknowledged. A server may allow fewer.', {
    default: 5000,
    min: 1,
    max: 60_000,
    unit: 'messages',
  }),
  response_timeout_secs: number('When nothing is acknowledged within this time, the connection is made anew.', {
    default: 60,
    min: 0.05,
    unit: 'seconds',
  }),
  ...bulkSettings({ rows: DEFAULT_BATCH.rows, bytes: DEFAULT_BATCH.bytes, timeoutMs: DEFAULT_BATCH.timeout_ms, concurrency: 4 }),
};

export type MqttSinkSettings = Settings<typeof settings>;

export function checkSettings(given: MqttSinkSettings): SettingIssue[] {
  const issues = [...checkConnection(given), ...checkBulkSettings(given, DEFAULT_BATCH)];
  const topic = templateIssue(given.topic);
  if (topic !== undefined) issues.push({ path: ['topic'], message: topic });
  if (given.protocol_version !== 4) return issues;
  if (given.user_properties.length > 0) issues.push({ path: ['user_properties'], message: 'needs MQTT 5' });
  for (const setting of ['content_type', 'message_expiry_secs'] as const)
    if (given[setting] !== undefined) issues.push({ path: [setting], message: 'needs MQTT 5' });
  return issues;
}
