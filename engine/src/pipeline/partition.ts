/** One partition of a source: cuts come in, results go out in the same order, positions follow once everything is delivered. */
import type { NumberedPosition } from '../delivery/parcel.ts';
import type { PartitionOptions, Position } from '../spec/feed.ts';
import type { Codec } from '../spec/plan.ts';
import type { RecordLayout } from '../spec/records.ts';
import { type CsvHead, withColumns } from './csv-head.ts';
import type { Framer } from './framer.ts';
import type { HeldInput } from './held-input.ts';
import type { ReadyPart } from './job.ts';
import { type TrackedBatch, Tracker } from './tracker.ts';

export interface PartitionBatch extends TrackedBatch {
  readonly source: string;
  /** When it was cut, as `performance.now()` says it. */
  readonly since: number;
  /** The position behind the batch. Called after its end is certain. */
  position(): Position;
  /** What the sinks must remember once the batch is committed. */
  readonly sinkPositions: Map<string, NumberedPosition>;
  /** Output that waits for earlier batches. */
  held: ReadyPart[];
  computed: boolean;
  /** A sink has refused the row at this offset. */
  refused(offset: number): void;
  /** What was read, for as long as somebody may ask where a row came from. */
  input?: HeldInput;
  /** Where the source wants to know what became of its rows: how many there were between its marks. */
  readonly marked: MarkedRows | undefined;
}

export interface MarkedRows {
  readonly marks: readonly number[];
  readonly rows: number[];
  readonly rejected: number[];
}

export interface PartitionEvents {
  /** Parts whose turn it is. */
  emit(partition: Partition, batch: PartitionBatch, parts: readonly ReadyPart[]): void;
  committed(batches: readonly PartitionBatch[]): void;
  /** Somebody waits for a checkpoint. */
  unsaved(): void;
  /** All that was fed is committed. */
  settled(partition: Partition): void;
}

export class Partition {
  readonly source: string;
  readonly name: string;
  /** Says which worker it is pinned to: the same for as long as the partition lives, whatever others come and go. */
  readonly number: number;
  framer: Framer | undefined;
  /** Of CSV with a header. */
  head: CsvHead | undefined;
  replayable = true;
  /** The position to save; `undefined` until something was committed in this run. */
  position: Position | undefined;
  /** The position that the source was last told of. */
  told: Position | undefined;
  /** Its file is gone: the position goes too, once all is delivered. */
  forgotten = false;
  readonly #tracker: Tracker<PartitionBatch>;
  /** Batches whose output has not all been released, in order. */
  readonly #sequence: PartitionBatch[] = [];
  readonly #events: PartitionEvents;
  /** Whom to tell of what is delivered once a checkpoint covers it. */
  #unsaved: (() => void)[] = [];
  #positionOf: (offset: number) => Position = (offset) => offset;
  #options: PartitionOptions = {};

  constructor(source: string, name: string, events: PartitionEvents, number: number) {
    this.source = source;
    this.name = name;
    this.number = number;
    this.#events = events;
    this.#tracker = new Tracker(0, (batches) => {
      this.position = batches.at(-1)!.position();
      events.committed(batches);
      for (const batch of batches) this.#settle(batch);
      if (this.settled) events.settled(this);
    });
  }

  /** Takes the options of the latest opening: a source may open a partition again (a rotated file, a new try). */
  open(options: PartitionOptions, head?: CsvHead): void {
    this.#options = options;
    this.head = head;
    this.replayable = options.replayable ?? true;
    this.#positionOf = options.position ?? ((offset) => offset);
    this.forgotten = false;
    // A start that is not the beginning (the end of a file that is followed) is to be known to the next run, rows or none.
    if (options.offset !== undefined && options.offset > 0 && this.settled)
      this.position = withColumns(this.#positionOf(options.offset), head);
  }

  get table(): string | undefined {
    return this.#options.table;
  }

  get records(): RecordLayout | undefined {
    return this.#options.records;
  }

  get codec(): Codec | undefined {
    return this.head?.codec ?? this.#options.codec;
  }

  /** Its source waits to hear what became of its rows. */
  get answers(): boolean {
    return this.#options.settled !== undefined;
  }

  /** Nothing is on its way. */
  get settled(): boolean {
    return this.#tracker.open === 0;
  }

  /**
   * Tells the source of all that is committed by now: to be called once a checkpoint that holds it is on disk. `undefined`: there is
   * nothing to tell.
   */
  takeUnsaved(): (() => void) | undefined {
    if (this.#unsaved.length === 0) return undefined;
    const told = this.#unsaved;
    this.#unsaved = [];
    return () => {
      for (const tell of told) tell();
    };
  }

  /** Batches that were handed to workers in this run, and how many of them are committed. */
  get counts(): { readonly added: number; readonly committed: number } {
    return this.#tracker.counts;
  }

  /** The position behind all that was handed to workers: where a source that is run again goes on. */
  get fed(): Position | undefined {
    return this.framer && this.#positionOf(this.framer.offset);
  }

  add(end: number, marks: readonly number[]): PartitionBatch {
    const positionOf = this.#positionOf;
    const { head } = this;
    let refused: Set<number> | undefined;
    const zeros = (): number[] => new Array<number>(marks.length + 1).fill(0);
    const batch: PartitionBatch = {
      source: this.source,
      since: performance.now(),
      end,
      pending: 1,
      position: () => withColumns(positionOf(batch.end), head),
      sinkPositions: new Map(),
      held: [],
      computed: false,
      marked: this.#options.settled || this.#options.reached ? { marks, rows: zeros(), rejected: zeros() } : undefined,
      refused(offset) {
        // Two sinks may refuse one row.
        if (!batch.marked || refused?.has(offset)) return;
        refused ??= new Set();
        refused.add(offset);
        const after = marks.findIndex((mark) => mark > offset);
        batch.marked.rejected[after < 0 ? marks.length : after]!++;
      },
    };
    this.#tracker.add(batch);
    this.#sequence.push(batch);
    return batch;
  }

  isFirst(batch: PartitionBatch): boolean {
    return this.#sequence[0] === batch;
  }

  ready(batch: PartitionBatch, parts: readonly ReadyPart[]): void {
    if (this.isFirst(batch)) this.#events.emit(this, batch, parts);
    else batch.held.push(...parts);
  }

  computed(batch: PartitionBatch): void {
    batch.computed = true;
    while (this.#sequence[0]?.computed) {
      this.#tracker.confirm(this.#sequence.shift()!);
      const next = this.#sequence[0];
      if (next && next.held.length > 0) this.#events.emit(this, next, next.held.splice(0));
    }
  }

  confirm(batch: PartitionBatch): void {
    this.#tracker.confirm(batch);
  }

  /**
   * A sink with a position (a file) is cut back to the last checkpoint after a crash: whoever lets go of its rows must not hear of
   * them before that holds them. In order, so what comes behind waits as well.
   */
  #settle({ marked, end, sinkPositions }: PartitionBatch): void {
    if (!marked) return;
    const { settled, reached } = this.#options;
    const stretch = { ...marked, end };
    reached?.(stretch);
    if (!settled) return;
    if (sinkPositions.size === 0 && this.#unsaved.length === 0) {
      settled(stretch);
      return;
    }
    this.#unsaved.push(() => settled(stretch));
    this.#events.unsaved();
  }
}
