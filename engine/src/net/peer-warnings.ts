/**
 * What a server that listens says of those it refuses. Whoever knocks again and again must not fill the log, and must not hide the
 * others for ever: some lines of each minute, then how many were left out.
 */
import type { Log } from '../spec/node.ts';

const MOST_LINES = 20;
const WINDOW_MS = 60_000;

export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** For messages: `127.0.0.1 port 4711`; who comes by a Unix socket has no address. */
export function peerName({ remoteAddress, remotePort }: Peer): string {
  return remoteAddress === undefined ? 'a local process' : `${remoteAddress} port ${remotePort}`;
}

export class PeerWarnings {
  readonly #subject: string;
  readonly #log: Pick<Log, 'warn'>;
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  /** `subject`: what listens, `source "in"`. */
  constructor(subject: string, log: Pick<Log, 'warn'>) {
    this.#subject = subject;
    this.#log = log;
  }

  /** `why` is read behind a colon: `it shows no certificate, expected …`. */
  refused(peer: Peer, why: string): void {
    this.warn(`${peerName(peer)} is refused: ${why}`);
  }

  warn(what: string): void {
    const now = performance.now();
    if (now - this.#since >= WINDOW_MS) {
      this.close();
      this.#since = now;
      this.#lines = 0;
    }
    if (this.#lines++ < MOST_LINES) this.#log.warn(`${this.#subject}: ${what}`);
    else this.#leftOut++;
  }

  /** Says what is still to be said. */
  close(): void {
    if (this.#leftOut > 0) this.#log.warn(`${this.#subject}: ${this.#leftOut} more lines about connections were left out`);
    this.#leftOut = 0;
  }
}
