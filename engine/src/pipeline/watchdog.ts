/**
 * Ends workers that hang. It counts seconds only while main itself runs, so that a process that was stopped for a while convicts
 * nobody, and it has no timer while nothing is computed.
 */
import type { Job } from './job.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A native function that says nothing for so long has its worker killed. */
const SILENT_SECS = 60;
/** The same for a range that has killed a worker before. */
const SILENT_AGAIN_SECS = 5;
/** A thread that cannot be ended in this time takes the process with it (the next start isolates the rows). */
const UNKILLABLE_SECS = 2;

export interface WatchdogOptions {
  /** Workers that are computing; not those that wait for main. */
  computing(): Iterable<WorkerHandle>;
  busy(): boolean;
  unkillable(job: Job): void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Watches until nothing is computed any more. */
  arm(): void {
    if (this.#timer || !this.#options.busy()) return;
    this.#timer = setInterval(() => {
      if (!this.#options.busy()) this.stop();
      else for (const handle of this.#options.computing()) this.#watch(handle);
    }, 1000).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #watch(handle: WorkerHandle): void {
    const job = handle.jobs[0]!;
    const limit = job.ranges[0]!.deaths > 0 ? SILENT_AGAIN_SECS : SILENT_SECS;
    handle.silentSecs++;
    if (handle.silentSecs === limit) handle.kill(`a function did not come back within ${limit} s`);
    else if (handle.silentSecs >= limit + UNKILLABLE_SECS) this.#options.unkillable(job);
  }
}
