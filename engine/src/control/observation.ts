/** All ways in which a process can be watched: sockets of its punchlines, the endpoint for Prometheus, push gateways. */
import type { ListenAt } from '../net/listener.ts';
import { hostAndPort, isLoopback } from '../net/listener.ts';
import type { ProcessFacts } from '../observe/process-series.ts';
import { snapshot } from '../observe/snapshot.ts';
import type { Watched } from '../observe/watched.ts';
import type { Log } from '../spec/node.ts';
import type { Answer, ControlSocket } from './control-socket.ts';
import { openControlSocket } from './control-socket.ts';
import type { EndpointSecurity, MetricsEndpoint } from './metrics-endpoint.ts';
import { type MetricsPush, pushTo } from './metrics-push.ts';

export type { EndpointSecurity };

export interface ObservationOptions {
  readonly facts: ProcessFacts;
  /** Where metrics are to be had beside what annotations say; `undefined`: nowhere. */
  readonly metricsAt: ListenAt | undefined;
  readonly security: EndpointSecurity;
  readonly log: Log;
  /** What else may be asked of a punchline. */
  answers?(watched: Watched): Readonly<Record<string, Answer>>;
}

const LOOPBACK = '127.0.0.1';

export class Observation {
  readonly #options: ObservationOptions;
  readonly #watched: Watched[] = [];
  readonly #sockets: Promise<ControlSocket | undefined>[] = [];
  readonly #endpoints = new Map<string, Promise<MetricsEndpoint>>();
  readonly #pushes: Promise<MetricsPush>[] = [];

  constructor(options: ObservationOptions) {
    this.#options = options;
  }

  /** Opens what was asked for on the command line. Rejects with a `ReefError` when it cannot listen there. */
  async open(): Promise<void> {
    const { metricsAt } = this.#options;
    if (metricsAt) await this.#listen(metricsAt);
  }

  /** From now on the punchline can be watched. What cannot be opened is warned of: rows flow all the same. */
  add(watched: Watched): void {
    const { annotations } = watched.running;
    this.#watched.push(watched);
    this.#sockets.push(this.#openSocket(watched));
    if (
      annotations['prometheus.io/scrape'] === 'true' &&
      annotations['prometheus.io/port'] !== undefined &&
      !this.#options.metricsAt
    ) {
      const at = { host: LOOPBACK, port: Number(annotations['prometheus.io/port']) };
      this.#listen(at, annotations['prometheus.io/path']).catch((error: Error) => this.#options.log.warn(error.message));
    }
    const push = pushTo(annotations, watched.name);
    if (push)
      this.#pushes.push(import('./metrics-push.ts').then((module) => new module.MetricsPush(push, watched, this.#options)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pushes.map(async (push) => (await push).close()));
    for (const socket of this.#sockets) (await socket)?.close();
    for (const endpoint of this.#endpoints.values()) (await endpoint.catch(() => undefined))?.close();
  }

  async #openSocket(watched: Watched): Promise<ControlSocket | undefined> {
    const answers = {
      metrics: (_: unknown, say: (line: object) => void) => say(snapshot(watched)),
      ...this.#options.answers?.(watched),
    };
    try {
      return await openControlSocket(watched.running.stateFolder, answers);
    } catch (error) {
      const { message } = error as Error;
      this.#options.log.warn(`Cannot listen for "reef top" and "reef tap" in ${watched.running.stateFolder}: ${message}`);
      return undefined;
    }
  }

  async #listen(at: ListenAt, path?: string): Promise<void> {
    const key = hostAndPort(at.host, at.port);
    if (this.#endpoints.has(key)) return;
    // Imported when needed: it brings node:http.
    const opening = import('./metrics-endpoint.ts').then(({ openMetricsEndpoint }) =>
      openMetricsEndpoint({ ...this.#options, at, path, watched: () => this.#watched }),
    );
    this.#endpoints.set(key, opening);
    const { address, port } = (await opening).address;
    const { log, security } = this.#options;
    const scheme = security.tls ? 'https' : 'http';
    log.info(`metrics: ${scheme}://${hostAndPort(address, port)}/metrics, also /healthz and /readyz`);
    const lacking = [
      ...(security.tls ? [] : ['--metrics-cert']),
      ...(security.token !== undefined || security.tls?.ca_file !== undefined ? [] : ['REEF_METRICS_TOKEN']),
    ];
    if (isLoopback(at.host) || lacking.length === 0) return;
    log.warn(`metrics on ${key} can be read by others: expected 127.0.0.1, or ${lacking.join(' and ')}`);
  }
}

/** What `--metrics` says: `PORT` or `HOST:PORT`; a text: what is wrong with it. */
export function readMetricsAt(text: string): ListenAt | string {
  const found = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (!found || port > 65_535) return `--metrics is "${text}", expected a port from 0 to 65535, or HOST:PORT`;
  return { host: found[1]?.replace(/^\[(.*)\]$/, '$1') ?? LOOPBACK, port };
}
