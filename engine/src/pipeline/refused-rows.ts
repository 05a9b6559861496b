/**
 * Rows that a sink has refused for good, on their way to the error table. Their documents are written on the main thread (it has
 * the row as it entered the sink, and what was read, in memory) and go through a small pipeline of their own: a worker and memory
 * that nothing else uses, made when the first row is refused. So they never wait for memory that waits for them, whatever the
 * error table leads to.
 */
import { type ErrorDocument, type RowBytes, rowBytes, rowHead } from '../batch/error-document.ts';
import type { Documented, Refusal } from '../delivery/bulk-outbox.ts';
import type { NumberedPosition } from '../delivery/parcel.ts';
import type { Log } from '../spec/node.ts';
import { ERROR_COLUMN } from '../spec/plan.ts';
import { RECORD_HEADER_BYTES, type RecordLayout } from '../spec/records.ts';
import { redacted } from '../spec/secrets.ts';
import type { Counts, PlannedEdge, PlannedSource, PreparedFunction, WorkerPlan } from '../worker/protocol.ts';
import { Computer } from './computer.ts';
import type { Job, ReadyPart } from './job.ts';
import type { Metrics } from './metrics.ts';
import { recordCutter } from './row-cutter.ts';
import { SharedMemory, type Slot, type SlotPool } from './slots.ts';
import type { Taps } from './taps.ts';

export interface RefusedRowsOptions {
  readonly plan: WorkerPlan;
  readonly kernel: WebAssembly.Module;
  readonly slotBytes: number;
  readonly maxRowBytes: number;
  readonly maxRows: number;
  readonly idleMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly taps: Taps;
  readonly signal: AbortSignal;
  prepared(): readonly PreparedFunction[];
  wanted(): number[];
  /** Rows of error tables, for their sinks. */
  emit(batch: DocumentBatch, parts: readonly ReadyPart[], memory: SharedMemory): void;
  counted(counts: Counts): void;
  failed(error: unknown): void;
  unkillable(): void;
}

/** Documents that are delivered together. */
export interface DocumentBatch {
  readonly source: string;
  readonly partition: string;
  readonly positions: Map<string, NumberedPosition>;
  /** Parts on their way, and the computation itself. */
  pending: number;
  delivered(): void;
}

export class RefusedRows {
  readonly #options: RefusedRowsOptions;
  readonly #plan: WorkerPlan;
  #memory: SharedMemory | undefined;
  #computer: Promise<Computer> | undefined;
  #last: Promise<void> = Promise.resolve();
  /** By sink. */
  readonly #refused = new Map<string, number>();
  #jobs = 0;

  constructor(options: RefusedRowsOptions) {
    this.#options = options;
    this.#plan = planDocuments(options.plan);
  }

  /** Writes the documents of rows that `sink` has refused. */
  document(sink: number, refusals: readonly Refusal[]): Documented {
    const { plan, metrics, taps } = this.#options;
    const { id, errors } = plan.sinks[sink]!;
    if (taps.wants(id, 'rejected')) showRefused(taps, id, refusals);
    this.#tell(id, refusals);
    metrics.rejected += refusals.length;
    metrics.rejectedBy.set(id, (metrics.rejectedBy.get(id) ?? 0) + refusals.length);
    // A document that is refused in its turn goes to the dead letters, never in a circle.
    const toTable = errors === undefined ? [] : refusals.filter(({ origin }) => origin.bytes !== undefined);
    const toFile = errors === undefined ? refusals : refusals.filter(({ origin }) => origin.bytes === undefined);
    const batches: Promise<DocumentBatch['positions']>[] = [];
    const composed = this.#inTurn(async () => {
      if (toTable.length > 0) await this.#compose(sink, id, toTable, batches);
      if (toFile.length > 0) await this.#compose(plan.deadLetters, id, toFile, batches);
    });
    const delivered = composed.then(async () => new Map((await Promise.all(batches)).flatMap((positions) => [...positions])));
    // Whoever waits for both sees it at the first.
    delivered.catch(() => {});
    return { composed, delivered };
  }

  /** The first time, and at each doubling: a server that refuses everything must show, and not fill the log. */
  #tell(sink: string, refusals: readonly Refusal[]): void {
    const before = this.#refused.get(sink) ?? 0;
    const now = before + refusals.length;
    this.#refused.set(sink, now);
    if (before > 0 && Math.log2(now) < Math.floor(Math.log2(before)) + 1) return;
    const count = now === 1 ? 'a row' : `${now} rows so far`;
    this.#options.log.warn(
      `sink "${sink}" refuses ${count} for good, which the error table has: ${redacted(refusals[0]!.reason)}`,
      {
        node: sink,
      },
    );
  }

  async close(): Promise<void> {
    const computer = await this.#computer?.catch(() => undefined);
    await computer?.stop();
  }

  #inTurn(body: () => Promise<void>): Promise<void> {
    const next = this.#last.then(body);
    this.#last = next.catch(() => {});
    return next;
  }

  /** Writes documents into input slots of their own, as many as needed. `source`: as in the plan of documents. */
  async #compose(
    source: number,
    node: string,
    refusals: readonly Refusal[],
    batches: Promise<DocumentBatch['positions']>[],
  ): Promise<void> {
    const { signal } = this.#options;
    const memory = this.#open();
    const computer = await this.#computer!;
    const inTable = source !== this.#options.plan.deadLetters;
    const time = new Date().toISOString();
    let slot: Slot | undefined;
    let filled = 0;
    let first = refusals[0]!;
    const submit = (pool: SlotPool): void => {
      if (slot) batches.push(this.#submit(computer, source, { slot, pool, bytes: filled, first }));
      slot = undefined;
      filled = 0;
    };
    for (const refusal of refusals) {
      const record = recordOf(refusal.origin.position, this.#line(node, refusal, time, inTable));
      const full = slot !== undefined && slot.start + filled + record.length > slot.end;
      if (full || !samePartition(refusal, first)) submit(memory.input);
      if (!slot) {
        first = refusal;
        slot = await memory.input.take(signal);
      }
      if (record.length <= slot.end - slot.start) {
        memory.bytes.set(record, slot.start + filled);
        filled += record.length;
        continue;
      }
      memory.input.release(slot);
      slot = await memory.largeInput.take(signal);
      memory.bytes.set(record, slot.start);
      filled = record.length;
      submit(memory.largeInput);
    }
    submit(memory.input);
  }

  #line(node: string, refusal: Refusal, time: string, inTable: boolean): Uint8Array {
    const { maxRowBytes } = this.#options;
    const whole = documentLine(this.#describe(node, refusal, time, rowBytes), inTable);
    if (whole.length <= maxRowBytes) return whole;
    return documentLine(this.#describe(node, refusal, time, rowHead), inTable);
  }

  #describe(
    node: string,
    { origin, entered, reason }: Refusal,
    time: string,
    inDocument: (row: Uint8Array) => RowBytes,
  ): ErrorDocument {
    const { source, partition, position, bytes } = origin;
    const asEntered = inDocument(entered);
    return {
      punchline: this.#options.plan.punchline,
      node,
      reason: redacted(reason),
      source,
      partition,
      position,
      id: `${source}:${partition}:${position}`,
      time,
      origin: bytes === undefined ? asEntered : inDocument(bytes),
      entered: asEntered,
    };
  }

  #submit(
    computer: Computer,
    source: number,
    written: { readonly slot: Slot; readonly pool: SlotPool; readonly bytes: number; readonly first: Refusal },
  ): Promise<DocumentBatch['positions']> {
    const { slot, pool, bytes, first } = written;
    const { emit, counted } = this.#options;
    const memory = this.#memory!;
    const done = Promise.withResolvers<DocumentBatch['positions']>();
    const batch: DocumentBatch = {
      source: first.origin.source,
      partition: first.origin.partition,
      positions: new Map(),
      pending: 1,
      delivered() {
        if (--batch.pending === 0) done.resolve(batch.positions);
      },
    };
    const job: Job = {
      number: this.#jobs++,
      source,
      sourceId: first.origin.source,
      partition: first.origin.partition,
      replayable: false,
      slot,
      pool,
      start: slot.start,
      offset: first.origin.position,
      wholeRows: true,
      last: true,
      cutter: recordCutter(memory),
      records: DOCUMENT_RECORDS,
      of: first.origin.source,
      timestamp: Date.now(),
      pin: undefined,
      ranges: [{ from: slot.start, to: slot.start + bytes, deaths: 0 }],
      lent: new Map(),
      isFirst: () => true,
      ready: (parts) => emit(batch, parts, memory),
      counted,
      computed: () => {
        pool.release(slot);
        batch.delivered();
      },
    };
    computer.submit(job);
    return done.promise;
  }

  #open(): SharedMemory {
    if (this.#memory) return this.#memory;
    const { slotBytes, maxRowBytes, kernel, maxRows, idleMs, log, metrics, taps, wanted, failed, unkillable } = this.#options;
    const payloads = this.#plan.sinks.filter(({ payload }) => payload).length;
    const memory = new SharedMemory({
      workers: 1,
      inputSlots: 2,
      outputSlots: 2 * payloads + 2,
      inputSlotBytes: slotBytes,
      outputSlotBytes: slotBytes + (slotBytes >> 1),
      maxRowBytes,
    });
    this.#memory = memory;
    const computer = new Computer({
      plan: this.#plan,
      kernel,
      memory,
      workers: 1,
      maxRows,
      jobsPerWorker: 1,
      idleMs,
      eagerSinks: new Set(),
      stateful: false,
      noteDigests: false,
      log,
      wanted,
      metrics,
      taps,
      inFlight: undefined,
      failed,
      unkillable,
    });
    const prepared = this.#plan.functions.length === 0 ? [] : this.#options.prepared();
    this.#computer = computer.start(prepared).then(() => computer);
    this.#computer.catch(failed);
    return memory;
  }
}

function showRefused(taps: Taps, node: string, refusals: readonly Refusal[]): void {
  const rows = refusals.slice(0, taps.take(node, 'rejected', refusals.length)).map(({ origin, entered, reason }) => ({
    id: `${origin.source}:${origin.partition}:${origin.position}`,
    text: redacted(Buffer.from(entered).toString().trimEnd()),
    bytes: entered.length,
    reason: redacted(reason),
  }));
  taps.show({ node, side: 'rejected', rows });
}

/** Each document is a row by itself, known by the position of the row that it is about. */
const DOCUMENT_RECORDS: RecordLayout = { columns: [], rows: 'one' };

/** A record without values around the line. */
function recordOf(position: number, line: Uint8Array): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + line.length);
  record.writeUInt32LE(record.length - 4, 0);
  record.writeDoubleLE(position, 8);
  record.set(line, RECORD_HEADER_BYTES);
  return record;
}

function samePartition({ origin: one }: Refusal, { origin: other }: Refusal): boolean {
  return one.source === other.source && one.partition === other.partition;
}

function documentLine(document: ErrorDocument, inTable: boolean): Uint8Array {
  const text = JSON.stringify(document);
  return Buffer.from(`${inTable ? JSON.stringify({ [ERROR_COLUMN]: text }) : text}\n`);
}

/**
 * The plan with the error tables as sources: source i gives the documents of what sink i refuses, the one at `deadLetters` those
 * that go to the dead-letter file. Where they fail again, that is the dead letters' too.
 */
function planDocuments(plan: WorkerPlan): WorkerPlan {
  const sourceTo = (id: string, { target, columns }: PlannedEdge): PlannedSource => ({
    id,
    codec: { name: 'json' },
    lineColumn: ERROR_COLUMN,
    out: [{ target, ...(columns ? { columns } : {}) }],
    errors: undefined,
  });
  const deadLetters = { target: { sink: plan.deadLetters } };
  const sources = plan.sinks.map(({ id, errors }) => sourceTo(id, errors ?? deadLetters));
  const reachesFunctions = sources.some(({ out }) => out.some(({ target }) => 'function' in target));
  return { ...plan, sources, functions: reachesFunctions ? plan.functions : [] };
}
