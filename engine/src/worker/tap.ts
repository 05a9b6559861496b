/**
 * Looks at rows on their way for whoever watches a node. Main puts credit for a few rows a second into shared memory, one number for
 * each side of each node; where there is none, looking is to compare that number with 0. Rows beyond the credit are not looked at,
 * so a watcher costs the same whatever flows, and nothing ever waits for one.
 */
import type { RowView } from '../batch/row-batch.ts';
import { redacted } from '../spec/secrets.ts';
import { type TapSide, tapSides } from '../spec/tap-side.ts';
import type { Failure, Origin } from './documents.ts';
import type { FromWorker, TapData, TappedRow } from './protocol.ts';

/** Of a longer row only so much is shown. */
const MOST_BYTES = 16 * 1024;

export type Tapped = Extract<FromWorker, { type: 'tapped' }>;

export class Tap {
  readonly #credit: Int32Array;
  readonly #places: ReadonlyMap<string, number>;

  constructor({ credit, nodes }: TapData) {
    this.#credit = credit;
    this.#places = new Map(nodes.map((id, index) => [id, index * tapSides.length]));
  }

  /** Where a node's numbers are; beyond the end for one that cannot be watched. */
  place(node: string): number {
    return this.#places.get(node) ?? this.#credit.length;
  }

  /** Whether anybody wants to see rows at this side of the node at this place. */
  wants(place: number, side: number): boolean {
    return this.#credit[place + side]! > 0;
  }

  /** Rows of a view, evenly spread over it, as many as there is credit for. */
  rows(node: string, side: 'before' | 'after', view: RowView, origin: Origin, idPrefix: string): Tapped {
    const { rows: all } = view;
    const count = this.#take(node, side, all.length);
    const rows = Array.from({ length: count }, (_, index) => {
      const row = all[Math.floor(((index + 0.5) * all.length) / count)]!;
      return { id: `${idPrefix}${origin.offset(row)}`, ...shown(view, row) };
    });
    return { type: 'tapped', node, side, rows };
  }

  rejected({ node, entered, rejections, origin }: Failure, idPrefix: string): Tapped {
    const count = this.#take(node, 'rejected', rejections.length);
    const rows = rejections.slice(0, count).map(({ row, reason }) => ({
      id: `${idPrefix}${origin.offset(row)}`,
      ...(entered ? shown(entered, row) : textOf(origin.raw(row))),
      reason: redacted(reason),
    }));
    return { type: 'tapped', node, side: 'rejected', rows };
  }

  /** Takes credit for `wanted` rows at most; another worker may be faster. */
  #take(node: string, side: TapSide, wanted: number): number {
    const at = this.place(node) + tapSides.indexOf(side);
    const before = Atomics.sub(this.#credit, at, wanted);
    const taken = Math.max(0, Math.min(before, wanted));
    if (taken < wanted) Atomics.add(this.#credit, at, wanted - taken);
    return taken;
  }
}

type Shown = Pick<TappedRow, 'text' | 'bytes'>;

function shown(view: RowView, row: number): Shown {
  const { arena, rowStarts, rowEnds } = view;
  const from = arena.words[(rowStarts >>> 2) + row]!;
  const to = arena.words[(rowEnds >>> 2) + row]!;
  // Encoding it would cost far more than what is shown of it.
  if (to - from > MOST_BYTES) return textOf(arena.bytes.slice(from, from + MOST_BYTES), to - from);
  try {
    return textOf(view.encodeRow(row));
  } catch {
    // No room for it: a watcher must not be what makes a batch too large.
    return { text: '', bytes: to - from };
  }
}

function textOf(bytes: Uint8Array, whole = bytes.length): Shown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_BYTES)).toString();
  return { text: redacted(text), bytes: whole };
}
