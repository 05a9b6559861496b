import { rawRowIssues } from '../../spec/encoding.ts';
import { choice, flag, integer, list, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import type { Codec } from '../../spec/plan.ts';
import { checkConnection, connectionSettings } from './settings.ts';
import { filterIssue } from './topic-filter.ts';

export const settings = {
  ...connectionSettings,
  topics: list(
    text('A topic filter.'),
    'What is subscribed to: filters with `+` and `#`; a level `{NAME}` is `+`, a last level `{NAME#}` is `#`, and what stands there is the column NAME of each row; `$share/GROUP/FILTER` shares the messages with the other members of the group; what the server had given to a member that is gone waits for that one to come back, under its `client_id`.',
    { min: 1 },
  ),
  qos: integer(
    'The highest quality of service that messages come with. 0: they are not acknowledged, and what is on its way at a stop or a kill is gone. 1 and 2: they are acknowledged when they are delivered; 2 saves repetitions when the connection is lost, not over a kill.',
    { default: 1, min: 0, max: 2 },
  ),
  rows: choice(['one', 'lines'], '`one`: a message is one row, newlines in it or not; `lines`: each of its lines is one.', {
    default: 'one',
  }),
  clean_session: flag(
    'False: the server keeps the session, so what is published while Reef is away comes later. True: it forgets all at each start.',
    { default: false },
  ),
  session_expiry_secs: integer('MQTT 5: how long the server keeps the session while Reef is away. 4294967295: for ever.', {
    default: 604_800,
    min: 0,
    max: 4_294_967_295,
    unit: 'seconds',
  }),
  max_in_flight: integer(
    'Most messages that wait for being delivered. The server is told (MQTT 5), or no more are read (3.1.1).',
    { default: 2000, min: 1, max: 65_535, unit: 'messages' },
  ),
  max_packet_bytes: integer(
    'Longest message that is taken, with its topic. MQTT 5: the server sends none that is longer, and does not say so; 3.1.1: the connection is given up.',
    { default: 16_842_752, min: 1024, max: 268_435_460, unit: 'bytes' },
  ),
  retained: choice(
    ['send', 'new', 'ignore'],
    'Messages that the server keeps for those who subscribe later. `send`: they come at each subscription; `new` (MQTT 5): only where there was no session; `ignore`: never.',
    { default: 'send' },
  ),
  retain_as_published: flag(
    'MQTT 5: `_ppf_mqtt_retain` is what the sender said. False: true only for messages that the server had kept.',
    { default: false },
  ),
  no_local: flag('MQTT 5: messages that this same client has published do not come.', { default: false }),
};

export type MqttSourceSettings = Settings<typeof settings>;

export function checkSettings(given: MqttSourceSettings, codec?: Codec): SettingIssue[] {
  const issues = [...checkConnection(given), ...rawRowIssues(given, codec)];
  given.topics.forEach((topic, at) => {
    const message = filterIssue(topic);
    if (message !== undefined) issues.push({ path: ['topics', at], message });
    else if (given.no_local && topic.startsWith('$share/'))
      issues.push({ path: ['no_local'], message: `cannot be with the shared subscription "${topic}"` });
  });
  if (given.protocol_version !== 4) return issues;
  if (given.no_local) issues.push({ path: ['no_local'], message: 'needs MQTT 5' });
  if (given.retain_as_published) issues.push({ path: ['retain_as_published'], message: 'needs MQTT 5' });
  if (given.retained === 'new')
    issues.push({ path: ['retained'], message: 'is "new", which needs MQTT 5, expected "send" or "ignore"' });
  return issues;
}
