/** The way out: encoded parts to the sinks, in order, and what the sinks answer back to the batches. */
import type { Log, Sink, SinkPosition } from '../spec/node.ts';
import type { Json } from '../spec/plan.ts';
import type { WorkerPlan } from '../worker/protocol.ts';
import type { ReadyPart } from './job.ts';
import type { Metrics } from './metrics.ts';
import { Outbox } from './outbox.ts';
import type { NumberedPosition, Partition, PartitionBatch } from './partition.ts';
import type { SharedMemory } from './slots.ts';

export interface DeliveriesOptions {
  readonly plan: WorkerPlan;
  readonly memory: SharedMemory;
  readonly metrics: Metrics;
  readonly log: Log;
  /** False: nobody waits for the sinks' confirmation. */
  readonly tracking: boolean;
  readonly signal: AbortSignal;
  failed(error: unknown): void;
  /** A chunk was written or failed to be. */
  written(): void;
}

export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #outboxes: Outbox[] = [];
  readonly #sinks: Sink[] = [];
  readonly #positions = new Map<string, NumberedPosition>();
  #writes = 0;
  #writing = 0;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Chunks that no sink has taken yet. */
  get writing(): number {
    return this.#writing;
  }

  /** What the sinks must remember, by id; only what lies in committed batches. */
  get positions(): Record<string, Json> {
    return Object.fromEntries(Array.from(this.#positions, ([id, { position }]) => [id, position]));
  }

  /** Rows that each sink still wants of one batch, -1: all. */
  wanted(): number[] {
    return this.#options.plan.sinks.map((_, index) => this.#outboxes[index]?.sink.wanted?.() ?? -1);
  }

  add(index: number, sink: Sink): void {
    const { plan, log, signal, failed, metrics } = this.#options;
    const { id } = plan.sinks[index]!;
    this.#sinks.push(sink);
    this.#outboxes[index] = new Outbox({ id, sink, log, signal, failed });
    metrics.sinks.set(id, { reached: 0, delivered: 0 });
    const position = sink.position?.();
    if (position !== undefined) this.#positions.set(id, { write: 0, position });
  }

  /** Hands parts to their sinks. Each holds its batch open until it is written. */
  emit(partition: Partition, batch: PartitionBatch, parts: readonly ReadyPart[]): void {
    const { plan, memory, metrics, tracking, written } = this.#options;
    for (const { part, lent } of parts) {
      const { id } = plan.sinks[part.sink]!;
      const write = ++this.#writes;
      this.#writing++;
      if (tracking) batch.pending++;
      const chunk = {
        bytes: memory.bytes.subarray(part.start, part.start + part.bytes),
        rows: part.rows,
        partition: `${partition.source}/${partition.name}`,
        ...(part.offsets === 0 ? {} : { offsets: new Uint32Array(memory.memory.buffer, part.offsets, part.rows + 1) }),
      };
      const delivered = (position: SinkPosition | undefined): void => {
        this.#writing--;
        lent.drop();
        metrics.sinks.get(id)!.delivered += part.rows;
        if (tracking) {
          if (position !== undefined) batch.sinkPositions.set(id, { write, position });
          partition.confirm(batch);
        }
        written();
      };
      this.#outboxes[part.sink]!.push({ chunk, delivered });
    }
  }

  /** The batches are committed: what the sinks said about them counts. */
  committed(batches: readonly PartitionBatch[]): void {
    for (const { sinkPositions } of batches) {
      for (const [id, position] of sinkPositions) {
        if (position.write > (this.#positions.get(id)?.write ?? -1)) this.#positions.set(id, position);
      }
    }
  }

  async sync(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.sync?.()));
  }

  async close(outcome: 'finished' | 'stopped'): Promise<void> {
    const results = await Promise.allSettled(this.#sinks.map((sink) => sink.close(outcome)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}
