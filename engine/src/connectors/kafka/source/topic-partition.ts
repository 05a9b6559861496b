/** A partition of a topic as it is fed: what was read of it, what is delivered, and who may say so. */
import type { Feed } from '../../../spec/feed.ts';
import type { Codec } from '../../../spec/plan.ts';
import { RecordWriter } from '../../../spec/record-writer.ts';
import type { RecordValue } from '../../../spec/records.ts';
import type { RecordCursor } from '../record-batch.ts';
import { OffsetIndex } from './offset-index.ts';

export const COLUMNS = [
  '_ppf_topic',
  '_ppf_partition_id',
  '_ppf_partition_offset',
  '_ppf_timestamp',
  '_ppf_key',
  '_ppf_headers',
] as const;

export type Column = (typeof COLUMNS)[number];

export interface TopicPartitionOptions {
  readonly topic: string;
  readonly partition: number;
  readonly rows: 'one' | 'lines';
  readonly codec: Codec;
  /** Those that something refers to: the others are not written. */
  readonly columns: readonly Column[];
}

export class TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  readonly #rows: 'one' | 'lines';
  readonly #codec: Codec['name'];
  readonly #columns: readonly Column[];
  readonly #values: RecordValue[];
  #writer: RecordWriter | undefined;
  #index = new OffsetIndex(0);
  /** Where it was last begun: what is delivered of an earlier time says nothing of this one. */
  #began = 0;
  /** The offset of the next record to feed. */
  next = 0;
  /** The offset to go on at as far as rows are delivered and saved; `undefined`: nothing was, since it is ours. */
  delivered: number | undefined;
  /** The last that the group has heard of. */
  reported: number | undefined;
  /** The generation of the group in which it was last ours. */
  generation = -1;
  /** Of the topic whose offsets these are. */
  topicId: string | undefined;
  /** Where it ends, with `stop_at_end`. */
  stopAt: number | undefined;
  /** Whoever feeds it waits for this first: a record that was begun is written to its end. */
  turn: Promise<void> = Promise.resolve();

  constructor({ topic, partition, rows, codec, columns }: TopicPartitionOptions) {
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic}/${partition}`;
    this.#rows = rows;
    this.#codec = codec.name;
    this.#columns = columns;
    // What is not of the record stays as it is.
    this.#values = columns.map((column) =>
      column === '_ppf_topic' ? Buffer.from(topic) : column === '_ppf_partition_id' ? partition : undefined,
    );
  }

  /** It is fed from this offset on. What was fed before may still be on its way: it keeps its own offsets. */
  begin(feed: Feed, offset: number): void {
    this.next = offset;
    this.#began = offset;
    this.delivered = undefined;
    this.reported = undefined;
    this.topicId = undefined;
    if (this.#writer) {
      this.#index.add(this.#writer.offset, offset);
      return;
    }
    this.#index = new OffsetIndex(offset);
    const index = this.#index;
    this.#writer = new RecordWriter(feed, this.name, {
      records: { columns: this.#columns, rows: this.#rows },
      json: this.#codec === 'json',
      raw: this.#codec === 'raw',
      jsonColumns: ['_ppf_headers'],
      position: (byte) => index.at(byte),
    });
  }

  /** Resolves when all that was fed is delivered and saved. */
  async allDelivered(): Promise<void> {
    this.flush();
    await this.#writer?.partition.delivered();
  }

  add(record: RecordCursor, payload: Uint8Array): Promise<void> | undefined {
    const values = this.#values;
    for (let place = 0; place < values.length; place++) {
      switch (this.#columns[place]) {
        case '_ppf_partition_offset':
          values[place] = record.offset;
          break;
        case '_ppf_timestamp':
          values[place] = record.time;
          break;
        case '_ppf_key':
          values[place] = record.keyStart < 0 ? undefined : asText(record.bytes.subarray(record.keyStart, record.keyEnd));
          break;
        case '_ppf_headers':
          values[place] = record.headers();
          break;
      }
    }
    const writer = this.#writer!;
    const wait = writer.add(record.offset, values, payload);
    this.next = record.offset + 1;
    this.#index.add(writer.offset, this.next);
    return wait;
  }

  skipTo(offset: number): void {
    if (offset <= this.next) return;
    this.next = offset;
    this.#index.skipTo(offset);
  }

  /**
   * What lies before this offset is gone, or behind it is: the next record is the one there. Backwards only when all that was fed is
   * delivered: a word that comes later would say that of rows that were never read.
   */
  move(offset: number): void {
    if (offset < this.next) {
      // Another topic of the same name: what was delivered of the old one says nothing.
      this.#began = offset;
      this.delivered = undefined;
      this.reported = undefined;
    }
    this.next = offset;
    this.#index.skipTo(offset);
  }

  flush(): void {
    this.#writer?.flush();
  }

  committed(offset: number): void {
    if (offset >= Math.max(this.#began, this.delivered ?? 0)) this.delivered = offset;
    this.#index.forget(offset);
  }

  /** The engine forgets what was not complete. */
  closed(): void {
    this.#writer = undefined;
    this.generation = -1;
    this.turn = Promise.resolve();
  }
}

/** A key is what its producer made it: text goes on as it is, other bytes as base64. */
function asText(bytes: Buffer): RecordValue {
  const { isUtf8 } = process.getBuiltinModule('node:buffer');
  return isUtf8(bytes) ? bytes : bytes.toString('base64');
}
