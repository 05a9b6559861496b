/**
 * Output memory on its way to the workers: some is lent with each job, more when a worker asks for it in the middle of a batch. A
 * few slots are kept back for the oldest job, whose output flows on at once: so nobody waits in a circle.
 */
import type { FromWorker, OutRange, Part, WorkerPlan } from '../worker/protocol.ts';
import { type Job, LentSlot } from './job.ts';
import type { SharedMemory, SlotPool } from './slots.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface LendingOptions {
  readonly plan: WorkerPlan;
  readonly memory: SharedMemory;
  /** Sinks that every batch gets output memory for. */
  readonly eagerSinks: ReadonlySet<number>;
  /** Of all jobs that are not computed it was read first: it is the only one that may use the reserve. */
  isOldest(job: Job): boolean;
  /** A slot is free again. */
  freed(): void;
}

/** A worker waits in the middle of a batch. */
interface Need {
  readonly handle: WorkerHandle;
  readonly job: Job;
  readonly sink: number;
  readonly bytes: number;
}

export class Lending {
  readonly #options: LendingOptions;
  readonly #reserve: number;
  #needs: Need[] = [];

  constructor(options: LendingOptions) {
    this.#options = options;
    this.#reserve = options.plan.sinks.filter(({ payload }) => payload).length;
  }

  /** Lends output slots for the sinks that rows usually reach; false: wait until some are free. */
  lend(job: Job): boolean {
    const { eagerSinks, memory, plan, isOldest } = this.#options;
    const pool = memory.output;
    for (const sink of eagerSinks) {
      if (job.lent.has(sink) || !plan.sinks[sink]!.payload) continue;
      // The oldest job asks for memory when it needs it, and is given the reserve.
      if (pool.free <= this.#reserve) return isOldest(job);
      this.#lendFrom(pool, job, sink);
    }
    return true;
  }

  /** What is lent to a job, for its worker. */
  rangesOf(job: Job): OutRange[] {
    return Array.from(job.lent, ([sink, lent]) => this.#rangeOf(sink, lent));
  }

  /** The worker waits until {@link serve} finds memory for it; `waits` until then. */
  ask(handle: WorkerHandle, { sink, bytes }: Extract<FromWorker, { type: 'need' }>): void {
    const job = handle.jobs[0]!;
    // Who waits gives up what there is only one of: two who hold and want it would wait for ever.
    const over = Array.from(job.lent).filter(([other, lent]) => other === sink || this.#rangeOf(other, lent).largest);
    for (const [other] of over) job.lent.delete(other);
    this.#needs.push({ handle, job, sink, bytes });
    for (const [, lent] of over) lent.close();
  }

  waits(handle: WorkerHandle): boolean {
    return this.#needs.some((need) => need.handle === handle);
  }

  /** The worker is gone. */
  forget(handle: WorkerHandle): void {
    this.#needs = this.#needs.filter((need) => need.handle !== handle);
  }

  /** Gives workers that wait what is free. */
  serve(): void {
    if (this.#needs.length > 0) this.#needs = this.#needs.filter((need) => !this.#give(need));
  }

  #give({ handle, job, sink, bytes }: Need): boolean {
    const { memory, isOldest } = this.#options;
    const { output, largeOutput } = memory;
    const pool = bytes > memory.outputSlotBytes ? largeOutput : output;
    // What the oldest batch of a partition writes flows on at once, so the large slot comes back.
    if (pool === largeOutput && !job.isFirst()) return false;
    if (pool.free === 0) return false;
    if (pool === output && pool.free <= this.#reserve && !isOldest(job)) return false;
    handle.send({ type: 'more', batch: job.number, out: this.#lendFrom(pool, job, sink) });
    handle.silentSecs = 0;
    return true;
  }

  #lendFrom(pool: SlotPool, job: Job, sink: number): OutRange {
    const lent = new LentSlot(pool.tryTake()!, pool, this.#options.freed);
    job.lent.set(sink, lent);
    return this.#rangeOf(sink, lent);
  }

  #rangeOf(sink: number, { slot }: LentSlot): OutRange {
    return { sink, start: slot.start, end: slot.end, largest: this.#options.memory.largeOutput.has(slot) };
  }
}

/** Encoded rows leave the job's slots, which stay taken until their sinks have them. */
export function handOver(job: Job, parts: readonly Part[]): void {
  if (parts.length === 0) return;
  const bySlot = new Map(Array.from(job.lent.values(), (lent) => [lent.slot.start, lent]));
  job.ready(
    parts.map((part) => {
      const lent = bySlot.get(part.slot)!;
      lent.hold();
      return { part, lent };
    }),
  );
}

/** The job writes no more; `close` each once what it has written is handed over. */
export function takeLent(job: Job): LentSlot[] {
  const lent = [...job.lent.values()];
  job.lent.clear();
  return lent;
}
