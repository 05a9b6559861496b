import type { Feed } from '../../../spec/feed.ts';
import type { Codec } from '../../../spec/plan.ts';
import type { Sender } from './sender.ts';

export interface CollectorOptions {
  readonly name: string;
  /** Empty: the outs without one; `undefined`: all outs. */
  readonly table: string | undefined;
  /** Where it is not the node's own. */
  readonly codec: Codec | undefined;
  readonly gatherMs: number;
  readonly traffic: Traffic;
}

/** Where requests hand over their rows. */
export interface Collector {
  /** Rows are here that are not on their way. */
  readonly gathering: boolean;
  /** Rows are on their way. */
  readonly underway: boolean;
  /** What came before waits until now. */
  open(feed: Feed): void;
  /** Takes whole rows: the last part ends with a newline. The parts must stay as they are until they are written. */
  add(sender: Sender, parts: readonly Uint8Array[], bytes: number): void;
  /** What has gathered goes on its way, when it is time. */
  schedule(): void;
  /** Feeds no more: what is in memory goes on its way, what waits is dropped. */
  stop(): void;
}

/** What the collectors of all ways share. */
export interface Traffic {
  /** Nothing is on its way. */
  readonly idle: boolean;
  /** Something was delivered: rows that wait for that may go. */
  settled(): void;
}
