import type { InFlight } from '../state/inflight.ts';
import type { Job, Range } from './job.ts';
import type { SharedMemory } from './slots.ts';
import { rowDigest } from './suspects.ts';

export interface ComputingRecordOptions {
  /** Absent: nothing is noted. */
  readonly inFlight: InFlight | undefined;
  readonly memory: SharedMemory;
  /** Says what the rows are, not only where. */
  readonly noteDigests: boolean;
}

/** Notes what is being computed where it survives the process: the next start finds there what killed it. */
export class ComputingRecord {
  readonly #options: ComputingRecordOptions;

  constructor(options: ComputingRecordOptions) {
    this.#options = options;
  }

  begin(job: Job, range: Range): void {
    const { inFlight, memory, noteDigests } = this.#options;
    if (!inFlight || !job.replayable || range.reject) return;
    const { sourceId: source, partition, offset, start } = job;
    inFlight.begin(this.#numberOf(job), {
      source,
      partition,
      from: offset + range.from - start,
      to: offset + range.to - start,
      ...(noteDigests ? { digest: rowDigest(memory.bytes.subarray(range.from, range.to)) } : {}),
    });
  }

  end(job: Job): void {
    if (job.replayable) this.#options.inFlight?.end(this.#numberOf(job));
  }

  /** Each input slot has a record of its own; the large one's is the last. */
  #numberOf({ pool, slot }: Job): number {
    const { input, largeInput } = this.#options.memory;
    return pool === largeInput ? input.size : slot.index;
  }
}
