/**
 * One batch on its way through the graph, inside a worker. First everything is computed (decode, functions, projections,
 * rejections), which may be undone and tried again with fewer rows; only then is anything encoded, so that what was written for
 * a sink is never taken back.
 */

import { ArenaFullError, type Decoder, type RowView } from '../batch/row-batch.ts';
import { ReefError } from '../errors.ts';
import type { BatchFunction, FunctionSpec } from '../spec/function.ts';
import { ERROR_TABLE, NO_TABLE } from '../spec/plan.ts';
import { tapSides } from '../spec/tap-side.ts';
import { Documents, type Failure, type Origin } from './documents.ts';
import { countBetween } from './marks.ts';
import type { Notices } from './notices.ts';
import type {
  ComputeRequest,
  Counts,
  EdgeTarget,
  ErrorTarget,
  FunctionCounts,
  PlannedEdge,
  PlannedFunction,
  PlannedSource,
  WorkerPlan,
} from './protocol.ts';
import type { Tap, Tapped } from './tap.ts';

export interface OpenedFunction {
  readonly planned: PlannedFunction;
  readonly spec: FunctionSpec;
  readonly run: BatchFunction;
  readonly digest?: string;
}

/** Rows on their way to a sink. */
export interface Delivery {
  readonly sink: number;
  readonly view: RowView;
  readonly origin: Origin;
}

export interface Pass {
  readonly consumed: number;
  readonly deliveries: readonly Delivery[];
  readonly counts: Counts;
  /** What is shown to whoever watches. */
  readonly tapped: readonly Tapped[];
}

/** After so many passes with fewer rows than usual, more are tried again. */
const PASSES_WITH_FEWER = 16;

export class Chain {
  readonly #plan: WorkerPlan;
  readonly #decoder: Decoder;
  readonly #functions: readonly OpenedFunction[];
  readonly #maxRows: number;
  /** So many rows fit the arena the last time: what did not fit once need not be computed in vain each time. */
  #fitting: number;
  /** Passes since more were tried. */
  #sinceMore = 0;
  /** A function remembers rows: it should not be given the same ones again if that can be helped. */
  readonly #stateful: boolean;
  /** Functions add to them. */
  readonly #notices: Notices;
  readonly #tap: Tap;
  readonly #places: Places;

  constructor(
    plan: WorkerPlan,
    decoder: Decoder,
    functions: readonly OpenedFunction[],
    { maxRows, notices, tap }: { maxRows: number; notices: Notices; tap: Tap },
  ) {
    this.#notices = notices;
    this.#tap = tap;
    this.#places = {
      sources: plan.sources.map(({ id }) => tap.place(id)),
      functions: plan.functions.map(({ id }) => tap.place(id)),
      sinks: plan.sinks.map(({ id }) => tap.place(id)),
    };
    this.#plan = plan;
    this.#decoder = decoder;
    this.#functions = functions;
    this.#maxRows = maxRows;
    this.#fitting = maxRows;
    this.#stateful = functions.some(({ spec }) => spec.state === 'partition');
  }

  /** Computes the rows at `from`, as many as fit the arena; at least one. */
  async compute(request: ComputeRequest, from: number): Promise<Pass> {
    for (let maxRows = this.#rowsToTry(); ; maxRows = maxRows > 32 ? maxRows >> 1 : maxRows > 1 ? 1 : 0) {
      try {
        const pass = await new Run(this.#plan, this.#decoder, this.#functions, request, {
          tap: this.#tap,
          places: this.#places,
        }).pass(from, maxRows);
        pass.counts.notices = this.#notices.take();
        pass.counts.counted = this.#notices.takeCounted();
        if (maxRows < this.#fitting) {
          this.#fitting = Math.max(maxRows, 1);
          this.#sinceMore = 0;
        }
        return pass;
      } catch (error) {
        if (!(error instanceof ArenaFullError) || maxRows === 0) throw error;
        this.#notices.clear();
      }
    }
  }

  #rowsToTry(): number {
    if (this.#fitting === this.#maxRows || this.#stateful || ++this.#sinceMore < PASSES_WITH_FEWER) return this.#fitting;
    this.#sinceMore = 0;
    this.#fitting = Math.min(2 * this.#fitting, this.#maxRows);
    return this.#fitting;
  }

  /** A row that no out range can hold: what goes to the dead letters in its place has only the row's head. */
  tooLarge(request: ComputeRequest, counts: Counts, { sink, view, origin }: Delivery, row: number): Delivery {
    const { id } = this.#plan.sinks[sink]!;
    counts.delivered[sink]!--;
    counts.delivered[this.#plan.deadLetters]!++;
    counts.rejected[id] = (counts.rejected[id] ?? 0) + 1;
    const rejections = [{ row, reason: 'the row is larger than any sink is given memory for' }];
    const failure = { node: id, errors: undefined, entered: view, rejections, origin };
    return { sink: this.#plan.deadLetters, ...new Documents(this.#plan, this.#decoder, request).make(failure, undefined, true) };
  }
}

export function emptyCounts(sinks: number): Counts {
  return {
    rows: 0,
    malformed: 0,
    notObject: 0,
    filtered: 0,
    nowhere: 0,
    rejected: {},
    functions: {},
    cpuMicros: 0,
    delivered: new Array<number>(sinks).fill(0),
    notices: [],
    counted: [],
  };
}

/** Where each node's numbers for watchers are, by its index. */
interface Places {
  readonly sources: readonly number[];
  readonly functions: readonly number[];
  readonly sinks: readonly number[];
}

const BEFORE = tapSides.indexOf('before');
const AFTER = tapSides.indexOf('after');
const REJECTED = tapSides.indexOf('rejected');

/** One pass: the state that must not outlive it. */
class Run {
  readonly #plan: WorkerPlan;
  readonly #decoder: Decoder;
  readonly #functions: readonly OpenedFunction[];
  readonly #request: ComputeRequest;
  readonly #source: PlannedSource;
  readonly #idPrefix: string;
  readonly #deliveries: Delivery[] = [];
  readonly #failures: Failure[] = [];
  readonly #documents: Documents;
  /** Where the rows came from that are on their way. */
  #origin!: Origin;
  readonly #counts: Counts;
  readonly #tap: Tap;
  readonly #places: Places;
  readonly #tapped: Tapped[] = [];

  constructor(
    plan: WorkerPlan,
    decoder: Decoder,
    functions: readonly OpenedFunction[],
    request: ComputeRequest,
    { tap, places }: { readonly tap: Tap; readonly places: Places },
  ) {
    this.#tap = tap;
    this.#places = places;
    this.#plan = plan;
    this.#decoder = decoder;
    this.#functions = functions;
    this.#request = request;
    this.#source = plan.sources[request.source]!;
    this.#idPrefix = `${request.of ?? this.#source.id}:${request.partition}:`;
    this.#documents = new Documents(plan, decoder, request);
    this.#counts = emptyCounts(plan.sinks.length);
  }

  /** `maxRows` 0: not even one row fits the arena; it is rejected as it stands. */
  async pass(from: number, maxRows: number): Promise<Pass> {
    const request = this.#request;
    const tooLarge = maxRows === 0 ? { reason: 'the row needs more working memory than a worker has' } : undefined;
    const reject = request.reject ?? tooLarge;
    const decoded = this.#decoder.decode({
      from,
      to: request.to,
      last: request.last,
      codec: reject ? { name: 'rejected' } : (request.codec ?? this.#source.codec),
      lineColumn: this.#source.lineColumn,
      offset: request.offset + (from - request.from),
      records: request.records && { ...request.records, begin: request.from },
      idPrefix: this.#idPrefix,
      timestamp: request.timestamp,
      maxRows: Math.max(maxRows, 1),
    });
    this.#origin = decoded;
    this.#counts.rows = decoded.rows;
    this.#counts.malformed = decoded.malformed;
    this.#counts.notObject = decoded.notObject;
    const rejections = reject ? Array.from(decoded.view.rows, (row) => ({ row, reason: reject.reason })) : decoded.rejected;
    if (rejections.length > 0) this.#fail({ node: this.#source.id, errors: this.#source.errors, entered: undefined, rejections });
    if (!reject) {
      for (const name of decoded.recordColumns) decoded.view.setTokens(name, decoded.view.tokens(name)!);
      this.#look(this.#places.sources[request.source]!, AFTER, this.#source.id, decoded.view);
      await this.#emit(this.#source, decoded.view, request.table);
    }
    if (request.marks) this.#counts.marked = [countBetween(request.marks, decoded, this.#failures)];
    await this.#handleFailures();
    return { consumed: decoded.consumed, deliveries: this.#deliveries, counts: this.#counts, tapped: this.#tapped };
  }

  /** Sends what a node has made along its edges; `only`: along those with this table. */
  async #emit(node: PlannedSource | PlannedFunction, view: RowView, only?: string): Promise<void> {
    const routed = view.routed();
    const edges = node.out.filter(({ table = NO_TABLE }) => table !== ERROR_TABLE && (only === undefined || table === only));
    if (only !== undefined && edges.length === 0) this.#counts.nowhere += view.rows.length;
    if (routed.tables.size > 0) {
      const known = new Set(edges.map((edge) => edge.table ?? NO_TABLE));
      for (const [table, rows] of routed.tables) if (!known.has(table)) this.#counts.nowhere += rows.length;
    }
    for (const edge of edges) {
      const toTable = routed.tables.get(edge.table ?? NO_TABLE);
      const copy = view.clone();
      copy.clearRoutes();
      if (routed.tables.size > 0) copy.retain(toTable ? merge(routed.unrouted, toTable) : routed.unrouted);
      await this.#follow(node.id, node.errors, edge, copy);
    }
  }

  async #follow(from: string, errors: ErrorTarget, edge: PlannedEdge, view: RowView): Promise<void> {
    if (edge.columns) {
      const entered = view.clone();
      view.project(edge.columns);
      this.#collect(from, errors, entered, view);
    }
    if (view.rows.length === 0) return;
    await this.#enter(edge.target, view);
  }

  async #enter(target: EdgeTarget, view: RowView): Promise<void> {
    if ('sink' in target) {
      this.#deliver(target.sink, view);
      return;
    }
    const { planned, spec, run, digest } = this.#functions[target.function]!;
    const entered = view.clone();
    const place = this.#places.functions[target.function]!;
    this.#look(place, BEFORE, planned.id, entered);
    const counts = functionCounts(this.#counts, planned.id);
    counts.entered += view.rows.length;
    const start = cpuMicros();
    const settings = planned.settings as never;
    view.allow({ reads: spec.reads(settings), writes: spec.writes(settings).map((column) => column.name) });
    try {
      await run.apply(view);
    } catch (error) {
      if (error instanceof ArenaFullError || isStop(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      for (const row of view.rows) view.reject(row, reason);
    }
    counts.cpuMicros += cpuMicros() - start;
    view.allow(undefined);
    this.#collect(planned.id, planned.errors, entered, view, digest);
    counts.left += view.rows.length;
    this.#look(place, AFTER, planned.id, view);
    if (view.rows.length > 0) await this.#emit(planned, view);
  }

  #deliver(sink: number, view: RowView): void {
    const planned = this.#plan.sinks[sink]!;
    if (planned.payload) {
      const entered = view.clone();
      view.prepare(planned.codec);
      this.#collect(planned.id, planned.errors, entered, view);
    }
    this.#look(this.#places.sinks[sink]!, BEFORE, planned.id, view);
    this.#counts.delivered[sink]! += view.rows.length;
    if (view.rows.length > 0) this.#deliveries.push({ sink, view, origin: this.#origin });
  }

  #collect(node: string, errors: ErrorTarget, entered: RowView, view: RowView, digest?: string): void {
    this.#counts.filtered += view.takeFiltered();
    const rejections = view.takeRejections();
    if (rejections.length > 0) this.#fail({ node, errors, entered, rejections, ...(digest === undefined ? {} : { digest }) });
  }

  #fail(failure: Omit<Failure, 'origin'>): void {
    this.#counts.rejected[failure.node] = (this.#counts.rejected[failure.node] ?? 0) + failure.rejections.length;
    const whole = { ...failure, origin: this.#origin };
    this.#failures.push(whole);
    if (this.#tap.wants(this.#tap.place(failure.node), REJECTED)) this.#tapped.push(this.#tap.rejected(whole, this.#idPrefix));
  }

  /** Shows rows to whoever watches this side of the node; usually nobody does. */
  #look(place: number, side: number, node: string, view: RowView): void {
    if (!this.#tap.wants(place, side) || view.rows.length === 0) return;
    this.#tapped.push(this.#tap.rows(node, side === BEFORE ? 'before' : 'after', view, this.#origin, this.#idPrefix));
  }

  /** Turns rejections into rows of the error tables. Rows that fail there too go to the dead letters, never in a circle. */
  async #handleFailures(): Promise<void> {
    const first = this.#failures.splice(0);
    for (const failure of first) await this.#document(failure, failure.errors);
    const again = this.#failures.splice(0);
    for (const failure of again) await this.#document(failure, undefined);
  }

  async #document(failure: Failure, errors: ErrorTarget): Promise<void> {
    const { view, origin } = this.#documents.makeFitting(failure, errors, this.#counts.rows);
    this.#origin = origin;
    if (errors) await this.#follow(failure.node, undefined, errors, view);
    else this.#deliver(this.#plan.deadLetters, view);
  }
}

export function functionCounts({ functions }: Counts, id: string): FunctionCounts {
  functions[id] ??= { entered: 0, left: 0, cpuMicros: 0 };
  return functions[id];
}

/** CPU time of this thread. */
export function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** A function asks that the punchline stops. */
export function isStop(error: unknown): error is ReefError {
  return error instanceof ReefError && error.code === 'stop';
}

/** Merges two ascending lists of row numbers. */
function merge(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (a.length === 0) return b;
  const all = new Uint32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all.sort();
}
