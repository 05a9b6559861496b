/**
 * Who may send to a source that listens by HTTP: basic, bearer or API key. Compared by digest in constant time, so that how long a
 * refusal takes tells nothing about how near a guess was.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { choice, group, list, type Settings, secret, text } from '../spec/fields.ts';
import type { SettingIssue } from '../spec/node.ts';

const fields = {
  type: choice(
    ['basic', 'bearer', 'api_key'],
    '`basic`: user name and password; `bearer`: one of `tokens`, in the header `Authorization`; `api_key`: one of `keys`, in a header of its own.',
  ),
  username: text('For `basic`: the user name.', { optional: true }),
  password: secret('For `basic`: the password.', { optional: true }),
  tokens: list(secret('A token.'), 'For `bearer`: the tokens that are taken; two of them let clients change over.', {
    optional: true,
  }),
  keys: list(secret('A key.'), 'For `api_key`: the keys that are taken; two of them let clients change over.', {
    optional: true,
  }),
  header: text('For `api_key`: the header that the key comes in.', { default: 'X-API-Key', pattern: /^[A-Za-z0-9-]+$/ }),
};

/** The setting `auth` of a source that listens by HTTP. */
export const listenerAuth = group(fields, 'What clients must show. Without it anyone who reaches the port may send.', {
  optional: true,
});

export type ListenerAuth = Settings<typeof fields>;

const needed = { basic: ['username', 'password'], bearer: ['tokens'], api_key: ['keys'] } as const;
const particular = ['username', 'password', 'tokens', 'keys'] as const;

/** What is wrong with the setting as a whole. */
export function checkListenerAuth(auth: ListenerAuth | undefined): SettingIssue[] {
  if (auth === undefined) return [];
  const wanted: readonly string[] = needed[auth.type];
  const issues: SettingIssue[] = [];
  for (const name of particular) {
    const given = auth[name];
    const path = ['auth', name];
    if (wanted.includes(name)) {
      if (given === undefined) issues.push({ path, message: `is missing, expected it with type "${auth.type}"` });
      else if (given.length === 0) issues.push({ path, message: 'is empty, expected at least one' });
      else if (typeof given !== 'string' && given.includes('')) issues.push({ path, message: 'holds an empty one' });
    } else if (given !== undefined) {
      issues.push({ path, message: `has no meaning with type "${auth.type}", expected ${wanted.join(' and ')}` });
    }
  }
  return issues;
}

export interface Gatekeeper {
  /** Whether the request shows what is asked for. */
  admits(headers: IncomingHttpHeaders): boolean;
  /** Value of `WWW-Authenticate` for those that do not. */
  readonly challenge: string;
}

export function openGate(auth: ListenerAuth): Gatekeeper {
  const { hash, timingSafeEqual } = process.getBuiltinModule('node:crypto');
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const accepted = acceptedTexts(auth).map(digest);
  const header = auth.type === 'api_key' ? auth.header.toLowerCase() : 'authorization';
  const scheme = auth.type === 'api_key' ? undefined : `${auth.type} `;
  return {
    admits(headers) {
      const value = headers[header];
      if (typeof value !== 'string') return false;
      const shown = scheme === undefined ? value : credentials(value, scheme);
      if (shown === undefined) return false;
      const found = digest(shown);
      // All are compared, so that which one it is does not show either.
      let admitted = false;
      for (const one of accepted) admitted = timingSafeEqual(found, one) || admitted;
      return admitted;
    },
    challenge: { basic: 'Basic realm="reef", charset="UTF-8"', bearer: 'Bearer realm="reef"', api_key: 'ApiKey' }[auth.type],
  };
}

function acceptedTexts({ type, username, password, tokens, keys }: ListenerAuth): readonly string[] {
  if (type === 'basic') return [Buffer.from(`${username}:${password}`).toString('base64')];
  return (type === 'bearer' ? tokens : keys) ?? [];
}

function credentials(value: string, scheme: string): string | undefined {
  return value.slice(0, scheme.length).toLowerCase() === scheme ? value.slice(scheme.length).trim() : undefined;
}
