/**
 * A member of a consumer group. The library keeps the membership (joining, sharing out, heartbeats by a timer of their own, so that
 * a sink that blocks for minutes costs no membership); here is what happens at its edges: before the member joins again, partitions
 * are let go of, and offsets are committed only of partitions that are ours in the generation that we say.
 */
import type { Log } from '../../../spec/node.ts';
import type { Assigned, KafkaConsumer } from '../client.ts';
import type { Cluster } from '../cluster.ts';
import { commitRequest, OFFSET_COMMIT, readCommitResponse } from './commit.ts';
import type { TopicPartition } from './topic-partition.ts';

export interface MembershipOptions {
  readonly cluster: Cluster;
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly releaseTimeoutMs: number;
  readonly log: Log;
  /** Partitions may go: stops feeding them, and resolves when what was fed is delivered, or soon. */
  release(): Promise<void>;
  /** These are ours now, no others. */
  assigned(assigned: readonly Assigned[], generation: number): void;
  /** It cannot go on by itself. */
  failed(error: unknown): void;
}

export class Membership {
  readonly consumer: KafkaConsumer;
  readonly #options: MembershipOptions;
  #owned: readonly TopicPartition[] = [];
  #committing: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #warned = '';

  constructor(options: MembershipOptions) {
    this.#options = options;
    const { cluster, group, sessionTimeoutMs, releaseTimeoutMs } = options;
    // Whoever does not join within this time while others do has left the group.
    const rebalanceTimeout = Math.max(60_000, releaseTimeoutMs * 2);
    this.consumer = new cluster.library.Consumer({
      ...cluster.options({ requestTimeout: rebalanceTimeout + 10_000 }),
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout,
      heartbeatInterval: Math.max(300, Math.min(3000, sessionTimeoutMs / 4)),
      protocolsMetadata: async () => {
        if (!this.#closed) await this.#release();
        return Buffer.alloc(0);
      },
    });
    this.consumer.on(
      'consumer:group:join',
      ({ assignments, generationId }: { assignments: Assigned[]; generationId: number }) => {
        if (!this.#closed) options.assigned(assignments ?? [], generationId);
      },
    );
    this.consumer.on('error', (error: Error) => {
      if (!this.#closed) options.failed(error);
    });
  }

  /** Joins, or joins again because there is more to share out. */
  async join(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.consumer.topics.track(topic);
    await this.consumer.joinGroup({});
  }

  /** Whose offsets are committed from now on. */
  own(partitions: readonly TopicPartition[]): void {
    this.#owned = partitions;
    void this.commit();
  }

  async #release(): Promise<void> {
    await this.#options.release();
    await this.commit();
    // From here on others may own them.
    this.#owned = [];
  }

  /** Tells the group what is delivered. Resolves when it has heard, or cannot: what it has not heard of is said the next time. */
  commit(): Promise<void> {
    if (this.#committing) {
      this.#again = true;
      return this.#committing;
    }
    this.#committing = this.#commit().finally(() => {
      this.#committing = undefined;
    });
    return this.#committing;
  }

  async #commit(): Promise<void> {
    do {
      this.#again = false;
      const news = this.#owned.filter(({ delivered, reported }) => delivered !== undefined && delivered !== reported);
      const { generationId: generation, memberId: id } = this.consumer;
      if (news.length === 0 || id === null) return;
      const { cluster, group, log } = this.#options;
      const offsets = news.map(({ topic, partition, delivered }) => ({ topic, partition, offset: delivered! }));
      try {
        const coordinator = await this.consumer.findGroupCoordinator();
        const connection = (await this.consumer.connectToBrokers([coordinator])).get(coordinator)!;
        const body = commitRequest({ group, generation, id }, offsets);
        const errors = readCommitResponse(await cluster.send(connection, { ...OFFSET_COMMIT, body }));
        for (const [i, partition] of news.entries()) {
          if (!errors.has(partition.name)) partition.reported = offsets[i]!.offset;
        }
        const [code] = errors.values();
        this.#warned = '';
        // Others have joined: it is said again once it is ours to say.
        if (code !== undefined) return;
      } catch (error) {
        const { message } = cluster.failure('commit offsets for', error);
        if (message !== this.#warned) log.warn(`${message}; it is tried again`);
        this.#warned = message;
        return;
      }
    } while (this.#again);
  }

  /** Commits a last time and leaves, so that others need not wait for the session's end. */
  async close(): Promise<void> {
    await this.commit();
    this.#closed = true;
    await this.consumer.close(true);
  }
}
