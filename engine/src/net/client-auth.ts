/** How a node shows a server who it is: basic, bearer, API key, or a token that it gets from an OAuth2 server. */
import { choice, group, type Settings, secret, text } from '../spec/fields.ts';
import type { SettingIssue } from '../spec/node.ts';
import { headerIssue, urlIssue } from './url-issue.ts';

const fields = {
  type: choice(
    ['basic', 'bearer', 'api_key', 'oauth2'],
    '`basic`: user name and password; `bearer`: a token in the header `Authorization`; `api_key`: a key in a header of its own; `oauth2`: a token from a server, by client credentials.',
  ),
  username: text('For `basic`: the user name.', { optional: true }),
  password: secret('For `basic`: the password.', { optional: true }),
  token: secret('For `bearer`: the token.', { optional: true }),
  key: secret('For `api_key`: the key.', { optional: true }),
  header: text('For `api_key`: the header that the key goes in.', { default: 'X-API-Key' }),
  token_url: text('For `oauth2`: where tokens are given. TLS towards it is that of `tls`.', { optional: true }),
  client_id: text('For `oauth2`: the name of the client.', { optional: true }),
  client_secret: secret('For `oauth2`: its secret.', { optional: true }),
  scope: text('For `oauth2`: what the token is to be good for, words with spaces between.', { optional: true }),
  audience: text('For `oauth2`: the server that the token is for, where the token server wants to know it.', { optional: true }),
};

/** The setting `auth` of a node that connects. */
export const clientAuth = group(fields, 'What the server is shown. Without it nothing is.', { optional: true });

export type ClientAuth = Settings<typeof fields>;

const needed = {
  basic: ['username', 'password'],
  bearer: ['token'],
  api_key: ['key'],
  oauth2: ['token_url', 'client_id', 'client_secret'],
} as const;
const particular = [
  'username',
  'password',
  'token',
  'key',
  'token_url',
  'client_id',
  'client_secret',
  'scope',
  'audience',
] as const;

/** What is wrong with the setting as a whole. */
export function checkClientAuth(auth: ClientAuth | undefined): SettingIssue[] {
  if (auth === undefined) return [];
  const wanted: readonly string[] = needed[auth.type];
  const allowed = auth.type === 'oauth2' ? [...wanted, 'scope', 'audience'] : wanted;
  const issues: SettingIssue[] = [];
  for (const name of particular) {
    const path = ['auth', name];
    const given = auth[name];
    if (wanted.includes(name)) {
      if (given === undefined) issues.push({ path, message: `is missing, expected it with type "${auth.type}"` });
      else if (given === '') issues.push({ path, message: 'is empty' });
    } else if (given !== undefined && !allowed.includes(name)) {
      issues.push({ path, message: `has no meaning with type "${auth.type}", expected ${allowed.join(', ')}` });
    }
  }
  const url = auth.token_url === undefined ? undefined : urlIssue(auth.token_url);
  if (auth.type === 'oauth2' && url !== undefined) issues.push({ path: ['auth', 'token_url'], message: url });
  const header = headerIssue(auth.header, auth.key ?? auth.token ?? '');
  if (header !== undefined && auth.type !== 'basic') issues.push({ path: ['auth'], message: `cannot be sent: it ${header}` });
  return issues;
}

export interface Credentials {
  /** The header to send now. Rejects with a `ReefError` that may be retried where none can be had. */
  header(signal: AbortSignal): Promise<readonly [string, string]>;
  /** The server does not take the header: true when another one may be had, which the next call then gets. */
  refused(header: readonly [string, string]): boolean;
  close?(): void;
}

/** Those that never change; `undefined` for `oauth2`. */
export function fixedCredentials(auth: ClientAuth): Credentials | undefined {
  const header = fixedHeader(auth);
  return header && { header: async () => header, refused: () => false };
}

function fixedHeader({ type, username, password, token, key, header }: ClientAuth): readonly [string, string] | undefined {
  switch (type) {
    case 'basic':
      return ['Authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`];
    case 'bearer':
      return ['Authorization', `Bearer ${token}`];
    case 'api_key':
      return [header, key!];
    case 'oauth2':
      return undefined;
  }
}
