/**
 * Writes down how far everything has been delivered: soon after it has changed, seldom oftener than the interval, and in the one
 * order that is safe: sinks make their bytes durable, then positions and sink positions go to disk together, then sources hear.
 */

import { backoff } from '../delivery/backoff.ts';
import type { Log } from '../spec/node.ts';
import type { Json } from '../spec/plan.ts';
import type { PipelineState } from './options.ts';

/** After a quiet time the first change is saved so soon. */
const SOON_MS = 50;
/** Where a checkpoint is large, no more than this share of the time goes into writing it. */
const MOST_SHARE = 1 / 20;

export interface Snapshot {
  readonly positions: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly sinks: Readonly<Record<string, Json>>;
  /** To be done once this is on disk: whoever waited for what it covers hears of it. */
  saved(): Promise<void>;
}

export interface CheckpointerOptions {
  readonly state: PipelineState;
  readonly intervalMs: number;
  /** Every checkpoint waits for the disk. False: only the last one does; the others survive a kill, not a loss of power. */
  durable(): boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
  snapshot(): Snapshot;
  syncSinks(): Promise<void>;
  failed(error: unknown): void;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #timer: NodeJS.Timeout | undefined;
  #dirty = false;
  /** Somebody waits for what is not saved. */
  #hurried = false;
  /** The last checkpoint did not wait for the disk. */
  #volatile = false;
  #savedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #saving: Promise<void> | undefined;
  #stopped = false;
  /** Why nothing can be saved any more: a sink that could not make its bytes safe may say that it could at the next try. */
  #broken: { readonly error: unknown } | undefined;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  /** Something was committed. */
  changed(): void {
    this.#dirty = true;
    if (this.#timer || this.#saving || this.#stopped) return;
    const due = this.#savedAt + Math.max(this.#options.intervalMs, this.#tookMs / MOST_SHARE) - performance.now();
    this.#saveIn(this.#hurried ? 0 : Math.max(due, Math.min(SOON_MS, this.#options.intervalMs)));
  }

  /** Something was committed that somebody waits for: it is saved as soon as may be, with all that comes while that lasts. */
  hurry(): void {
    this.#hurried = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.changed();
  }

  #saveIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#save(this.#options.durable()).catch((error: unknown) => this.#options.failed(error));
    }, ms);
  }

  /** Saves now, safe against a loss of power, and again where more was committed meanwhile. */
  save(): Promise<void> {
    return this.#save(true);
  }

  async #save(durable: boolean): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#saving) await this.#saving;
    if (this.#broken) throw this.#broken.error;
    if (this.#stopped || !(this.#dirty || (durable && this.#volatile))) return;
    this.#saving = this.#saveOnce(durable);
    try {
      await this.#saving;
    } finally {
      this.#saving = undefined;
      this.#savedAt = performance.now();
    }
    if (this.#dirty) this.changed();
  }

  /** Saves no more, whatever is still committed: the state folder may soon be another's. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #saveOnce(durable: boolean): Promise<void> {
    const { state, log, signal, snapshot, syncSinks } = this.#options;
    this.#dirty = false;
    this.#hurried = false;
    const what = snapshot();
    for (let attempt = 0; ; attempt++) {
      try {
        if (durable) await syncSinks();
        // A sink may have taken long over it, and the end not have waited.
        if (this.#stopped) return;
        const start = performance.now();
        await state.save(what, { sync: durable });
        this.#tookMs = performance.now() - start;
        this.#volatile = !durable;
        break;
      } catch (error) {
        if (!(error as { retry?: boolean }).retry) this.#broken = { error };
        if (this.#broken || signal.aborted) throw error;
        if ((attempt & (attempt + 1)) === 0)
          log.warn(`${(error as Error).message}; trying again until it works (try ${attempt + 1})`);
        await backoff(attempt, signal);
      }
    }
    await what.saved();
  }
}
