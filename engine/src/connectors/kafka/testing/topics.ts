/** Writes and reads topics from outside, by the client library's own producer and consumer. An address may be several, with commas between. */
import { randomUUID } from 'node:crypto';
import { type Consumer, Consumer as LibraryConsumer, Producer } from '@platformatic/kafka';
import type { Owner } from '../../../testing/owner.ts';
import type { Kafka } from '../../../testing/servers/kafka.ts';

export interface Sent {
  readonly value: string | Uint8Array | null;
  readonly key?: string;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Received {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly bytes: Buffer;
  readonly partition: number;
  readonly offset: number;
  readonly headers: Readonly<Record<string, string>>;
}

let topics = 0;

/** Makes a topic of a name of its own, which it resolves with. */
export async function newTopic(broker: Kafka, partitions = 1, config?: Readonly<Record<string, string>>): Promise<string> {
  const name = `topic-${++topics}`;
  await broker.createTopic(name, partitions, config);
  return name;
}

export async function produce(
  address: string,
  topic: string,
  rows: readonly Sent[],
  compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' = 'none',
): Promise<void> {
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({ clientId: 'outside', bootstrapBrokers: address.split(',') });
  try {
    for (let from = 0; from < rows.length; ) {
      const to = endOfBatch(rows, from);
      await producer.send({
        acks: -1,
        compression,
        messages: rows.slice(from, to).map(({ value, key, partition, headers = {} }) => ({
          topic,
          value: (value === null ? null : Buffer.from(value)) as Buffer,
          ...(key === undefined ? {} : { key: Buffer.from(key) }),
          ...(partition === undefined ? {} : { partition }),
          headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
        })),
      });
      from = to;
    }
  } finally {
    await producer.close();
  }
}

/** Brokers refuse batches of more than 1 MB, unless told otherwise; a row that is longer goes by itself. */
const BATCH_CHARACTERS = 500_000;

function endOfBatch(rows: readonly Sent[], from: number): number {
  let to = from;
  for (let size = 0; to < rows.length && to - from < 2000; to++) {
    size += rows[to]!.value?.length ?? 0;
    if (to > from && size > BATCH_CHARACTERS) break;
  }
  return to;
}

/** All that comes to a topic, from its beginning, as a consumer sees it that reads only what is committed. */
export class TopicReader {
  readonly received: Received[] = [];
  readonly #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(owner: Owner, address: string) {
    this.#consumer = new LibraryConsumer<Buffer, Buffer, Buffer, Buffer>({
      clientId: 'outside',
      groupId: randomUUID(),
      bootstrapBrokers: address.split(','),
      retries: 50,
    });
    owner.after(() => this.#consumer.close(true));
  }

  async open(topic: string): Promise<this> {
    const stream = await this.#consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 });
    stream.on('error', () => {});
    stream.on('data', ({ key, value, partition, offset, headers }) => {
      const names = [...headers].map(([name, text]) => [name.toString(), text.toString()]);
      this.received.push({
        key: key?.toString(),
        value: value?.toString(),
        bytes: Buffer.from(value ?? []),
        partition,
        offset: Number(offset),
        headers: Object.fromEntries(names),
      });
      this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
        if (!condition()) return true;
        resolve();
        return false;
      });
    });
    return this;
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  values(): string[] {
    return this.received.map(({ value }) => value ?? '');
  }
}
