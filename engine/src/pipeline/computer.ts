/**
 * The workers of a punchline and what is waiting for them. A job goes to any free worker; one more is given ahead, so that a
 * worker never waits for main. A worker that dies costs nothing but time: input slots are never written, so its jobs are given
 * to another one, and rows that kill workers are found by halving and rejected.
 */
import { ReefError } from '../errors.ts';
import type { Log } from '../spec/node.ts';
import type { InFlight } from '../state/inflight.ts';
import type { FromWorker, PreparedFunction, WorkerPlan } from '../worker/protocol.ts';
import { collectGarbage } from './collect-garbage.ts';
import { ComputingRecord } from './computing-record.ts';
import { isolate } from './isolation.ts';
import { type Job, leftBehind, requestFor } from './job.ts';
import { handOver, Lending, takeLent } from './lending.ts';
import type { Metrics } from './metrics.ts';
import type { SharedMemory } from './slots.ts';
import type { Taps } from './taps.ts';
import { takeWorker } from './warm-worker.ts';
import { Watchdog } from './watchdog.ts';
import { WorkerHandle } from './worker-handle.ts';

export interface ComputerOptions {
  readonly plan: WorkerPlan;
  readonly kernel: WebAssembly.Module;
  readonly memory: SharedMemory;
  readonly workers: number;
  readonly maxRows: number;
  /** 2: one is given ahead. */
  readonly jobsPerWorker: number;
  /** Workers without rows for so long are given back. */
  readonly idleMs: number;
  /** Sinks that every batch gets output memory for. */
  readonly eagerSinks: ReadonlySet<number>;
  /** Functions remember things between batches: idle workers are kept. */
  readonly stateful: boolean;
  /** The record of what is being computed says what the rows were, not only where. */
  readonly noteDigests: boolean;
  readonly log: Log;
  /** Rows that a sink still wants of one batch, -1: all. */
  wanted(): number[];
  readonly metrics: Metrics;
  /** Who watches rows go by. */
  readonly taps: Taps;
  /** Where the ranges that are being computed are noted. */
  readonly inFlight: InFlight | undefined;
  /** Nothing can be computed any more. */
  failed(error: ReefError): void;
  /** A thread hangs, on rows of this source, and cannot be ended. */
  unkillable(source?: string): void;
}

export class Computer {
  readonly #options: ComputerOptions;
  readonly #queue: Job[] = [];
  readonly #handles: (WorkerHandle | undefined)[];
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #watchdog: Watchdog;
  #firstReady: PromiseWithResolvers<void> | undefined;
  #diedBeforeReady = 0;
  #stopped = false;
  #prepared: readonly PreparedFunction[] = [];
  /** Functions look at it in the middle of a row. */
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4));
  readonly #lending: Lending;
  readonly #record: ComputingRecord;

  constructor(options: ComputerOptions) {
    this.#options = options;
    this.#handles = new Array<WorkerHandle | undefined>(options.workers).fill(undefined);
    this.#record = new ComputingRecord(options);
    this.#lending = new Lending({
      plan: options.plan,
      memory: options.memory,
      eagerSinks: options.eagerSinks,
      isOldest: (job) => this.#isOldest(job),
      freed: () => this.pump(),
    });
    this.#watchdog = new Watchdog({
      computing: () => this.#computing(),
      busy: () => this.busy,
      unkillable: ({ sourceId }) => options.unkillable(sourceId),
    });
  }

  /** Starts one worker and waits until its functions are open: errors of functions show here. */
  async start(prepared: readonly PreparedFunction[]): Promise<void> {
    this.#prepared = prepared;
    this.#firstReady = Promise.withResolvers<void>();
    this.#startWorker();
    await this.#firstReady.promise;
    this.#armIdle();
  }

  get busy(): boolean {
    return this.#queue.length > 0 || this.#handles.some((handle) => handle && handle.jobs.length > 0);
  }

  /** Batches that no worker has begun. */
  get queued(): number {
    return this.#queue.length;
  }

  get workers(): number {
    return this.#handles.filter(Boolean).length;
  }

  submit(job: Job): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#queue.push(job);
    this.pump();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    Atomics.store(this.#cancelled, 0, 1);
    clearTimeout(this.#idleTimer);
    this.#watchdog.stop();
    const end = async (handle: WorkerHandle): Promise<void> => {
      if (!(await handle.stop())) this.#options.unkillable(handle.jobs[0]?.sourceId);
    };
    await Promise.all(this.#handles.map((handle) => handle && end(handle)));
    this.#handles.fill(undefined);
  }

  /** Gives out whatever can be given out. Called whenever something has become free. */
  pump(): void {
    if (this.#stopped) return;
    this.#lending.serve();
    for (let at = 0; at < this.#queue.length; ) {
      const job = this.#queue[at]!;
      const handle = this.#workerFor(job);
      if (!handle) {
        // A pinned job must not hold up the others.
        if (job.pin === undefined) break;
        at++;
        continue;
      }
      if (!this.#lending.lend(job)) break;
      this.#queue.splice(at, 1);
      handle.jobs.push(job);
      if (handle.jobs.length === 1) handle.silentSecs = 0;
      this.#send(handle, job);
    }
    this.#watchdog.arm();
  }

  #workerFor(job: Job): WorkerHandle | undefined {
    const handles = this.#handles;
    if (job.pin !== undefined) {
      const handle = handles[job.pin % handles.length];
      if (!handle) this.#startWorker(job.pin % handles.length);
      return handle?.ready && handle.jobs.length < this.#options.jobsPerWorker && mayFollow(handle, job) ? handle : undefined;
    }
    let best: WorkerHandle | undefined;
    let starting = false;
    for (const handle of handles) {
      if (handle && !handle.ready) starting = true;
      if (!handle?.ready || !mayFollow(handle, job)) continue;
      if (handle.jobs.length < (best ? best.jobs.length : this.#options.jobsPerWorker)) best = handle;
    }
    if (best?.jobs.length === 0) return best;
    if (!starting) this.#startWorker();
    return best;
  }

  #startWorker(index = this.#handles.indexOf(undefined)): void {
    if (index < 0 || this.#handles[index]) return;
    const { plan, memory, kernel, maxRows } = this.#options;
    const shared = { plan, prepared: this.#prepared, cancelled: this.#cancelled, tap: this.#options.taps.data };
    const data = { ...shared, memory: memory.memory, kernel, arena: memory.arenas[index]!, maxRows };
    this.#handles[index] = new WorkerHandle(index, takeWorker(), data, {
      message: (handle, message) => this.#onMessage(handle, message),
      gone: (handle, reason) => this.#onGone(handle, reason),
    });
    this.#options.metrics.workersStarted++;
  }

  #send(handle: WorkerHandle, job: Job): void {
    this.#record.begin(job, job.ranges[0]!);
    handle.send(requestFor(job, this.#lending.rangesOf(job), this.#options.wanted()));
  }

  #onMessage(handle: WorkerHandle, message: FromWorker): void {
    // What was cut short must reach nobody.
    if (this.#stopped) return;
    switch (message.type) {
      case 'ready':
        this.#diedBeforeReady = 0;
        this.#firstReady?.resolve();
        this.#firstReady = undefined;
        this.pump();
        break;
      case 'alive':
        break;
      case 'unfit':
        this.#fail(new ReefError('function', message.message));
        break;
      case 'tapped':
        this.#options.taps.show(message);
        break;
      case 'log':
        this.#options.log[message.level](message.message, message.data as Readonly<Record<string, unknown>>);
        break;
      case 'need':
        handOver(handle.jobs[0]!, message.parts);
        this.#lending.ask(handle, message);
        this.pump();
        break;
      case 'done':
        this.#onDone(handle, message);
        break;
    }
  }

  #onDone(handle: WorkerHandle, message: Extract<FromWorker, { type: 'done' }>): void {
    const job = handle.jobs.shift()!;
    this.#record.end(job);
    const lost = leftBehind(job, job.ranges[0]!, message.consumed);
    if (lost) {
      this.#fail(lost);
      return;
    }
    handOver(job, message.parts);
    const lent = takeLent(job);
    job.counted(message.counts);
    job.ranges.shift();
    if (job.ranges.length > 0) this.#requeue([job]);
    else job.computed(message.consumed);
    for (const slot of lent) slot.close();
    this.pump();
    this.#armIdle();
  }

  /** Back to where they were: in the order in which they were read, before anything else is given to a worker. */
  #requeue(jobs: readonly Job[]): void {
    this.#queue.push(...jobs);
    this.#queue.sort((one, other) => one.number - other.number);
  }

  /** Of all jobs that are not computed it was read first. Its output flows on at once, and it is the only one that may use the reserve. */
  #isOldest({ number }: Job): boolean {
    if (this.#queue.some((job) => job.number < number)) return false;
    return this.#handles.every((handle) => !handle?.jobs.some((job) => job.number < number));
  }

  /** A worker has died: its first job is the suspect, the others were only waiting. */
  #onGone(handle: WorkerHandle, reason: string): void {
    this.#handles[handle.index] = undefined;
    this.#lending.forget(handle);
    this.#options.metrics.workersDied++;
    if (this.#stopped) return;
    const jobs = handle.jobs.splice(0);
    const lent = jobs.flatMap(takeLent);
    for (const job of jobs) this.#record.end(job);
    const [suspect] = jobs;
    if (suspect) {
      this.#options.log.warn(
        `A worker died while it computed rows of "${suspect.sourceId}": ${reason}; the rows are given to another one`,
      );
      if (!isolate(suspect, reason)) {
        this.#fail(new ReefError('function', `Cannot go on: workers die though no function is given a row: ${reason}`));
        return;
      }
    } else if (++this.#diedBeforeReady > 3) {
      this.#fail(new ReefError('function', `Cannot start a worker: ${reason}`));
      return;
    } else if (this.#firstReady) this.#startWorker();
    this.#requeue(jobs);
    for (const slot of lent) slot.close();
    this.pump();
  }

  *#computing(): Iterable<WorkerHandle> {
    for (const handle of this.#handles) {
      if (handle && handle.jobs.length > 0 && !this.#lending.waits(handle)) yield handle;
    }
  }

  #fail(error: ReefError): void {
    this.#firstReady?.reject(error);
    this.#options.failed(error);
  }

  #armIdle(): void {
    if (this.busy || this.#stopped || this.#idleTimer || this.#options.stateful) return;
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.busy) return;
      void this.#rest();
    }, this.#options.idleMs).unref();
  }

  /** Gives back the workers, and with them the memory. */
  async #rest(): Promise<void> {
    const handles = this.#handles.splice(0, this.#handles.length, ...this.#handles.map(() => undefined));
    const ended = await Promise.all(handles.map((handle) => handle?.stop()));
    // A thread that works on though it has nothing to do keeps the memory.
    if (ended.includes(false))
      this.#options.log.warn('A worker without rows cannot be ended: a function of it goes on by itself');
    if (ended.includes(false)) return;
    if (this.busy || this.workers > 0) return;
    this.#options.memory.release();
    collectGarbage();
  }
}

/**
 * Whether a job may be given to a worker ahead. Never behind a younger one, which may be waiting for it; and not behind one of
 * which more is to be computed, which would then come after it.
 */
function mayFollow(handle: WorkerHandle, job: Job): boolean {
  return handle.jobs.every(({ number, ranges }) => number < job.number && ranges.length === 1);
}
