/** A source that is held to what its punchline says of it, and whose rows are counted once they are delivered. */
import type { Feed, PartitionFeed, PartitionOptions, SettledStretch } from '../spec/feed.ts';
import type { Source } from '../spec/source.ts';
import type { LateRows } from './late-rows.ts';
import { overriding } from './overriding.ts';
import type { Pace } from './pace.ts';

export interface SourceWatch {
  readonly pace?: Pace | undefined;
  readonly late?: LateRows | undefined;
  /** Rows are delivered, or went to an error table. */
  settled?(rows: number, rejected: number): void;
}

export function controlled(source: Source, watch: SourceWatch): Source {
  return overriding(source, {
    run: (feed, signal) => {
      const partition: Feed['partition'] = (name, options = {}) => controlledPartition(feed, { name, options, watch, signal });
      return source.run({ ...feed, partition }, signal);
    },
    close: async () => {
      watch.late?.close();
      await source.close();
    },
  });
}

interface PartitionRequest {
  readonly name: string;
  readonly options: PartitionOptions;
  readonly watch: SourceWatch;
  readonly signal: AbortSignal;
}

function controlledPartition(feed: Feed, { name, options, watch, signal }: PartitionRequest): PartitionFeed {
  const { pace, late } = watch;
  let fed = options.offset ?? 0;
  let behind = fed;
  const reached = (stretch: SettledStretch): void => {
    const rows = sum(stretch.rows);
    pace?.settled(name, rows, stretch.end - behind);
    behind = stretch.end;
    late?.settled(name, stretch.end);
    watch.settled?.(rows, sum(stretch.rejected));
  };
  pace?.opened(name);
  late?.opened(name);
  const partition = feed.partition(name, { ...options, reached });
  return overriding(partition, {
    advance: (length, how) => {
      fed += length;
      pace?.fed(name, length);
      late?.fed(name, fed);
      partition.advance(length, pace ? { ...how, flush: true } : how);
    },
    ...(pace && {
      room: async () => {
        await pace.ready(signal, () => partition.busy?.() ?? false);
        const room = await partition.room();
        return room.subarray(0, Math.min(room.length, pace.bytes));
      },
    }),
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
