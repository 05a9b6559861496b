/** The way around: whether a server is reached through an HTTP proxy. */
import { flag, group, type Settings, secret, text } from '../spec/fields.ts';
import type { SettingIssue } from '../spec/node.ts';
import { urlIssue } from './url-issue.ts';

const fields = {
  url: text('The proxy, `http://host:port`. To https servers it is asked for a tunnel, which it cannot look into.', {
    optional: true,
  }),
  username: text('The user name that the proxy is shown.', { optional: true }),
  password: secret('The password.', { optional: true }),
  no_proxy: text(
    'Servers that are reached directly, with commas between: names (`example.org` stands for what is below it as well), addresses, `name:port`, `*` for all.',
    { default: '' },
  ),
  from_environment: flag(
    'True: without `url`, what the environment variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY say. False: the environment is not looked at.',
    { default: false },
  ),
};

/** The setting `proxy` of a node that connects by HTTP. */
export const clientProxy = group(fields, 'A proxy to go through. Without it, servers are reached directly.', { optional: true });

export type ClientProxy = Settings<typeof fields>;

/** What is wrong with the setting as a whole. */
export function checkClientProxy(proxy: ClientProxy | undefined): SettingIssue[] {
  if (proxy === undefined) return [];
  const { url, username, password, from_environment } = proxy;
  if (url === undefined) {
    if (from_environment) return [];
    return [{ path: ['proxy', 'url'], message: 'is missing, expected it, or "from_environment: true"' }];
  }
  const issues: SettingIssue[] = [];
  const wrong = urlIssue(url);
  if (wrong !== undefined) issues.push({ path: ['proxy', 'url'], message: wrong.replaceAll('"auth"', '"proxy"') });
  else if (new URL(url).protocol !== 'http:')
    issues.push({
      path: ['proxy', 'url'],
      message: `is "${url}", expected http://: what goes to https servers is encrypted inside`,
    });
  if (password !== undefined && username === undefined)
    issues.push({ path: ['proxy', 'username'], message: 'is missing, expected it beside "proxy.password"' });
  return issues;
}

export interface ProxyServer {
  /** `http://host:port`. */
  readonly origin: string;
  /** For the header `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

/** The proxy on the way to a server; `undefined`: it is reached directly. */
export function proxyTo(
  server: URL,
  proxy: ClientProxy | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ProxyServer | undefined {
  if (proxy === undefined) return undefined;
  const variable = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;
  const ofEnvironment = proxy.url === undefined && proxy.from_environment;
  const given = ofEnvironment ? variable(server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') : proxy.url;
  const exceptions = ofEnvironment ? (variable('NO_PROXY') ?? proxy.no_proxy) : proxy.no_proxy;
  if (given === undefined || goesDirectly(server, exceptions)) return undefined;
  const url = URL.parse(given.includes('://') ? given : `http://${given}`);
  if (url?.protocol !== 'http:') return undefined;
  const name = proxy.username ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  const password = proxy.password ?? decodeURIComponent(url.password);
  const authorization = name && `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  return { origin: url.origin, authorization };
}

function goesDirectly({ hostname, port, protocol }: URL, exceptions: string): boolean {
  const usualPort = protocol === 'https:' ? '443' : '80';
  return exceptions
    .split(/[\s,]+/)
    .filter((exception) => exception !== '')
    .some((exception) => {
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(exception.replace(/^\*?\./, '').toLowerCase())!;
      if (only !== undefined && only !== (port || usualPort)) return false;
      return name === '*' || hostname === name || hostname.endsWith(`.${name}`);
    });
}
