import { checkExposure } from '../../../net/listener.ts';
import { checkListenerAuth, listenerAuth } from '../../../net/listener-auth.ts';
import { serverTls } from '../../../net/server-tls.ts';
import { flag, integer, map, number, type Settings, text } from '../../../spec/fields.ts';
import type { SettingIssue } from '../../../spec/node.ts';

const MIB = 1024 * 1024;
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8080;

export const settings = {
  host: text(
    'The address to listen on; `0.0.0.0` is every one of this machine. The default is `127.0.0.1`: only this machine itself.',
    {
      optional: true,
    },
  ),
  port: integer('The port to listen on; 0: any that is free, which the log then says. The default is 8080.', {
    optional: true,
    min: 0,
    max: 65535,
  }),
  url: text('Host and port as Punch writes them: `http://0.0.0.0:8090`; `https` needs `tls`.', { optional: true }),
  ssl: flag("Punch's word: true says that `tls` is given.", { optional: true }),
  paths: map(
    text('A table; empty: the outs without one.'),
    'Paths that take rows, each with the table that they go to; any other path is 404. Without it every path takes rows, and they go to every out.',
    {
      optional: true,
    },
  ),
  tls: serverTls,
  auth: listenerAuth,
  max_body_bytes: integer('The longest body, also behind its compression; a longer one is 413.', {
    default: 16 * MIB,
    min: 1,
    unit: 'bytes',
  }),
  max_header_bytes: integer('The longest head of a request; a longer one is 431.', {
    default: 16 * 1024,
    min: 256,
    unit: 'bytes',
  }),
  max_connections: integer('Most connections at once; further ones are closed.', { default: 1024, min: 1 }),
  max_requests: integer('Most requests at once that wait for their answer; further ones are 429.', { default: 4096, min: 1 }),
  max_waiting_bytes: integer(
    'Most bytes of bodies that wait for free memory of the pipeline; when there are more, new requests are 503.',
    {
      default: 64 * MIB,
      min: 1,
      unit: 'bytes',
    },
  ),
  header_timeout_secs: number('A client must send the head of a request, and shake hands for TLS, within this time.', {
    default: 10,
    min: 0.05,
    unit: 'seconds',
  }),
  request_timeout_secs: number('A client must send a whole request within this time; a slower one is 408.', {
    default: 60,
    min: 0.05,
    unit: 'seconds',
  }),
  keep_alive_secs: number('A connection without requests is closed after this time.', {
    default: 65,
    min: 0.05,
    unit: 'seconds',
  }),
  ack_timeout_secs: number(
    'When the rows of a request are not delivered within this time, the answer is 503; they may still be delivered.',
    { default: 30, min: 0.05, unit: 'seconds' },
  ),
  retry_after_secs: integer('What `Retry-After` says beside 429 and 503.', { default: 1, min: 0, unit: 'seconds' }),
  gather_ms: number('Rows of small requests wait this long for others, and not at all while nothing else is on its way.', {
    default: 2,
    min: 0,
    unit: 'ms',
  }),
  log_requests: flag('Logs every request with its answer.', { default: false }),
};

export type HttpSourceSettings = Settings<typeof settings>;

/** Where it listens, from either spelling. */
export function listenAt({ host, port, url }: Pick<HttpSourceSettings, 'host' | 'port' | 'url'>): { host: string; port: number } {
  const parsed = url === undefined ? undefined : parseUrl(url);
  return {
    host: host ?? parsed?.hostname.replace(/^\[|\]$/g, '') ?? DEFAULT_HOST,
    port: port ?? (parsed ? Number(parsed.port || (parsed.protocol === 'https:' ? 443 : 80)) : DEFAULT_PORT),
  };
}

function parseUrl(url: string): URL | undefined {
  const parsed = URL.parse(url);
  return parsed && (parsed.protocol === 'http:' || parsed.protocol === 'https:') ? parsed : undefined;
}

export function checkSettings(given: HttpSourceSettings): SettingIssue[] {
  const { url, host, port, ssl, tls, auth, paths } = given;
  const issues = [...checkListenerAuth(auth)];
  const parsed = url === undefined ? undefined : parseUrl(url);
  if (url !== undefined && !parsed) {
    issues.push({ path: ['url'], message: 'is no address to listen on, expected http://HOST:PORT or https://HOST:PORT' });
  } else if (parsed && (parsed.pathname !== '/' || parsed.search !== '' || parsed.username !== '')) {
    issues.push({
      path: ['url'],
      message: 'holds more than host and port, expected http://HOST:PORT; "paths" says which paths take rows',
    });
  }
  if (url !== undefined && (host !== undefined || port !== undefined)) {
    issues.push({ path: ['url'], message: `stands beside ${host === undefined ? 'port' : 'host'}, expected one of both` });
  }
  if (tls === undefined && (ssl === true || parsed?.protocol === 'https:')) {
    issues.push({
      path: [ssl === true ? 'ssl' : 'url'],
      message: 'asks for TLS, expected "tls" with a certificate and its key beside it',
    });
  }
  if (tls !== undefined && (ssl === false || parsed?.protocol === 'http:')) {
    issues.push({
      path: [ssl === false ? 'ssl' : 'url'],
      message: 'says that there is no TLS, but "tls" is given: expected one of both',
    });
  }
  issues.push(...checkPaths(paths));
  if (issues.length > 0) return issues;
  const authenticated = auth !== undefined || tls?.ca_file !== undefined;
  const path = [url === undefined ? 'host' : 'url'];
  return checkExposure({ host: listenAt(given).host, path, tls: tls !== undefined, authenticated });
}

function checkPaths(paths: HttpSourceSettings['paths']): SettingIssue[] {
  if (paths === undefined) return [];
  const names = Object.keys(paths);
  if (names.length === 0) return [{ path: ['paths'], message: 'is empty, expected at least one path' }];
  return names
    .filter((name) => !/^\/[^?#\s]*$/.test(name))
    .map((name) => ({ path: ['paths', name], message: 'is no path, expected one that begins with / and holds no ? and no #' }));
}

export function tablesOf({ paths }: HttpSourceSettings): readonly string[] {
  return paths === undefined ? [] : Object.values(paths);
}
