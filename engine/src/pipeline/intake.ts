/** The way in: runs the sources, cuts what they feed into batches, and gives these to the workers. */
import { backoff } from '../delivery/backoff.ts';
import { ReefError } from '../errors.ts';
import type { Feed, PartitionFeed, PartitionOptions, Position } from '../spec/feed.ts';
import type { Log } from '../spec/node.ts';
import type { Json } from '../spec/plan.ts';
import type { Source } from '../spec/source.ts';
import type { Suspect } from '../state/suspects.ts';
import type { Counts, Marked, WorkerPlan } from '../worker/protocol.ts';
import { CsvHead, withoutColumns } from './csv-head.ts';
import { type Cut, Framer } from './framer.ts';
import { HeldInput } from './held-input.ts';
import type { Job } from './job.ts';
import type { Metrics } from './metrics.ts';
import type { Probe } from './options.ts';
import { type MarkedRows, Partition, type PartitionBatch, type PartitionEvents } from './partition.ts';
import { probedRanges } from './probed-ranges.ts';
import { csvCutter, newlineCutter, type RowCutter, recordCutter } from './row-cutter.ts';
import type { SharedMemory } from './slots.ts';
import { rangesAround } from './suspects.ts';

export interface IntakeOptions {
  readonly plan: WorkerPlan;
  readonly memory: SharedMemory;
  readonly kernel: WebAssembly.Module;
  readonly metrics: Metrics;
  readonly maxRowBytes: number;
  readonly log: Log;
  /** Ends the sources. */
  readonly signal: AbortSignal;
  readonly suspects: readonly Suspect[];
  /** Positions of the checkpoint, by source. */
  readonly positions: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Batches of one partition must go to one worker. */
  readonly pinned: boolean;
  readonly events: Omit<PartitionEvents, 'settled'>;
  readonly probe: Probe | undefined;
  submit(job: Job): void;
  counted(counts: Counts): void;
  computed(): void;
  /** Resolves when all of the partition is delivered and saved. */
  delivered(partition: Partition): Promise<void>;
  /** A source is to be run again after a failure; `undefined`: it feeds again. */
  hindered(source: string, why: string | undefined): void;
  /** A partition's position is to leave the checkpoint. */
  forgotten(): void;
  /** A partition has a position to save before anything of it is delivered. */
  positioned(): void;
}

/** Everything of a partition up to the position is safe once the checkpoint is on disk, and its source does not know it yet. */
export interface News {
  readonly source: Source;
  readonly partition: string;
  readonly position: Position;
}

/** A source that has run for so long has run well: longer than any pause. */
const WELL_MS = 60_000;

export class Intake {
  readonly #options: IntakeOptions;
  readonly #sources: Source[] = [];
  /** Those that are fed, or of which something is on its way or not saved. */
  readonly #partitions = new Map<string, Partition>();
  /** Those that may hold memory. */
  readonly #framers = new Set<Framer>();
  /** As the last checkpoint has them, or is about to: by source, then partition. */
  readonly #positions: ReadonlyMap<string, Map<string, Position>>;
  /** Of sources that the punchline has no more, or for now. */
  readonly #others: readonly (readonly [string, Readonly<Record<string, Position>>])[];
  #batches = 0;
  #opened = 0;
  /** By separator, or newline. */
  readonly #cutters = new Map<string, RowCutter>();
  /** The sources know what the last run had saved. */
  #told = false;
  /** A source answers for rows once they are settled. */
  #settles = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { plan, positions, memory } = options;
    this.#positions = new Map(plan.sources.map(({ id }) => [id, new Map(Object.entries(positions[id] ?? {}))]));
    this.#others = Object.entries(positions).filter(([id]) => !this.#positions.has(id));
    const { input, largeInput } = memory;
    const yieldSlots = (): void => {
      for (const framer of this.#framers) framer.yield();
    };
    input.onWait = yieldSlots;
    largeInput.onWait = yieldSlots;
  }

  add(source: Source): void {
    this.#sources.push(source);
  }

  get partitions(): Iterable<Partition> {
    return this.#partitions.values();
  }

  /**
   * Positions for a checkpoint that is made now: of this run and those before it. Lets go of partitions that are over: their position
   * is all that is left of them. News must have been taken before.
   */
  positionsNow(): Record<string, Record<string, Position>> {
    for (const [key, partition] of this.#partitions) {
      this.#keepPosition(partition);
      if (this.#isOver(partition)) this.#partitions.delete(key);
    }
    const own = Array.from(this.#positions, ([id, saved]) => [id, Object.fromEntries(saved)] as const);
    return Object.fromEntries([...this.#others, ...own.filter(([, saved]) => Object.keys(saved).length > 0)]);
  }

  #keepPosition({ source, name, position, replayable, forgotten, settled }: Partition): void {
    const saved = this.#positions.get(source)!;
    if (forgotten && settled) saved.delete(name);
    else if (position !== undefined && replayable) saved.set(name, position);
  }

  /** A folder may have a hundred thousand files: what nobody is to hear of any more does not wait for the next checkpoint. */
  #letGo(partition: Partition, source: Source): void {
    if (source.committed || partition.answers || !this.#isOver(partition)) return;
    this.#keepPosition(partition);
    this.#partitions.delete(keyOf(partition.source, partition.name));
  }

  /** Nothing of it is on its way, and nothing will come. Where functions remember things by partition, it may come again. */
  #isOver(partition: Partition): boolean {
    return partition.settled && (partition.forgotten || (partition.framer?.ended === true && !this.#options.pinned));
  }

  /** Bytes that the sources will feed in all; `undefined` when one does not know. */
  totalBytes(): number | undefined {
    let total = 0;
    for (const source of this.#sources) {
      const bytes = source.totalBytes?.();
      if (bytes === undefined) return undefined;
      total += bytes;
    }
    return total;
  }

  /** Runs all sources to their end, or until the signal. */
  async run(): Promise<void> {
    await Promise.all(this.#sources.map((source, index) => this.#run(source, index)));
  }

  /** A source lets go of its rows for good when it hears that they are delivered. */
  get acknowledges(): boolean {
    return this.#settles || this.#sources.some((source) => source.committed !== undefined && !source.repeats);
  }

  /**
   * What the sources have not been told of yet: how far the rows of each partition are safe. The first time that is all that the
   * last run had saved: it may have died before it could tell.
   */
  takeNews(): readonly News[] {
    const news: News[] = [];
    for (const [index, source] of this.#sources.entries()) {
      if (!source.committed) continue;
      const byName = new Map(this.#told ? [] : this.#positions.get(this.#id(index)));
      for (const partition of this.#partitions.values()) {
        if (partition.source !== this.#id(index) || !partition.replayable) continue;
        if (partition.position === undefined || partition.position === partition.told) continue;
        partition.told = partition.position;
        byName.set(partition.name, partition.position);
      }
      for (const [partition, saved] of byName) news.push({ source, partition, position: withoutColumns(saved).position });
    }
    this.#told = true;
    return news;
  }

  async close(): Promise<void> {
    const results = await Promise.allSettled(this.#sources.map((source) => source.close()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #id(source: number): string {
    return this.#options.plan.sources[source]!.id;
  }

  async #run(source: Source, index: number): Promise<void> {
    const { signal, log } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const start = performance.now();
      try {
        await source.run(this.#feed(index), signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ReefError) || !error.retry) throw error;
        for (const { source: id, framer } of this.#partitions.values()) if (id === this.#id(index)) framer?.rest();
        // What fails once in a while must not wait as what fails all the time.
        if (performance.now() - start >= WELL_MS) attempt = 0;
        if ((attempt & (attempt + 1)) === 0)
          log.warn(`${error.message}; source "${this.#id(index)}" is run again after a pause (try ${attempt + 1})`);
        this.#options.hindered(this.#id(index), error.message);
        await backoff(attempt, signal).catch(() => {});
      }
    }
  }

  #feed(index: number): Feed {
    const id = this.#id(index);
    const resume = new Map<string, Position>();
    for (const [name, position] of this.#positions.get(id)!) resume.set(name, withoutColumns(position).position);
    for (const partition of this.#partitions.values()) {
      const fed = partition.source === id ? partition.fed : undefined;
      if (fed !== undefined) resume.set(partition.name, fed);
    }
    const { maxRowBytes } = this.#options;
    return { resume, maxRowBytes, partition: (name, options = {}) => this.#openPartition(index, name, options) };
  }

  #openPartition(index: number, name: string, options: PartitionOptions): PartitionFeed {
    const { memory, maxRowBytes, signal, events, delivered, forgotten, positioned } = this.#options;
    const id = this.#id(index);
    this.#options.hindered(id, undefined);
    const key = keyOf(id, name);
    const letGo = (over: Partition): void => this.#letGo(over, this.#sources[index]!);
    const partition = this.#partitions.get(key) ?? new Partition(id, name, { ...events, settled: letGo }, this.#opened++);
    this.#partitions.set(key, partition);
    partition.framer?.discard();
    if (partition.framer) this.#framers.delete(partition.framer);
    this.#settles ||= options.settled !== undefined;
    const cutter = this.#cutterOf(index, options);
    const head = this.#headOf(index, partition, options);
    partition.open(options, head);
    if (partition.position !== undefined) positioned();
    const framer = new Framer(
      {
        memory,
        // A record is never too long: who writes it sees to that.
        maxRowBytes: options.records ? Number.POSITIVE_INFINITY : maxRowBytes,
        cutter,
        signal: options.lingerMs === undefined ? signal : lingering(signal, options.lingerMs),
        submit: (cut) => {
          const rows = head ? head.take(cut, memory.bytes) : cut;
          if (rows) this.#submit(index, partition, rows, cutter);
        },
        delivered: () => delivered(partition),
        busy: () => !partition.settled,
        forget: () => {
          partition.forgotten = true;
          // It may have been let go of already, and only its position be left.
          if (!this.#partitions.has(key)) this.#keepPosition(partition);
          forgotten();
        },
        ended: (framer) => {
          this.#framers.delete(framer);
          letGo(partition);
        },
      },
      options.offset ?? 0,
    );
    partition.framer = framer;
    this.#framers.add(framer);
    return framer;
  }

  #cutterOf(source: number, { codec = this.#options.plan.sources[source]!.codec, records }: PartitionOptions): RowCutter {
    const { memory, kernel } = this.#options;
    if (records) return recordCutter(memory);
    const key = codec.name === 'csv' ? codec.separator : '\n';
    const cutter = this.#cutters.get(key) ?? (codec.name === 'csv' ? csvCutter(memory, kernel, key) : newlineCutter(memory));
    this.#cutters.set(key, cutter);
    return cutter;
  }

  #headOf(source: number, partition: Partition, options: PartitionOptions): CsvHead | undefined {
    const { plan, log } = this.#options;
    const { codec = plan.sources[source]!.codec, offset = 0 } = options;
    if (codec.name !== 'csv' || !codec.header || options.records) return undefined;
    const saved = this.#positions.get(partition.source)?.get(partition.name);
    const known = partition.head?.codec?.columns ?? (saved === undefined ? undefined : withoutColumns(saved).columns);
    return new CsvHead({ codec, offset, known, subject: `${partition.name} (source "${partition.source}")`, log });
  }

  #submit(source: number, partition: Partition, cut: Cut, cutter: RowCutter): void {
    const { metrics, memory, suspects, pinned, probe, submit, counted, computed } = this.#options;
    const batch: PartitionBatch = partition.add(cut.end, cut.marks);
    const input = new HeldInput(cut);
    batch.input = input;
    const whole = { from: cut.from, to: cut.to, deaths: 0, ...(cut.reject ? { reject: cut.reject } : {}) };
    let ranges = rangesAround(whole, cut.offset, partition, suspects, memory.bytes);
    if (probe) ranges = probedRanges(ranges, cut, partition, probe, cutter);
    const own = metrics.sources.get(partition.source)!;
    metrics.bytesIn += cut.end - cut.offset;
    metrics.batches++;
    own.bytes += cut.end - cut.offset;
    own.batches++;
    const job: Job = {
      number: this.#batches++,
      source,
      sourceId: partition.source,
      partition: partition.name,
      replayable: partition.replayable,
      slot: cut.slot,
      pool: cut.pool,
      start: cut.from,
      offset: cut.offset,
      last: cut.last,
      // In a probe, ranges end where they were noted.
      wholeRows: !probe,
      cutter,
      timestamp: Date.now(),
      pin: pinned ? partition.number : undefined,
      ...(partition.table === undefined ? {} : { table: partition.table }),
      ...(partition.codec === undefined ? {} : { codec: partition.codec }),
      ...(partition.records === undefined ? {} : { records: partition.records }),
      ...(batch.marked ? { marks: cut.marks } : {}),
      ranges,
      lent: new Map(),
      isFirst: () => partition.isFirst(batch),
      ready: (parts) => {
        for (const { part } of parts) if (part.origins > 0) input.hold();
        partition.ready(batch, parts);
      },
      counted: (counts) => {
        own.rows += counts.rows;
        own.undecodable += counts.malformed + counts.notObject;
        if (batch.marked) for (const marked of counts.marked ?? []) addMarked(batch.marked, marked);
        counted(counts);
      },
      computed: (pointer) => {
        if (!cut.reject) batch.end = cut.offset + (pointer - cut.from);
        input.drop();
        partition.computed(batch);
        computed();
      },
    };
    if (ranges.length === 0) job.computed(cut.to);
    else submit(job);
  }
}

function keyOf(source: string, partition: string): string {
  return `${source}/${partition}`;
}

function addMarked(sum: MarkedRows, more: Marked): void {
  more.rows.forEach((rows, index) => {
    sum.rows[index]! += rows;
  });
  more.rejected.forEach((rows, index) => {
    sum.rejected[index]! += rows;
  });
}

/** Aborts some time after `signal` does. */
function lingering(signal: AbortSignal, ms: number): AbortSignal {
  const end = new AbortController();
  signal.addEventListener('abort', () => setTimeout(() => end.abort(signal.reason), ms).unref(), { once: true });
  if (signal.aborted) end.abort(signal.reason);
  return end.signal;
}
