/** Ends a run by itself when the conditions of its punchline are met (`exit_conditions`). */
import { ReefError } from '../errors.ts';
import type { ExitConditions, NodeKind, Punchline } from '../spec/plan.ts';
import type { Metrics } from './metrics.ts';

interface Watched {
  /** How messages call it: `node "in"`. */
  readonly subject: string;
  readonly kind: NodeKind | 'punchline';
  readonly id: string;
  readonly conditions: ExitConditions;
}

interface Tally {
  acks: number;
  fails: number;
}

export class ExitWatch {
  readonly #watched: readonly Watched[];
  /** Delivered rows by source. */
  readonly #sources = new Map<string, Tally>();
  readonly #timers: NodeJS.Timeout[] = [];
  #metrics: Metrics | undefined;
  #end: () => void = () => {};
  #met: string | undefined;
  #failed: string | undefined;

  constructor(punchline: Punchline) {
    this.#watched = watchedIn(punchline);
  }

  /** Whether there is anything to watch. */
  get needed(): boolean {
    return this.#watched.length > 0;
  }

  /** The run begins; `end` is called when it is to end. */
  start(metrics: Metrics, end: () => void): void {
    this.#metrics = metrics;
    this.#end = end;
    for (const { subject, conditions } of this.#watched) {
      for (const [verdict, secs] of [
        ['success', conditions.success?.secs] as const,
        ['failure', conditions.failure?.secs] as const,
      ]) {
        if (secs === undefined) continue;
        const why = `${subject}: ${secs} s are over (${verdict}.elapsed_secs_greater_or_equal_to)`;
        this.#timers.push(setTimeout(() => this.#meet(verdict, why), secs * 1000).unref());
      }
    }
  }

  settled(source: string, rows: number, rejected: number): void {
    const tally = this.#sources.get(source) ?? { acks: 0, fails: 0 };
    this.#sources.set(source, tally);
    tally.acks += rows - rejected;
    tally.fails += rejected;
    this.check();
  }

  /** Looks at all counts; called once more at the very end. */
  check(): void {
    for (const { subject, kind, id, conditions } of this.#watched) {
      const { acks, fails } = this.#tally(kind, id);
      const { success, failure } = conditions;
      if (success?.rows !== undefined && acks >= success.rows) {
        this.#meet('success', `${subject}: ${acks} rows are delivered (success.acks_greater_or_equal_to: ${success.rows})`);
      }
      if (failure?.rows !== undefined && fails >= failure.rows) {
        this.#meet('failure', `${subject}: ${fails} rows were rejected (failure.fails_greater_or_equal_to: ${failure.rows})`);
      }
    }
  }

  /** Why the run has ended in order. */
  get success(): string | undefined {
    return this.#met;
  }

  /** Why it counts as failed, also where it would have ended anyway. */
  get failure(): ReefError | undefined {
    return this.#failed === undefined ? undefined : new ReefError('limit', `Exit condition met at ${this.#failed}`);
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }

  #meet(verdict: 'success' | 'failure', why: string): void {
    if (verdict === 'success') this.#met ??= why;
    else this.#failed ??= why;
    this.#end();
  }

  #tally(kind: Watched['kind'], id: string): Tally {
    const { rejectedBy, rejected, sinks, functions } = this.#metrics!;
    const own = rejectedBy.get(id) ?? 0;
    switch (kind) {
      case 'punchline': {
        const acks = [...this.#sources.values()].reduce((sum, tally) => sum + tally.acks, 0);
        return { acks, fails: rejected };
      }
      case 'source':
        return this.#sources.get(id) ?? { acks: 0, fails: 0 };
      case 'function':
        return { acks: (functions.get(id)?.entered ?? 0) - own, fails: own };
      case 'sink':
        return { acks: sinks.get(id)?.delivered ?? 0, fails: own };
    }
  }
}

function watchedIn({ nodes, exit }: Punchline): Watched[] {
  const whole: Watched[] = exit ? [{ subject: 'the punchline', kind: 'punchline', id: '', conditions: exit }] : [];
  const single = nodes.flatMap(({ id, kind, exit: conditions }) => {
    return conditions ? [{ subject: `node "${id}"`, kind, id, conditions }] : [];
  });
  return [...whole, ...single];
}
