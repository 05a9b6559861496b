/** Metrics of a punchline for a Prometheus push gateway, as Punch's annotations ask for it. */
import { HttpClient } from '../net/client.ts';
import { openClientTls } from '../net/client-tls.ts';
import { EXPOSITION_TYPE, exposition } from '../observe/exposition.ts';
import type { ProcessFacts } from '../observe/process-series.ts';
import type { Watched } from '../observe/watched.ts';
import type { Log } from '../spec/node.ts';

const DOMAIN = 'metrics.punchplatform.com';
const USUAL_SECS = 10;
const TIMEOUT_MS = 5000;
/** The end of a run does not wait longer for its last figures to be taken. */
const LAST_MS = 2000;

export interface PushTo {
  /** With the job that the metrics are kept under. */
  readonly url: string;
  readonly everyMs: number;
}

/** Where a punchline's annotations say that its metrics go; `undefined`: nowhere. */
export function pushTo(annotations: Readonly<Record<string, string>>, name: string): PushTo | undefined {
  const url = annotations[`${DOMAIN}/pushGatewayUrl`];
  if (url === undefined) return undefined;
  const secs = annotations[`${DOMAIN}/pushGatewayIntervalSeconds`] ?? annotations[`${DOMAIN}/pushIntervalSeconds`];
  // A URL with a job of its own stays as it is.
  const whole = /\/metrics\/job\//.test(url) ? url : `${url.replace(/\/+$/, '')}/metrics/job/${encodeURIComponent(name)}`;
  return { url: whole, everyMs: Math.max(Number(secs ?? USUAL_SECS), 0.1) * 1000 };
}

export class MetricsPush {
  readonly #client: Promise<HttpClient>;
  readonly #text: () => string;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #pushing: Promise<void> = Promise.resolve();
  #failing = false;

  constructor({ url, everyMs }: PushTo, watched: Watched, { facts, log }: { readonly facts: ProcessFacts; readonly log: Log }) {
    this.#text = () => exposition([watched], facts);
    this.#log = log;
    this.#client = openClient(url, log);
    this.#client.catch(() => {});
    this.#timer = setInterval(() => this.#push(), everyMs).unref();
  }

  /** Once more, so that nothing of the run is missing, and no more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#push();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_MS);
    await Promise.race([this.#pushing, late]);
    clearTimeout(timer);
    (await this.#client.catch(() => undefined))?.close();
  }

  #push(): void {
    this.#pushing = this.#pushing.then(() => this.#send()).catch((error: unknown) => this.#tell((error as Error).message));
  }

  async #send(): Promise<void> {
    const client = await this.#client;
    const request = {
      // Replaces what this job had there.
      method: 'PUT',
      headers: [['Content-Type', EXPOSITION_TYPE]] as const,
      body: Buffer.from(this.#text()),
      mostBodyBytes: 1024,
    };
    const { status, body } = await client.request(request, AbortSignal.timeout(TIMEOUT_MS));
    if (status < 200 || status >= 300) {
      this.#tell(`the push gateway answers ${status}: ${Buffer.from(body).toString('utf8').trim()}`);
    } else if (this.#failing) {
      this.#failing = false;
      this.#log.info('the push gateway takes metrics again');
    }
  }

  /** Once for each time that it begins to fail. */
  #tell(message: string): void {
    if (!this.#failing) this.#log.warn(`Cannot push metrics: ${message}; rows flow on, it is tried again`);
    this.#failing = true;
  }
}

async function openClient(url: string, log: Log): Promise<HttpClient> {
  const usual = { min_version: '1.2', verify: 'full' } as const;
  const secure = url.startsWith('https:');
  return new HttpClient({
    url,
    action: 'push metrics',
    tls: secure ? await openClientTls(usual as never, '/', 'the push gateway', log) : undefined,
    connectTimeoutMs: TIMEOUT_MS,
    responseTimeoutMs: TIMEOUT_MS,
  });
}
