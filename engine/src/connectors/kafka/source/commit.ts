/** The request OffsetCommit, version 7. The library's own joins a group again by itself; what it then says may not be ours to say. */
import { WireReader, WireWriter } from '../wire.ts';

export const OFFSET_COMMIT = { key: 8, version: 7 } as const;

export interface Member {
  readonly group: string;
  readonly generation: number;
  readonly id: string;
}

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function commitRequest({ group, generation, id }: Member, offsets: readonly CommittedOffset[]): WireWriter {
  const topics = Map.groupBy(offsets, ({ topic }) => topic);
  const out = new WireWriter().text(group).i32(generation).text(id).text(undefined);
  return out.list([...topics], ([topic, partitions]) => {
    out.text(topic).list(partitions, ({ partition, offset }) => {
      out.i32(partition).i64(offset).i32(-1).text(undefined);
    });
  });
}

/** The codes of errors by `topic/partition`, those without one left out. */
export function readCommitResponse(bytes: Buffer): Map<string, number> {
  const reader = new WireReader(bytes);
  reader.i32();
  const errors = new Map<string, number>();
  reader.list(() => {
    const topic = reader.text();
    reader.list(() => {
      const partition = reader.i32();
      const error = reader.i16();
      if (error !== 0) errors.set(`${topic}/${partition}`, error);
    });
  });
  return errors;
}
