/** The request Fetch, version 11: brokers since Kafka 2.3 speak it, and it carries all compressions. */
import { WireReader, WireWriter } from './wire.ts';

export const FETCH = { key: 1, version: 11 } as const;

export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly partitionBytes: number;
  readonly committedOnly: boolean;
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  readonly lastStable: number;
  readonly start: number;
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  readonly records: Buffer | undefined;
}

export function fetchRequest({ maxWaitMs, maxBytes, partitionBytes, committedOnly, partitions }: FetchRequest): WireWriter {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  const out = new WireWriter()
    .i32(-1)
    .i32(maxWaitMs)
    .i32(1)
    .i32(maxBytes)
    .i8(committedOnly ? 1 : 0);
  // No session: each request says all that it wants.
  out.i32(0).i32(-1);
  out.list([...topics], ([topic, wanted]) => {
    out.text(topic).list(wanted, ({ partition, offset }) => {
      out.i32(partition).i32(-1).i64(offset).i64(-1).i32(partitionBytes);
    });
  });
  return out.i32(0).text('');
}

export function readFetchResponse(bytes: Buffer): { readonly error: number; readonly partitions: FetchedPartition[] } {
  const reader = new WireReader(bytes);
  reader.i32();
  const error = reader.i16();
  reader.i32();
  const partitions: FetchedPartition[] = [];
  reader.list(() => {
    const topic = reader.text()!;
    reader.list(() => {
      const partition = reader.i32();
      const error = reader.i16();
      const highWatermark = reader.number64();
      const lastStable = reader.number64();
      const start = reader.number64();
      const aborted = reader.list(() => ({ producerId: reader.i64(), firstOffset: reader.number64() }));
      reader.i32();
      partitions.push({ topic, partition, error, highWatermark, lastStable, start, aborted, records: reader.blob() });
    });
  });
  return { error, partitions };
}
