/** What every node that asks HTTP servers has: TLS, a proxy, times, and credentials that are renewed when a server takes them no more. */
import { number, type Settings, text } from '../spec/fields.ts';
import type { Log, SettingIssue } from '../spec/node.ts';
import { HttpClient, type HttpRequest } from './client.ts';
import { type Credentials, checkClientAuth, clientAuth, fixedCredentials } from './client-auth.ts';
import type { Response } from './client-connection.ts';
import { OAuth2Credentials } from './client-oauth2.ts';
import { checkClientProxy, clientProxy } from './client-proxy.ts';
import { asksForTls, type ClientTlsContext, checkClientTls, clientTls, openClientTls } from './client-tls.ts';

export const accessSettings = {
  connect_timeout_secs: number('A connection must be there within this time.', { default: 10, min: 0.05, unit: 'seconds' }),
  unix_socket: text('Path of the Unix socket that the server listens at; the URL says what it is asked for.', { optional: true }),
  proxy: clientProxy,
  tls: clientTls,
  auth: clientAuth,
};

export type AccessSettings = Settings<typeof accessSettings>;

/** What is wrong with the settings as a whole. `urls`: what the credentials are shown to. */
export function checkAccess({ auth, tls, proxy }: AccessSettings, urls: readonly string[]): SettingIssue[] {
  const issues = [...checkClientAuth(auth), ...checkClientTls(tls), ...checkClientProxy(proxy)];
  if (auth !== undefined && urls.some(isReadable))
    issues.push({
      path: ['auth'],
      message: 'is sent without TLS, so whoever stands in between can read it: expected an https URL',
      severity: 'warning',
    });
  const all = auth?.token_url === undefined ? urls : [...urls, auth.token_url];
  if (asksForTls(tls) && all.length > 0 && all.every((url) => URL.parse(url)?.protocol === 'http:'))
    issues.push({ path: ['tls'], message: 'is not used, because nothing is sent to an https URL: expected one' });
  return issues;
}

function isReadable(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
}

export interface AccessOptions {
  readonly settings: AccessSettings;
  readonly responseTimeoutMs: number;
  readonly folder: string;
  /** `sink "out"`. */
  readonly subject: string;
  readonly log: Pick<Log, 'warn'>;
}

export class HttpAccess {
  readonly #options: AccessOptions;
  readonly #tls: ClientTlsContext;
  readonly #credentials: Credentials | undefined;
  readonly #clients: HttpClient[] = [];

  /** Use {@link openHttpAccess}. */
  constructor(options: AccessOptions, tls: ClientTlsContext) {
    this.#options = options;
    this.#tls = tls;
    const { settings, subject } = options;
    const { auth } = settings;
    this.#credentials =
      auth &&
      (fixedCredentials(auth) ??
        new OAuth2Credentials({ auth, client: this.client(auth.token_url!, `get an OAuth2 token for ${subject}`), subject }));
  }

  /** It is closed with all others. `action`: what it is for, for messages: `send to HTTP sink "out"`. */
  client(url: string, action: string): HttpClient {
    const { settings, responseTimeoutMs } = this.#options;
    const client = new HttpClient({
      url,
      action,
      tls: this.#tls,
      proxy: settings.proxy,
      unixSocket: settings.unix_socket,
      connectTimeoutMs: settings.connect_timeout_secs * 1000,
      responseTimeoutMs,
    });
    this.#clients.push(client);
    return client;
  }

  /** With credentials, and once more with new ones where the server does not take those that it was shown. */
  async request(client: HttpClient, request: HttpRequest, signal: AbortSignal): Promise<Response> {
    if (!this.#credentials) return client.request(request, signal);
    for (let first = true; ; first = false) {
      const shown = await this.#credentials.header(signal);
      const response = await client.request({ ...request, headers: [...request.headers, shown] }, signal);
      if (response.status !== 401 || !first || !this.#credentials.refused(shown)) return response;
    }
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#credentials?.close?.();
  }
}

/** Reads the files of certificates. Rejects with a `ReefError` that names the one that cannot be used. */
export async function openHttpAccess(options: AccessOptions): Promise<HttpAccess> {
  const { settings, folder, subject, log } = options;
  return new HttpAccess(options, await openClientTls(settings.tls, folder, subject, log));
}
