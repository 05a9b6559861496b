/**
 * A running punchline: sources feed slots, workers compute, sinks write, positions follow. This file only connects the parts;
 * what each does stands in its own.
 */
import { isDeepStrictEqual } from 'node:util';
import { defaultRetry } from '../delivery/backoff.ts';
import { nodeLog } from '../spec/node-log.ts';
import { ownCounter } from '../spec/own-metrics.ts';
import type { Punchline, PunchlineNode } from '../spec/plan.ts';
import type { SourceContext, SourceSpec } from '../spec/source.ts';
import type { Counts, PreparedFunction, WorkerPlan } from '../worker/protocol.ts';
import { Checkpointer, type Snapshot } from './checkpointer.ts';
import { Computer } from './computer.ts';
import { BEST_EFFORT_SLOTS, Deliveries } from './deliveries.ts';
import { Intake } from './intake.ts';
import { addOwnMetrics, countOwn, type Metrics, newMetrics, newSourceMetrics } from './metrics.ts';
import type { PipelineOptions, PipelineState } from './options.ts';
import type { Partition } from './partition.ts';
import { planWorker, type SpecifiedNode, sinksOfGoodRows } from './plan-worker.ts';
import { prepareFunctions } from './prepare-functions.ts';
import type { Gauges, Phase, SlotUse } from './running.ts';
import { SharedMemory, type SlotPool } from './slots.ts';
import { Taps } from './taps.ts';

/** At the end, sinks that nobody waits for get so long to take what they have. */
const LAST_CHANCE_MS = 2000;

export class Pipeline {
  readonly metrics: Metrics = newMetrics();
  /** Rows on their way, for whoever wants to see some. */
  readonly taps: Taps;
  readonly #punchline: Punchline;
  readonly #specs: ReadonlyMap<string, SpecifiedNode>;
  readonly #state: PipelineState;
  readonly #options: PipelineOptions;
  readonly #plan: WorkerPlan;
  readonly #computer: Computer;
  readonly #intake: Intake;
  readonly #deliveries: Deliveries;
  readonly #checkpointer: Checkpointer;
  /** Ends the sources: no new rows. */
  readonly #drain = new AbortController();
  /** Ends everything, at once. */
  readonly #abort = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  readonly #memory: SharedMemory;
  /** What keeps sources from reading. */
  readonly #hindrances = new Map<string, string>();
  /** Nodes that are still to be opened. */
  readonly #unopened: Set<string>;
  #prepared: readonly PreparedFunction[] = [];
  readonly #quietWaiters: (() => void)[] = [];
  /** Who waits for the first `batches` of a partition to be committed and saved. */
  #deliveredWaiters: { readonly partition: Partition; readonly batches: number; readonly resolve: () => void }[] = [];

  constructor(punchline: Punchline, specs: ReadonlyMap<string, SpecifiedNode>, state: PipelineState, options: PipelineOptions) {
    this.#punchline = punchline;
    this.#specs = specs;
    this.#state = state;
    this.#options = options;
    this.#plan = planWorker(punchline, specs);
    this.taps = new Taps(punchline.nodes);
    for (const { id } of this.#nodes('source')) this.metrics.sources.set(id, newSourceMetrics());
    for (const { id } of this.#nodes('function')) this.metrics.functions.set(id, { entered: 0, left: 0, cpuSeconds: 0 });
    for (const [node, { spec }] of specs) addOwnMetrics(this.metrics, node, spec.metrics);
    const { log, tracking, workers, slotBytes, maxRowBytes } = options;
    const failed = (error: unknown): void => this.#failed.reject(error);
    const pinned = [...specs.values()].some(({ spec }) => spec.kind === 'function' && spec.state === 'partition');
    const payloads = this.#plan.sinks.filter(({ payload }) => payload).length;
    // What a sink keeps that nobody waits for must not be missing to the others.
    const extra = BEST_EFFORT_SLOTS * punchline.nodes.filter(({ policy }) => policy === 'best_effort').length;
    const memory = new SharedMemory({
      workers,
      inputSlots: 3 * workers + 2 + extra,
      outputSlots: payloads * (2 * workers + 2) + extra,
      inputSlotBytes: slotBytes,
      outputSlotBytes: slotBytes + (slotBytes >> 1),
      maxRowBytes,
    });
    this.#memory = memory;
    this.#unopened = new Set(punchline.nodes.map(({ id }) => id));
    this.#deliveries = new Deliveries({
      plan: this.#plan,
      memory,
      metrics: this.metrics,
      taps: this.taps,
      log,
      tracking,
      signal: this.#abort.signal,
      documents: {
        ...options,
        prepared: () => this.#prepared,
      },
      failed,
      counted: (counts) => this.#count({ ...counts, rows: 0 }),
      written: () => this.#checkQuiet(),
    });
    this.#computer = new Computer({
      plan: this.#plan,
      kernel: options.kernel,
      memory,
      workers,
      maxRows: options.maxRows,
      idleMs: options.idleMs,
      eagerSinks: sinksOfGoodRows(this.#plan),
      stateful: pinned,
      noteDigests: options.probe?.rowsAtOnce === 1,
      log,
      metrics: this.metrics,
      taps: this.taps,
      inFlight: tracking || options.probe ? state.inFlight : undefined,
      jobsPerWorker: options.probe ? 1 : 2,
      wanted: () => this.#deliveries.wanted(),
      failed,
      unkillable: (source) => options.unkillable(source),
    });
    this.#intake = new Intake({
      plan: this.#plan,
      memory,
      kernel: options.kernel,
      metrics: this.metrics,
      maxRowBytes,
      log,
      signal: this.#drain.signal,
      hindered: (source, why) => this.#hindered(source, why),
      suspects: state.suspects.list,
      positions: state.checkpoint?.positions ?? {},
      pinned,
      events: {
        emit: (partition, batch, parts) => this.#deliveries.emit(partition, batch, parts),
        committed: (batches) => {
          this.#deliveries.committed(batches);
          const now = performance.now();
          for (const { source, since } of batches) this.metrics.sources.get(source)!.latency.observe((now - since) / 1000);
          if (tracking || this.#deliveredWaiters.length > 0) this.#checkpointer.changed();
        },
        unsaved: () => this.#checkpointer.hurry(),
      },
      probe: options.probe,
      submit: (job) => this.#computer.submit(job),
      counted: (counts) => this.#count(counts),
      computed: () => this.#checkQuiet(),
      delivered: (partition) => this.#delivered(partition),
      forgotten: () => this.#checkpointer.changed(),
      positioned: () => this.#checkpointer.changed(),
    });
    this.#checkpointer = new Checkpointer({
      state,
      intervalMs: options.checkpointMs,
      durable: () => this.#durable,
      log,
      signal: this.#abort.signal,
      snapshot: () => this.#snapshot(),
      syncSinks: () => this.#deliveries.sync(),
      failed,
    });
    // Seen by `run`; after that, by nobody.
    this.#failed.promise.catch(() => {});
  }

  get phase(): Phase {
    if (this.#abort.signal.aborted) return 'ended';
    if (this.stopping) return 'draining';
    return this.#unopened.size > 0 ? 'opening' : 'running';
  }

  get gauges(): Gauges {
    const { input, output } = this.#memory;
    const use = ({ size, free, waiting }: SlotPool): SlotUse => ({ used: size - free, size, waiting });
    return {
      workers: this.#computer.workers,
      queuedBatches: this.#computer.queued,
      inputSlots: use(input),
      outputSlots: use(output),
    };
  }

  get unready(): { readonly node: string; readonly why: string }[] {
    const unopened = Array.from(this.#unopened, (node) => ({ node, why: 'is not open' }));
    const hindered = Array.from(this.#hindrances, ([node, why]) => ({ node, why: `reads nothing for now: ${why}` }));
    return [...unopened, ...hindered, ...this.#deliveries.failing];
  }

  #hindered(source: string, why: string | undefined): void {
    if (why === undefined) this.#hindrances.delete(source);
    else this.#hindrances.set(source, why);
  }

  /** Opens everything; nothing flows yet. Rejects with a `ReefError` that names what cannot be opened. */
  async open(): Promise<void> {
    const { openSinks, log } = this.#options;
    const starting = this.#startComputer();
    starting.catch(() => {});
    // Sinks last: an output must not be emptied for an input that is not there, or a function that does not start.
    for (const node of this.#nodes('source')) {
      this.#intake.add(await this.#openSource(node));
      this.#unopened.delete(node.id);
    }
    await starting;
    for (const { id } of this.#nodes('function')) this.#unopened.delete(id);
    for (const [index, node] of this.#nodes('sink').entries()) {
      const { policy = 'required', retry = defaultRetry } = node;
      this.#deliveries.add(index, await this.#openSink(node), { policy, retry });
      this.#unopened.delete(node.id);
    }
    this.#deliveries.add(this.#plan.deadLetters, await openSinks.deadLetters(this.#punchline, this.#state, log));
    this.metrics.bytesTotal = this.#intake.totalBytes();
    if (this.#options.tracking) await this.#saveStart();
  }

  /** So that a crash before the first checkpoint can be undone too. */
  async #saveStart(): Promise<void> {
    const { checkpoint } = this.#state;
    const start = this.#positionsNow();
    if (checkpoint && isDeepStrictEqual(start, { positions: checkpoint.positions, sinks: checkpoint.sinks })) return;
    await this.#state.save(start, { sync: this.#durable });
  }

  /** Runs until the sources have ended, or `stop` was called, and all that was fed is delivered. */
  async run(): Promise<void> {
    const sources = this.#intake.run();
    await Promise.race([sources, this.#failed.promise]);
    this.#deliveries.hurry();
    await Promise.race([this.#quiet(), this.#failed.promise]);
    await this.#checkpointer.save();
    await this.#deliveries.lastChance(LAST_CHANCE_MS);
  }

  /** Feeds no more: `run` resolves when what was fed is delivered. */
  stop(): void {
    this.#drain.abort();
  }

  /** What the functions have made once for all workers, in the order of the plan. */
  get prepared(): readonly PreparedFunction[] {
    return this.#prepared;
  }

  get stopping(): boolean {
    return this.#drain.signal.aborted;
  }

  /** After a failure: what was delivered is written down, so that it need not be repeated. */
  async saveProgress(): Promise<void> {
    await this.#checkpointer.save();
  }

  async close(outcome: 'finished' | 'stopped'): Promise<void> {
    this.#drain.abort();
    this.#abort.abort();
    this.#checkpointer.stop();
    this.taps.close();
    await this.#computer.stop();
    try {
      await this.#intake.close();
    } finally {
      await this.#deliveries.close(outcome);
    }
  }

  async #startComputer(): Promise<void> {
    const { suspects } = this.#state;
    this.#prepared = await prepareFunctions(this.#punchline, this.#specs, suspects.list, this.#options.log);
    await this.#computer.start(this.#prepared);
  }

  #nodes(kind: PunchlineNode['kind']): PunchlineNode[] {
    return this.#punchline.nodes.filter((node) => node.kind === kind);
  }

  #openSink(node: PunchlineNode): ReturnType<PipelineOptions['openSinks']['node']> {
    const { openSinks, log } = this.#options;
    const { spec } = this.#specs.get(node.id)!;
    const count = ownCounter(spec, (metric, by) => countOwn(this.metrics, node.id, metric, by));
    return openSinks.node(this.#punchline, node, this.#specs, this.#state, { log, count });
  }

  async #openSource(node: PunchlineNode): Promise<Awaited<ReturnType<SourceSpec['open']>>> {
    const { spec } = this.#specs.get(node.id)!;
    const edges = node.out.filter(({ columns }) => columns);
    const context: SourceContext<never> = {
      id: node.id,
      settings: node.settings as never,
      folder: this.#punchline.folder,
      punchlineKind: this.#punchline.kind,
      punchline: this.#punchline.name,
      log: nodeLog(this.#options.log, node.id),
      count: ownCounter(spec, (metric, by) => countOwn(this.metrics, node.id, metric, by)),
      codec: node.codec ?? { name: 'json' },
      declared: edges.length === node.out.length ? edges.flatMap(({ columns }) => columns ?? []) : undefined,
      referenced: new Set(this.#plan.columns),
      hindered: (why) => this.#hindered(node.id, why),
    };
    const source = await (spec as SourceSpec).open(context);
    return this.#options.controlSource?.(node, source) ?? source;
  }

  #count(counts: Counts): void {
    const { metrics } = this;
    metrics.rowsIn += counts.rows;
    metrics.malformed += counts.malformed;
    metrics.notObject += counts.notObject;
    metrics.filtered += counts.filtered;
    metrics.nowhere += counts.nowhere;
    for (const { node, what, hint, rows } of counts.notices) {
      const key = `${node}\n${what}`;
      const known = metrics.notices.get(key);
      if (known) known.rows += rows;
      else {
        metrics.notices.set(key, { node, what, rows });
        this.#options.log.warn(`rows with ${what}: ${hint}`, { node });
      }
    }
    for (const { node, metric, by } of counts.counted) countOwn(metrics, node, metric, by);
    metrics.workerCpuSeconds += counts.cpuMicros / 1e6;
    for (const [node, { entered, left, cpuMicros }] of Object.entries(counts.functions)) {
      const known = metrics.functions.get(node)!;
      known.entered += entered;
      known.left += left;
      known.cpuSeconds += cpuMicros / 1e6;
    }
    for (const [node, rows] of Object.entries(counts.rejected)) {
      metrics.rejected += rows;
      metrics.rejectedBy.set(node, (metrics.rejectedBy.get(node) ?? 0) + rows);
    }
    counts.delivered.forEach((rows, index) => {
      const { id, payload } = this.#plan.sinks[index]!;
      const sink = metrics.sinks.get(id);
      if (sink) sink.reached += rows;
      if (sink && !payload) sink.delivered += rows;
    });
  }

  /** A batch can start afresh after a restart of the machine, unless a source has let go of what was delivered. */
  get #durable(): boolean {
    return this.#options.durable || this.#intake.acknowledges;
  }

  #positionsNow(): Pick<Snapshot, 'positions' | 'sinks'> {
    // Copies: what is committed while this is being saved belongs to the next one.
    return {
      positions: this.#intake.positionsNow(),
      sinks: { ...this.#state.checkpoint?.sinks, ...this.#deliveries.positions },
    };
  }

  #snapshot(): Snapshot {
    const news = this.#intake.takeNews();
    const settled = Array.from(this.#intake.partitions, (partition) => partition.takeUnsaved());
    const covered = this.#deliveredWaiters.filter(({ partition, batches }) => partition.counts.committed >= batches);
    this.#deliveredWaiters = this.#deliveredWaiters.filter((waiter) => !covered.includes(waiter));
    const positions = this.#positionsNow();
    return {
      ...positions,
      saved: async () => {
        this.#deliveries.saved(positions.sinks);
        for (const tell of settled) tell?.();
        for (const { source, partition, position } of news) await source.committed!(partition, position);
        for (const { resolve } of covered) resolve();
      },
    };
  }

  #delivered(partition: Partition): Promise<void> {
    const { added, committed } = partition.counts;
    return new Promise((resolve) => {
      this.#deliveredWaiters.push({ partition, batches: added, resolve });
      // The save that covers what is committed already may still be to come.
      if (committed === added) this.#checkpointer.changed();
    });
  }

  /** Resolves when nothing is being computed or written. */
  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#quietWaiters.push(resolve);
      this.#checkQuiet();
    });
  }

  #checkQuiet(): void {
    if (this.#quietWaiters.length === 0 || this.#computer.busy || this.#deliveries.writing > 0) return;
    for (const resolve of this.#quietWaiters.splice(0)) resolve();
  }
}
