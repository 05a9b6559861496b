/** The way to a cluster: options for the library's clients, requests in our own words, and its errors in ours. */
import { isIP } from 'node:net';
import { ReefError } from '../../errors.ts';
import { HttpClient } from '../../net/client.ts';
import { OAuth2Credentials } from '../../net/client-oauth2.ts';
import { type ClientTlsContext, openClientTls } from '../../net/client-tls.ts';
import type { Log } from '../../spec/node.ts';
import { type ClientOptions, type KafkaClient, type KafkaConnection, type KafkaLibrary, loadLibrary } from './client.ts';
import { brokersOf, type ConnectionSettings, type SaslSettings } from './connection-settings.ts';
import type { WireWriter } from './wire.ts';

export interface ClusterOptions {
  readonly settings: ConnectionSettings;
  readonly folder: string;
  /** `Kafka source "in"`. */
  readonly subject: string;
  readonly log: Pick<Log, 'warn'>;
}

export interface Request {
  readonly key: number;
  readonly version: number;
  readonly body: WireWriter;
  /** The broker does not answer (acks 0). */
  readonly unanswered?: boolean;
}

type ClusterParts = Pick<ClusterOptions, 'settings' | 'subject'> & { readonly credentials: OAuth2Credentials | undefined };

export class Cluster {
  readonly library: KafkaLibrary;
  readonly subject: string;
  readonly #options: ClientOptions;
  readonly #credentials: OAuth2Credentials | undefined;
  /** TLS without a certificate of its own: a broker that wants one closes the connection without a word. */
  readonly #anonymous: boolean;

  /** Use {@link openCluster}. */
  constructor(library: KafkaLibrary, options: ClientOptions, { subject, settings, credentials }: ClusterParts) {
    this.library = library;
    this.#options = options;
    this.subject = subject;
    this.#credentials = credentials;
    this.#anonymous = settings['security.protocol'].endsWith('SSL') && settings.tls.certificate_file === undefined;
  }

  /** For a client of the library; what is given wins. */
  options(more: Partial<ClientOptions> = {}): ClientOptions {
    return { ...this.#options, ...more };
  }

  /** It tries nothing again: who asks does so, and says so at once. */
  client(more: Partial<ClientOptions> = {}): KafkaClient {
    return new this.library.Base(this.options({ retries: 0, ...more }));
  }

  /** Sends a request and resolves with the body of the response, a view that stays good. */
  send(connection: KafkaConnection, { key, version, body, unanswered = false }: Request): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const request = () => {
        const writer = this.library.Writer.create();
        for (const piece of body.pieces) writer.append(Buffer.from(piece.buffer as ArrayBuffer, piece.byteOffset, piece.length));
        if (unanswered) writer.context.noResponse = true;
        return writer;
      };
      const parse = (_correlation: number, _key: number, _version: number, reader: { readonly buffer: { slice(): Buffer } }) =>
        reader.buffer.slice();
      connection.send(key, version, request, parse, false, false, (error, response) => {
        if (error) reject(error);
        else resolve(response as Buffer);
      });
    });
  }

  /** An error of the library as one of ours. `action`: `read from`. */
  failure(action: string, error: unknown): ReefError {
    if (error instanceof ReefError) return error;
    const messages = innermost(error);
    const refused = messages.find((found) => found.code === 'PLT_KFK_AUTHENTICATION' || /SASL/i.test(found.message));
    const text = messages.map(({ message }) => message).join(': ');
    const expected = refused
      ? ', expected credentials and a mechanism that the broker knows'
      : this.#anonymous && /closed|reset/i.test(text)
        ? ', expected brokers that answer, or "tls.certificate_file" where they ask for a certificate'
        : ', expected brokers that answer at "bootstrap.servers"';
    const wrong = refused !== undefined || messages.some(({ code }) => code !== undefined && CERTIFICATE.test(code));
    return new ReefError('io', `Cannot ${action} ${this.subject}: ${text}${expected}`, { cause: error, retry: !wrong });
  }

  close(): void {
    this.#credentials?.close();
  }
}

/** What TLS says of certificates that it does not take: nothing that passes by itself. */
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|ALTNAME|UNABLE_TO_VERIFY/;

interface Found {
  readonly message: string;
  readonly code?: string | undefined;
}

/** The way from an error to its first cause, without repeats. */
function innermost(error: unknown): Found[] {
  const found: Found[] = [];
  for (let at = error as (Error & { code?: string; errors?: Error[] }) | undefined; at; ) {
    const { message, code } = at;
    if (message && !found.some((other) => other.message === message)) found.push({ message, code });
    at = (at.errors?.at(-1) ?? at.cause) as typeof at;
  }
  return found;
}

export async function openCluster({ settings, folder, subject, log }: ClusterOptions): Promise<Cluster> {
  const library = await loadLibrary();
  const protocol = settings['security.protocol'];
  const tls = await openClientTls(settings.tls, folder, subject, protocol.endsWith('SSL') ? log : { warn() {} });
  const brokers = brokersOf(settings);
  const credentials = settings.auth?.token_url === undefined ? undefined : oauth(settings.auth, tls, settings, subject);
  const options: ClientOptions = {
    clientId: settings['client.id'],
    bootstrapBrokers: brokers,
    retries: 2,
    retryDelay: 200,
    connectTimeout: settings.connect_timeout_secs * 1000,
    requestTimeout: settings.request_timeout_secs * 1000,
    ...(protocol.endsWith('SSL') ? await tlsOptions(tls, settings, brokers) : {}),
    ...(protocol.startsWith('SASL') ? { sasl: saslOptions(settings.auth!, credentials) } : {}),
  };
  return new Cluster(library, options, { subject, settings, credentials });
}

/** The same for all brokers, so the name to compare with the certificate is that of each connection. */
async function tlsOptions(
  context: ClientTlsContext,
  { tls }: ConnectionSettings,
  brokers: readonly string[],
): Promise<Pick<ClientOptions, 'tls' | 'tlsServerName'>> {
  const { checkServerIdentity } = process.getBuiltinModule('node:tls');
  const { secureContext, rejectUnauthorized } = await context.options('broker');
  const named = brokers.some((broker) => isIP(broker.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) === 0);
  return {
    tls: {
      secureContext,
      rejectUnauthorized,
      checkServerIdentity: (host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
        tls.verify === 'full' ? checkServerIdentity(tls.server_name ?? host, certificate) : undefined,
    },
    tlsServerName: tls.server_name ?? named,
  };
}

function saslOptions(auth: SaslSettings, credentials: OAuth2Credentials | undefined): object {
  const { mechanism, username, password, token } = auth;
  if (mechanism !== 'OAUTHBEARER') return { mechanism, username, password };
  if (!credentials) return { mechanism, token };
  return {
    mechanism,
    token: async () => (await credentials.header(AbortSignal.timeout(30_000)))[1].replace(/^Bearer /, ''),
  };
}

function oauth(auth: SaslSettings, tls: ClientTlsContext, settings: ConnectionSettings, subject: string): OAuth2Credentials {
  const { token_url, client_id, client_secret, scope, audience } = auth;
  const client = new HttpClient({
    url: token_url!,
    action: `get an OAuth2 token for ${subject}`,
    tls,
    proxy: undefined,
    unixSocket: undefined,
    connectTimeoutMs: settings.connect_timeout_secs * 1000,
    responseTimeoutMs: 30_000,
  });
  const given = { type: 'oauth2', header: 'Authorization', token_url, client_id, client_secret, scope, audience } as const;
  return new OAuth2Credentials({
    auth: { ...given, username: undefined, password: undefined, token: undefined, key: undefined },
    client,
    subject,
  });
}
