/** Who watches which rows go by: gives the workers credit to show a few each second, and hands on what they show. */
import type { PunchlineNode } from '../spec/plan.ts';
import { type TapSide, tapSides } from '../spec/tap-side.ts';
import type { TapData, TappedRow } from '../worker/protocol.ts';

const TICK_MS = 100;

export interface Watch {
  readonly node: string;
  readonly sides: readonly TapSide[];
  /** Rows a second of each side, at most. */
  readonly rate: number;
  row(side: TapSide, row: TappedRow): void;
  /** The punchline ends. */
  ended(): void;
}

export interface Shown {
  readonly node: string;
  readonly side: TapSide;
  readonly rows: readonly TappedRow[];
}

interface Watcher extends Watch {
  /** By side: rows that it may still be shown. */
  readonly left: Map<TapSide, number>;
}

export class Taps {
  readonly data: TapData;
  readonly #watchers = new Set<Watcher>();
  readonly #places: ReadonlyMap<string, number>;
  #timer: NodeJS.Timeout | undefined;

  constructor(nodes: readonly Pick<PunchlineNode, 'id'>[]) {
    const ids = nodes.map(({ id }) => id);
    const credit = new Int32Array(new SharedArrayBuffer(4 * tapSides.length * ids.length));
    this.data = { credit, nodes: ids };
    this.#places = new Map(ids.map((id, index) => [id, index * tapSides.length]));
  }

  /** Shows rows to `watch` until the returned function is called. */
  watch(watch: Watch): () => void {
    const watcher = { ...watch, left: new Map(watch.sides.map((side) => [side, 1])) };
    this.#watchers.add(watcher);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    this.#giveCredit();
    return () => {
      if (!this.#watchers.delete(watcher)) return;
      this.#giveCredit();
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  wants(node: string, side: TapSide): boolean {
    return this.data.credit[this.#at(node, side)]! > 0;
  }

  /** Takes credit for `wanted` rows at most. */
  take(node: string, side: TapSide, wanted: number): number {
    const at = this.#at(node, side);
    const taken = Math.max(0, Math.min(Atomics.load(this.data.credit, at), wanted));
    Atomics.sub(this.data.credit, at, taken);
    return taken;
  }

  show({ node, side, rows }: Shown): void {
    for (const watcher of this.#watchers) {
      if (watcher.node !== node) continue;
      for (const row of rows) {
        const left = watcher.left.get(side) ?? 0;
        if (left < 1) break;
        watcher.left.set(side, left - 1);
        watcher.row(side, row);
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watcher of this.#watchers) watcher.ended();
    this.#watchers.clear();
  }

  #tick(): void {
    for (const { sides, left, rate } of this.#watchers) {
      const more = (rate * TICK_MS) / 1000;
      for (const side of sides) left.set(side, Math.min(left.get(side)! + more, Math.max(more, 1)));
    }
    this.#giveCredit();
  }

  /** What the most patient watcher of a side may still see. */
  #giveCredit(): void {
    const { credit } = this.data;
    const wanted = new Int32Array(credit.length);
    for (const { node, left } of this.#watchers) {
      for (const [side, rows] of left) {
        const at = this.#at(node, side);
        wanted[at] = Math.max(wanted[at]!, Math.floor(rows));
      }
    }
    wanted.forEach((rows, at) => {
      Atomics.store(credit, at, rows);
    });
  }

  #at(node: string, side: TapSide): number {
    return (this.#places.get(node) ?? this.data.credit.length) + tapSides.indexOf(side);
  }
}
