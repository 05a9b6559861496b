import type { HttpAccess } from '../../net/client-access.ts';
import type { Feed, Position } from '../../spec/feed.ts';
import type { Source } from '../../spec/source.ts';
import { Target, type TargetParts } from './target.ts';

export class HttpPoller implements Source {
  readonly #access: HttpAccess;
  readonly #targets: readonly Target[];

  constructor(access: HttpAccess, targets: readonly TargetParts[]) {
    this.#access = access;
    this.#targets = targets.map((parts) => new Target(parts));
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    // When one fails for good, the others do not go on by themselves.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const running = this.#targets.map((target) => target.run(feed, both));
    try {
      await Promise.all(running);
    } finally {
      stop.abort();
      await Promise.allSettled(running);
    }
  }

  committed(partition: string, position: Position): void {
    for (const target of this.#targets) if (target.name === partition) target.committed(position);
  }

  async close(): Promise<void> {
    this.#access.close();
  }
}
