/** The way out: encoded parts to the sinks, in order, and what the sinks answer back to the batches. */
import { defaultRetry } from '../delivery/backoff.ts';
import { BulkOutbox } from '../delivery/bulk-outbox.ts';
import { Outbox } from '../delivery/outbox.ts';
import type { NumberedPosition, SinkPositions } from '../delivery/parcel.ts';
import type { Log } from '../spec/node.ts';
import { type DeliveryPolicy, type Json, type RetryPolicy, rowEndBytes } from '../spec/plan.ts';
import type { AnySink, SinkPosition } from '../spec/sink.ts';
import type { Counts, WorkerPlan } from '../worker/protocol.ts';
import type { HeldInput } from './held-input.ts';
import type { ReadyPart } from './job.ts';
import { type Metrics, newSinkMetrics } from './metrics.ts';
import type { Partition, PartitionBatch } from './partition.ts';
import { type DocumentBatch, RefusedRows, type RefusedRowsOptions } from './refused-rows.ts';
import type { SharedMemory } from './slots.ts';
import type { Taps } from './taps.ts';

export interface DeliveriesOptions {
  readonly plan: WorkerPlan;
  readonly memory: SharedMemory;
  readonly metrics: Metrics;
  readonly taps: Taps;
  readonly log: Log;
  /** False: nobody waits for the sinks' confirmation. */
  readonly tracking: boolean;
  readonly signal: AbortSignal;
  /** What the error tables of refused rows need. */
  readonly documents: Pick<
    RefusedRowsOptions,
    'kernel' | 'slotBytes' | 'maxRowBytes' | 'maxRows' | 'idleMs' | 'prepared' | 'unkillable'
  >;
  failed(error: unknown): void;
  counted(counts: Counts): void;
  /** A chunk was written or failed to be. */
  written(): void;
}

/** How a sink is treated, as the punchline says. */
export interface DeliveryTerms {
  readonly policy: DeliveryPolicy;
  readonly retry: RetryPolicy;
}

const usualTerms: DeliveryTerms = { policy: 'required', retry: defaultRetry };

/** Output slots that a sink nobody waits for may keep waiting; as many are made for it beyond those of the others. */
export const BEST_EFFORT_SLOTS = 6;

interface Way {
  readonly sink: AnySink;
  readonly required: boolean;
  /** Parts of which it holds the memory. */
  held: number;
  readonly stream?: Outbox;
  readonly bulks?: BulkOutbox;
}

/** Whose rows are delivered: a batch of a source, or documents of refused rows. */
interface Owner {
  readonly source: string;
  readonly partition: string;
  readonly memory: SharedMemory;
  readonly input: HeldInput | undefined;
  /** One more confirmation is to come. */
  pending(): void;
  confirm(positions: SinkPositions | undefined): void;
  /** The row at this offset was refused. */
  refused(offset: number): void;
}

export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #ways: Way[] = [];
  readonly #positions = new Map<string, NumberedPosition>();
  readonly #refusedRows: RefusedRows;
  #writes = 0;
  #writing = 0;
  #hurried = false;
  #restWaiters: (() => void)[] = [];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    const { plan, log, metrics, taps, signal, documents, failed, counted } = options;
    this.#refusedRows = new RefusedRows({
      ...documents,
      plan,
      log,
      metrics,
      taps,
      signal,
      wanted: () => this.wanted(),
      emit: (batch, parts, memory) => this.#emitDocuments(batch, parts, memory),
      counted,
      failed,
    });
  }

  /** Chunks that required sinks have not taken yet. */
  get writing(): number {
    return this.#writing;
  }

  /** Sinks that are being tried again since they last took something, and why. */
  get failing(): { readonly node: string; readonly why: string }[] {
    return this.#options.plan.sinks.flatMap(({ id }, index) => {
      const { stream, bulks } = this.#ways[index] ?? {};
      const why = (stream ?? bulks)?.failing;
      return why === undefined ? [] : [{ node: id, why: `takes no rows for now: ${why}` }];
    });
  }

  /** What the sinks must remember, by id; only what lies in committed batches. */
  get positions(): Record<string, Json> {
    return Object.fromEntries(Array.from(this.#positions, ([id, { position }]) => [id, position]));
  }

  /** Rows that each sink still wants of one batch, -1: all. */
  wanted(): number[] {
    return this.#options.plan.sinks.map((_, index) => this.#ways[index]?.stream?.sink.wanted?.() ?? -1);
  }

  add(index: number, sink: AnySink, { policy, retry }: DeliveryTerms = usualTerms): void {
    const { plan, log, signal, metrics } = this.#options;
    const { id, codec } = plan.sinks[index]!;
    const required = policy !== 'best_effort';
    const counts = newSinkMetrics(() => (this.#ways[index]?.stream ?? this.#ways[index]?.bulks)?.retries ?? 0);
    metrics.sinks.set(id, counts);
    const failed = (error: unknown): void => this.#sinkFailed(id, required, error);
    const common = { id, log, retry, signal, failed };
    if ('write' in sink) {
      const position = sink.position?.();
      if (position !== undefined) this.#positions.set(id, { write: 0, position });
      const stream = new Outbox({ ...common, sink, ...(required ? {} : { mostWaiting: BEST_EFFORT_SLOTS - 1 }) });
      this.#ways[index] = { sink, required, held: 0, stream };
      return;
    }
    const bulks = new BulkOutbox({
      ...common,
      sink,
      rowEndBytes: rowEndBytes(codec),
      mostWaitingBytes: required ? Number.POSITIVE_INFINITY : BEST_EFFORT_SLOTS * this.#options.memory.outputSlotBytes,
      delivered: (rows) => {
        counts.delivered += rows;
      },
      dropped: (rows) => {
        if (!required) counts.dropped += rows;
      },
      document: (refusals) => this.#refusedRows.document(index, refusals),
    });
    this.#ways[index] = { sink, required, held: 0, bulks };
    if (this.#hurried) bulks.hurry();
  }

  /** Hands parts to their sinks. Each required one holds its batch open until it has them. */
  emit(partition: Partition, batch: PartitionBatch, parts: readonly ReadyPart[]): void {
    const { memory, tracking } = this.#options;
    const owner: Owner = {
      source: partition.source,
      partition: partition.name,
      memory,
      input: batch.input,
      pending: () => {
        if (tracking) batch.pending++;
      },
      confirm: (positions) => {
        if (!tracking) return;
        for (const [id, position] of positions ?? []) keepLater(batch.sinkPositions, id, position);
        partition.confirm(batch);
      },
      refused: (offset) => batch.refused(offset),
    };
    for (const part of parts) this.#hand(owner, part);
  }

  /** The batches are committed: what the sinks said about them counts. */
  committed(batches: readonly PartitionBatch[]): void {
    for (const { sinkPositions } of batches) {
      for (const [id, position] of sinkPositions) keepLater(this.#positions, id, position);
    }
  }

  /** The checkpoint with these positions is on disk. */
  saved(positions: Readonly<Record<string, Json>>): void {
    this.#ways.forEach(({ stream }, index) => {
      const position = positions[this.#options.plan.sinks[index]!.id];
      if (position !== undefined) stream?.sink.committed?.(position);
    });
  }

  /** No more rows are read: nothing waits for a bulk to fill. */
  hurry(): void {
    this.#hurried = true;
    for (const { bulks } of this.#ways) bulks?.hurry();
  }

  /** Gives sinks that nobody waits for so long to take what they have; the rest is dropped. */
  async lastChance(ms: number): Promise<void> {
    const late = this.#ways.filter(({ required }) => !required);
    if (late.length === 0) return;
    const rested = new Promise<void>((resolve) => {
      const check = (): void => {
        if (late.every(({ stream, bulks }) => (stream ?? bulks)!.idle)) resolve();
        else this.#restWaiters.push(check);
      };
      check();
    });
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([rested, over]);
    clearTimeout(timer);
  }

  async sync(): Promise<void> {
    await Promise.all(this.#ways.map(({ sink }) => ('sync' in sink ? sink.sync?.() : undefined)));
  }

  async close(outcome: 'finished' | 'stopped'): Promise<void> {
    const { metrics, plan } = this.#options;
    this.#ways.forEach(({ required, stream, bulks }, index) => {
      if (required) return;
      stream?.stop();
      const counts = metrics.sinks.get(plan.sinks[index]!.id);
      if (counts && bulks) counts.dropped += bulks.stop();
    });
    const results = await Promise.allSettled([this.#refusedRows.close(), ...this.#ways.map(({ sink }) => sink.close(outcome))]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #emitDocuments(batch: DocumentBatch, parts: readonly ReadyPart[], memory: SharedMemory): void {
    const owner: Owner = {
      source: batch.source,
      partition: batch.partition,
      memory,
      input: undefined,
      pending: () => {
        batch.pending++;
      },
      confirm: (positions) => {
        for (const [id, position] of positions ?? []) keepLater(batch.positions, id, position);
        batch.delivered();
      },
      refused: () => {},
    };
    for (const part of parts) this.#hand(owner, part);
  }

  #hand(owner: Owner, { part, lent }: ReadyPart): void {
    const { plan, metrics } = this.#options;
    const { source, partition, memory, input } = owner;
    const { id } = plan.sinks[part.sink]!;
    const way = this.#ways[part.sink]!;
    const { stream, bulks, required } = way;
    const counts = metrics.sinks.get(id)!;
    const write = ++this.#writes;
    if (required) {
      this.#writing++;
      owner.pending();
    }
    const bytes = memory.bytes.subarray(part.start, part.start + part.bytes);
    const label = `${source}/${partition}`;
    const room = required || way.held < BEST_EFFORT_SLOTS;
    way.held++;
    counts.bytes += part.bytes;
    counts.waiting++;
    const since = performance.now();
    const release = (): void => {
      way.held--;
      lent.drop();
      if (part.origins > 0) input?.drop();
    };
    const settled = (positions: SinkPositions | undefined): void => {
      counts.waiting--;
      counts.latency.observe((performance.now() - since) / 1000);
      if (required) {
        this.#writing--;
        owner.confirm(positions);
      }
      this.#options.written();
      if (this.#restWaiters.length > 0) queueMicrotask(() => this.#rested());
    };
    const dropped = (): void => {
      counts.dropped += part.rows;
      release();
      settled(undefined);
    };
    if (!room) {
      dropped();
      return;
    }
    const { buffer } = memory.memory;
    const offsets = part.offsets === 0 ? undefined : new Uint32Array(buffer, part.offsets, part.rows + 1);
    const side = part.side.map(({ start, offsets }) => {
      const own = new Uint32Array(buffer, offsets, part.rows + 1);
      return { bytes: memory.bytes.subarray(start, start + own[part.rows]!), offsets: own };
    });
    if (bulks) {
      bulks.push({
        rows: part.rows,
        bytes,
        offsets: offsets!,
        side,
        label,
        origins: {
          source,
          partition,
          offset: input?.offset ?? 0,
          // Documents of refused rows were not read: no pointer lies in these bounds.
          from: input?.from ?? 0,
          to: input?.to ?? 0,
          memory: memory.bytes,
          pointers: new Uint32Array(buffer, part.origins, 2 * part.rows),
          ...(part.positions === 0 ? {} : { positions: new Float64Array(buffer, part.positions, part.rows) }),
        },
        release,
        settled,
        dropped,
        refused: owner.refused,
      });
      return;
    }
    const delivered = (position: SinkPosition | undefined): void => {
      counts.delivered += part.rows;
      release();
      settled(position === undefined ? undefined : new Map([[id, { write, position }]]));
    };
    const more = { ...(offsets ? { offsets } : {}), ...(side.length > 0 ? { side } : {}) };
    stream!.push({ chunk: { bytes, rows: part.rows, partition: label, ...more }, delivered, dropped });
  }

  /** A required sink that cannot go on ends the punchline; of another one only its own rows are lost. */
  #sinkFailed(id: string, required: boolean, error: unknown): void {
    const { failed, log, signal } = this.#options;
    if (required) failed(error);
    else if (!signal.aborted) {
      log.warn(`${(error as Error).message}; nobody waits for sink "${id}", it gets no more rows in this run`, { node: id });
    }
    this.#rested();
  }

  #rested(): void {
    for (const check of this.#restWaiters.splice(0)) check();
  }
}

function keepLater(positions: Map<string, NumberedPosition>, id: string, position: NumberedPosition): void {
  if (position.write > (positions.get(id)?.write ?? -1)) positions.set(id, position);
}
