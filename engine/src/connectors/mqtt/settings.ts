/** Settings that source and sink share. */
import { asksForTls, checkClientTls, clientTls } from '../../net/client-tls.ts';
import { flag, group, integer, number, type Settings, secret, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { templateIssue } from './topic-template.ts';

const will = {
  topic: text('Where the server sends it.'),
  payload: text('What it sends.', { default: '' }),
  qos: integer('With which quality of service.', { default: 0, min: 0, max: 2 }),
  retain: flag('Whether the server keeps it for those who subscribe later.', { default: false }),
};

const auth = {
  username: text('The user name.'),
  password: secret('The password.', { optional: true }),
};

export const connectionSettings = {
  url: text(
    'The server: `mqtt://host:1883`, `mqtts://host:8883` (TLS), `ws://host:80/mqtt` or `wss://host:443/mqtt` (WebSocket). Without a port it is the one of these.',
  ),
  protocol_version: integer('The version of MQTT that is spoken: 5, or 4, which stands for 3.1.1 on the wire.', {
    default: 5,
    min: 4,
    max: 5,
  }),
  client_id: text(
    'The name by which the server knows this client and its session. Without it `reef-PUNCHLINE-NODE`, which is the same at each start; where the same punchline runs twice with one server, each must have its own.',
    { optional: true },
  ),
  auth: group(auth, 'What the server is shown. Without it, and without a client certificate, nothing is.', { optional: true }),
  keep_alive_secs: integer(
    'When nothing else was sent for half of this time, the server is asked for a sign of life; when none comes in the other half, the connection is given up.',
    { default: 30, min: 1, max: 65_535, unit: 'seconds' },
  ),
  connect_timeout_secs: number('The server must have taken the connection within this time.', {
    default: 10,
    min: 0.05,
    unit: 'seconds',
  }),
  will: group(will, 'A message that the server sends when this client is gone without a word.', { optional: true }),
  tls: clientTls,
};

export type ConnectionSettings = Settings<typeof connectionSettings>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** For WebSocket: the whole URL. */
  readonly webSocket: string | undefined;
}

export function addressOf(url: string): ServerAddress {
  const { protocol, hostname, port, href } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORTS[protocol]! : Number(port),
    secure: protocol === 'mqtts:' || protocol === 'wss:',
    webSocket: protocol.startsWith('ws') ? href : undefined,
  };
}

export function checkConnection(given: ConnectionSettings): SettingIssue[] {
  const issues: SettingIssue[] = [...checkClientTls(given.tls)];
  const url = mqttUrlIssue(given.url);
  if (url !== undefined) issues.push({ path: ['url'], message: url });
  else {
    const { secure, host } = addressOf(given.url);
    const local = host === 'localhost' || host === '::1' || host.startsWith('127.');
    if (!secure && asksForTls(given.tls))
      issues.push({ path: ['tls'], message: 'is not used, expected mqtts:// or wss:// in "url"' });
    if (!secure && given.auth?.password !== undefined && !local)
      issues.push({
        path: ['auth', 'password'],
        message: 'goes readable over the network, expected mqtts:// or wss:// in "url"',
        severity: 'warning',
      });
  }
  if (given.client_id === '') issues.push({ path: ['client_id'], message: 'is empty, expected a name, or no setting at all' });
  const topic =
    given.will && (given.will.topic.includes('{') ? 'is for no row, so it has no columns' : templateIssue(given.will.topic));
  if (topic !== undefined) issues.push({ path: ['will', 'topic'], message: topic });
  return issues;
}

function mqttUrlIssue(given: string): string | undefined {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return `is "${given}", expected a URL such as mqtt://host:1883`;
  }
  if (DEFAULT_PORTS[url.protocol] === undefined) return `is "${given}", expected mqtt://, mqtts://, ws:// or wss://`;
  if (url.hostname === '') return `is "${given}", expected the name of a host`;
  if (url.username !== '' || url.password !== '') return 'holds a user name or password, expected them in "auth"';
  if (!url.protocol.startsWith('ws') && (url.search !== '' || !['', '/'].includes(url.pathname)))
    return `is "${given}", expected nothing behind the port: topics are in settings of their own`;
  if (url.hash !== '') return `is "${given}": what follows "#" is never sent, expected a URL without it`;
  return undefined;
}
