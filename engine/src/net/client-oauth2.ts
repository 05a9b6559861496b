/**
 * Tokens by OAuth2 client credentials (RFC 6749, 4.4): asked for when one is needed, kept until shortly before they end, asked for
 * once however many wait.
 */
import { ReefError } from '../errors.ts';
import { forgetSecret, keepSecret } from '../spec/secrets.ts';
import type { HttpClient } from './client.ts';
import type { ClientAuth, Credentials } from './client-auth.ts';

/** A token that ends within this part of its life, or within so long, is not used any more. */
const SPARE_PART = 0.1;
const SPARE_MS = 10_000;
/** Where the server does not say how long a token is good. */
const USUAL_SECS = 300;
const MOST_ANSWER_BYTES = 256 * 1024;

interface Token {
  readonly header: readonly [string, string];
  readonly goodUntil: number;
}

export interface OAuth2Options {
  readonly auth: ClientAuth;
  /** For `auth.token_url`. */
  readonly client: HttpClient;
  /** What it is for, for messages: `sink "out"`. */
  readonly subject: string;
  readonly now?: () => number;
}

export class OAuth2Credentials implements Credentials {
  readonly #options: OAuth2Options;
  readonly #now: () => number;
  #token: Token | undefined;
  /** What servers may quote, and nothing may show. */
  #secret = '';
  #asking: Promise<Token> | undefined;

  constructor(options: OAuth2Options) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  async header(signal: AbortSignal): Promise<readonly [string, string]> {
    if (this.#token && this.#now() < this.#token.goodUntil) return this.#token.header;
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = undefined;
    });
    this.#token = await this.#asking;
    return this.#token.header;
  }

  refused(header: readonly [string, string]): boolean {
    // Another request may have seen to it already.
    if (this.#token?.header === header) this.#token = undefined;
    return true;
  }

  close(): void {
    this.#options.client.close();
  }

  async #ask(signal: AbortSignal): Promise<Token> {
    const { auth, client } = this.#options;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (auth.scope !== undefined) form.set('scope', auth.scope);
    if (auth.audience !== undefined) form.set('audience', auth.audience);
    const name = `${encodeURIComponent(auth.client_id!)}:${encodeURIComponent(auth.client_secret!)}`;
    const asked = this.#now();
    const { status, body } = await client.request(
      {
        method: 'POST',
        headers: [
          ['Content-Type', 'application/x-www-form-urlencoded'],
          ['Accept', 'application/json'],
          ['Authorization', `Basic ${Buffer.from(name).toString('base64')}`],
        ],
        body: Buffer.from(form.toString()),
        mostBodyBytes: MOST_ANSWER_BYTES,
      },
      signal,
    );
    const answer = parse(body);
    if (status !== 200) {
      const { error, error_description: more } = answer;
      const said = typeof error === 'string' ? `: ${error}${typeof more === 'string' ? ` (${more})` : ''}` : '';
      throw this.#failed(`the token server answers ${status}${said}`);
    }
    const { access_token: token, token_type: type, expires_in: secs } = answer;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw this.#failed('the answer of the token server holds no access_token');
    if (typeof type === 'string' && type.toLowerCase() !== 'bearer')
      throw this.#failed(`the token server gives a token of type "${type}", expected "bearer"`);
    if (token !== this.#secret) forgetSecret(this.#secret);
    this.#secret = token;
    keepSecret(token);
    const life = 1000 * (Number(secs) > 0 ? Number(secs) : USUAL_SECS);
    return {
      header: ['Authorization', `Bearer ${token}`],
      goodUntil: asked + life - Math.min(life / 2, Math.max(life * SPARE_PART, SPARE_MS)),
    };
  }

  #failed(what: string): ReefError {
    return new ReefError('io', `Cannot get an OAuth2 token for ${this.#options.subject}: ${what}`, { retry: true });
  }
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
