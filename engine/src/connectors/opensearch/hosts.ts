/** The servers of a cluster, in turn. One that cannot be reached rests, longer each time, unless all do. */
import type { HttpClient } from '../../net/client.ts';

const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;

export interface Host {
  readonly client: HttpClient;
  /** It is not asked before. */
  restsUntil: number;
  failures: number;
}

export class Hosts {
  readonly #hosts: readonly Host[];
  readonly #now: () => number;
  #next = 0;

  constructor(clients: readonly HttpClient[], now: () => number = () => performance.now()) {
    this.#hosts = clients.map((client) => ({ client, restsUntil: 0, failures: 0 }));
    this.#now = now;
  }

  /** All, the one whose turn it is first; those that rest come last, the one that may be asked again soonest before the others. */
  inTurn(): readonly Host[] {
    const now = this.#now();
    const from = this.#next++ % this.#hosts.length;
    const turned = [...this.#hosts.slice(from), ...this.#hosts.slice(0, from)];
    const rest = ({ restsUntil }: Host): number => Math.max(0, restsUntil - now);
    return turned.sort((one, other) => rest(one) - rest(other));
  }

  failed(host: Host): void {
    const rest = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(host.failures, 16));
    host.failures++;
    host.restsUntil = this.#now() + rest;
  }

  answered(host: Host): void {
    host.failures = 0;
    host.restsUntil = 0;
  }
}
