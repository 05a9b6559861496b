/**
 * Where partitions begin. What the group has committed in Kafka wins over the checkpoint in the state folder: other members may have
 * gone on since that was written, an operator may have set the group back, and it never says more than was delivered. It may lag
 * behind the checkpoint by what was delivered in the last moment before a crash: those rows come twice. The checkpoint counts where
 * Kafka knows nothing (its offsets have expired).
 */
import type { Position } from '../../../spec/feed.ts';
import type { KafkaConsumer } from '../client.ts';
import type { KafkaSourceSettings } from './settings.ts';
import type { TopicPartition } from './topic-partition.ts';

const TIMES = { earliest: -2n, latest: -1n } as const;

export class StartOffsets {
  readonly #consumer: KafkaConsumer;
  readonly #settings: KafkaSourceSettings;
  readonly #resume: ReadonlyMap<string, Position>;

  constructor(consumer: KafkaConsumer, settings: KafkaSourceSettings, resume: ReadonlyMap<string, Position>) {
    this.#consumer = consumer;
    this.#settings = settings;
    this.#resume = resume;
  }

  /** In the order of the partitions. */
  async find(partitions: readonly TopicPartition[]): Promise<number[]> {
    if (partitions.length === 0) return [];
    const committed = await this.#consumer.listCommittedOffsets({ topics: byTopic(partitions) });
    const found = partitions.map(({ topic, partition, name }) => {
      const offset = committed.get(topic)?.[partition];
      if (offset !== undefined && offset >= 0n) return Number(offset);
      const saved = this.#resume.get(name);
      return typeof saved === 'number' ? saved : undefined;
    });
    const news = partitions.filter((_, i) => found[i] === undefined);
    const edge = this.#settings.start_offset_strategy === 'latest' ? 'latest' : 'earliest';
    const edges = await this.#edges(news, edge);
    return partitions.map((partition, i) => found[i] ?? edges[news.indexOf(partition)]!);
  }

  async edge(partition: TopicPartition, edge: 'earliest' | 'latest'): Promise<number> {
    return (await this.#edges([partition], edge))[0]!;
  }

  /** Where they end now, as far as rows may be seen. */
  ends(partitions: readonly TopicPartition[]): Promise<number[]> {
    return this.#edges(partitions, 'latest');
  }

  async #edges(partitions: readonly TopicPartition[], edge: 'earliest' | 'latest'): Promise<number[]> {
    if (partitions.length === 0) return [];
    const topics = byTopic(partitions);
    const offsets = await this.#consumer.listOffsets({
      topics: topics.map(({ topic }) => topic),
      partitions: Object.fromEntries(topics.map(({ topic, partitions }) => [topic, partitions])),
      timestamp: TIMES[edge],
      isolationLevel: this.#settings.isolation_level === 'read_committed' ? 1 : 0,
    });
    return partitions.map(({ topic, partition }) => Number(offsets.get(topic)?.[partition] ?? 0n));
  }
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, some]) => ({
    topic,
    partitions: some.map(({ partition }) => partition),
  }));
}
