/** What source and sink both need to reach a cluster, in the words of Kafka and of Punch. */
import { asksForTls, checkClientTls, clientTls } from '../../net/client-tls.ts';
import { urlIssue } from '../../net/url-issue.ts';
import { choice, group, number, type Settings, secret, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

const saslFields = {
  mechanism: choice(
    MECHANISMS,
    '`PLAIN` sends the password as it is, so it wants TLS; the `SCRAM` ones only show that they know it; `OAUTHBEARER` shows a token.',
  ),
  username: text('The user name, but for `OAUTHBEARER`.', { optional: true }),
  password: secret('The password, but for `OAUTHBEARER`.', { optional: true }),
  token: secret('For `OAUTHBEARER`: the token. Or `token_url`, for tokens that end.', { optional: true }),
  token_url: text('For `OAUTHBEARER`: where tokens are given, by client credentials.', { optional: true }),
  client_id: text('With `token_url`: the name of the client.', { optional: true }),
  client_secret: secret('With `token_url`: its secret.', { optional: true }),
  scope: text('With `token_url`: what the token is to be good for, words with spaces between.', { optional: true }),
  audience: text('With `token_url`: the server that the token is for, where the token server wants to know it.', {
    optional: true,
  }),
};

export const connectionSettings = {
  'bootstrap.servers': text('Brokers to begin with, `host:port` with commas between; the others are learned from them.', {
    optional: true,
  }),
  'bootstrap.server': text("Punch's older word for `bootstrap.servers`.", { optional: true }),
  'security.protocol': choice(
    ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
    'Whether TLS is spoken (`SSL`, as Kafka calls it), and whether brokers are shown who connects (`SASL`).',
    { default: 'PLAINTEXT' },
  ),
  'client.id': text('The name that brokers log and limit it by.', { default: 'reef' }),
  auth: group(saslFields, 'What brokers are shown, with `SASL_PLAINTEXT` and `SASL_SSL`.', { optional: true }),
  tls: clientTls,
  connect_timeout_secs: number('A connection must be there within this time.', { default: 10, min: 0.05, unit: 'seconds' }),
  request_timeout_secs: number(
    'An answer of a broker must be there within this time, or the connection is given up and it is asked again.',
    {
      default: 30,
      min: 0.5,
      unit: 'seconds',
    },
  ),
};

export type ConnectionSettings = Settings<typeof connectionSettings>;
export type SaslSettings = Settings<typeof saslFields>;

/** `host:port` each. */
export function brokersOf(settings: ConnectionSettings): string[] {
  const text = settings['bootstrap.servers'] ?? settings['bootstrap.server'] ?? '';
  return text
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
}

/** What is wrong with the settings as a whole. */
export function checkConnection(settings: ConnectionSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const [newer, older] = [settings['bootstrap.servers'], settings['bootstrap.server']];
  const path = [newer === undefined && older !== undefined ? 'bootstrap.server' : 'bootstrap.servers'];
  if (newer === undefined && older === undefined) issues.push({ path, message: 'is missing, expected host:port' });
  else if (newer !== undefined && older !== undefined && newer !== older)
    issues.push({ path: ['bootstrap.server'], message: 'stands beside "bootstrap.servers", expected one of both' });
  else if (brokersOf(settings).length === 0) issues.push({ path, message: 'is empty, expected host:port' });
  for (const broker of brokersOf(settings)) {
    if (!/^(\[[0-9a-f:.]+\]|[^:/\s]+)(:\d{1,5})?$/i.test(broker))
      issues.push({ path, message: `has "${broker}", expected host:port` });
  }
  const protocol = settings['security.protocol'];
  const { auth } = settings;
  if (protocol.startsWith('SASL')) issues.push(...(auth ? checkSasl(auth, protocol) : [missingAuth(protocol)]));
  else if (auth)
    issues.push({ path: ['security.protocol'], message: `is ${protocol}, so "auth" is not used: expected SASL_SSL` });
  if (protocol.endsWith('SSL')) issues.push(...checkClientTls(settings.tls));
  else if (asksForTls(settings.tls))
    issues.push({ path: ['security.protocol'], message: `is ${protocol}, so "tls" is not used: expected SSL or SASL_SSL` });
  return issues;
}

function missingAuth(protocol: string): SettingIssue {
  return { path: ['auth'], message: `is missing, expected it with security.protocol ${protocol}` };
}

function checkSasl(auth: SaslSettings, protocol: string): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const { mechanism } = auth;
  const oauth = mechanism === 'OAUTHBEARER';
  const wanted: readonly (keyof SaslSettings)[] = !oauth
    ? ['username', 'password']
    : auth.token_url === undefined
      ? ['token']
      : ['token_url', 'client_id', 'client_secret'];
  for (const name of wanted) {
    if (auth[name] === undefined || auth[name] === '')
      issues.push({ path: ['auth', name], message: `is missing, expected it with mechanism ${mechanism}` });
  }
  const others = ['username', 'password', 'token', 'token_url', 'client_id', 'client_secret', 'scope', 'audience'] as const;
  for (const name of others) {
    const further = auth.token_url !== undefined && (name === 'scope' || name === 'audience');
    if (auth[name] !== undefined && !wanted.includes(name) && !(oauth && further))
      issues.push({ path: ['auth', name], message: `has no meaning with mechanism ${mechanism}, expected ${wanted.join(', ')}` });
  }
  const url = auth.token_url === undefined ? undefined : urlIssue(auth.token_url);
  if (oauth && url !== undefined) issues.push({ path: ['auth', 'token_url'], message: url });
  if (protocol === 'SASL_PLAINTEXT' && !mechanism.startsWith('SCRAM'))
    issues.push({
      path: ['security.protocol'],
      message: `is SASL_PLAINTEXT with ${mechanism}, so whoever stands in between can read ${oauth ? 'the token' : 'the password'}: expected SASL_SSL`,
      severity: 'warning',
    });
  return issues;
}
