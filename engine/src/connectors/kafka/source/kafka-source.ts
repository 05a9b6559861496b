import { setTimeout as pause } from 'node:timers/promises';
import { ReefError } from '../../../errors.ts';
import type { Feed, Position } from '../../../spec/feed.ts';
import type { Log } from '../../../spec/node.ts';
import type { Codec } from '../../../spec/plan.ts';
import type { Source } from '../../../spec/source.ts';
import type { Assigned, KafkaClient } from '../client.ts';
import type { Cluster } from '../cluster.ts';
import { Fetching } from './fetching.ts';
import { Membership } from './membership.ts';
import type { KafkaSourceSettings } from './settings.ts';
import { StartOffsets } from './start-offsets.ts';
import { COLUMNS, TopicPartition } from './topic-partition.ts';

export interface KafkaSourceOptions {
  readonly cluster: Cluster;
  readonly settings: KafkaSourceSettings;
  readonly topics: readonly string[];
  readonly group: string;
  readonly codec: Codec;
  /** Columns that something in the punchline refers to. */
  readonly referenced: ReadonlySet<string>;
  readonly log: Log;
  hindered(why?: string): void;
}

export class KafkaSource implements Source {
  readonly #options: KafkaSourceOptions;
  readonly #partitions = new Map<string, TopicPartition>();
  #run: Run | undefined;

  constructor(options: KafkaSourceOptions) {
    this.#options = options;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    // What an earlier try has fed is read again from where the group stands.
    await this.#run?.close();
    for (const partition of this.#partitions.values()) partition.closed();
    this.#options.hindered('is no member of its group yet');
    const run = new Run(this.#options, feed, this.#partitions);
    this.#run = run;
    const stop = (): void => run.stop();
    signal.addEventListener('abort', stop);
    try {
      await run.done(signal);
    } catch (error) {
      if (signal.aborted) return;
      throw this.#options.cluster.failure('read from', error);
    } finally {
      signal.removeEventListener('abort', stop);
      run.stop();
    }
  }

  async committed(name: string, position: Position): Promise<void> {
    const partition = this.#partitions.get(name);
    if (!partition || typeof position !== 'number') return;
    partition.committed(position);
    await this.#run?.commit();
  }

  async close(): Promise<void> {
    await this.#run?.close();
    this.#options.cluster.close();
  }
}

/** Bound of what is said last to brokers that may be away. */
const CLOSE_MS = 5000;

/** One try: a membership, and the fetching of what is ours. */
class Run {
  readonly #options: KafkaSourceOptions;
  readonly #feed: Feed;
  readonly #partitions: Map<string, TopicPartition>;
  readonly #client: KafkaClient;
  readonly #membership: Membership;
  readonly #starts: StartOffsets;
  readonly #finished = Promise.withResolvers<void>();
  readonly #ending = new AbortController();
  #fetching: Fetching | undefined;
  #owned: readonly TopicPartition[] = [];
  #closed: Promise<void> | undefined;

  constructor(options: KafkaSourceOptions, feed: Feed, partitions: Map<string, TopicPartition>) {
    const { cluster, settings, group, log } = options;
    this.#options = options;
    this.#feed = feed;
    this.#partitions = partitions;
    this.#client = cluster.client({ requestTimeout: settings.request_timeout_secs * 1000 + settings.fetch_wait_ms });
    this.#membership = new Membership({
      cluster,
      group,
      sessionTimeoutMs: settings.session_timeout_secs * 1000,
      releaseTimeoutMs: settings.release_timeout_secs * 1000,
      log,
      release: () => this.#release(),
      assigned: (assigned, generation) => {
        this.#assigned(assigned, generation).catch((error) => this.#finished.reject(error));
      },
      failed: (error) => this.#finished.reject(error),
    });
    this.#starts = new StartOffsets(this.#membership.consumer, options.settings, feed.resume);
    // Whoever waits for it may come later.
    this.#finished.promise.catch(() => {});
  }

  async done(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await Promise.race([this.#finished.promise, this.#watchTopics()]);
  }

  stop(): void {
    this.#fetching?.stop();
    this.#ending.abort();
    this.#finished.resolve();
  }

  commit(): Promise<void> {
    return this.#membership.commit();
  }

  close(): Promise<void> {
    this.stop();
    this.#closed ??= (async () => {
      const closing = Promise.allSettled([this.#membership.close(), this.#client.close()]);
      await Promise.race([closing, pause(CLOSE_MS, undefined, { ref: false })]);
    })();
    return this.#closed;
  }

  /** Joins the group once there is a topic, and again when there are more topics or partitions. Ends with the run. */
  async #watchTopics(): Promise<void> {
    const { settings, topics, log, cluster, hindered } = this.#options;
    const { signal } = this.#ending;
    let known = '';
    let missing = '';
    while (!signal.aborted) {
      const counts = new Map<string, number>();
      for (const topic of topics) {
        const partitions = await this.#countPartitions(topic);
        if (partitions > 0) counts.set(topic, partitions);
      }
      const absent = topics.filter((topic) => !counts.has(topic)).join(', ');
      if (absent !== missing && absent !== '')
        log.warn(`${cluster.subject}: there is no topic ${absent}; it is looked for every ${settings.metadata_refresh_secs} s`);
      if (absent !== missing && counts.size === 0) hindered(`there is no topic ${absent}`);
      missing = absent;
      const found = JSON.stringify([...counts]);
      if (counts.size > 0 && found !== known) {
        known = found;
        await this.#membership.join([...counts.keys()]);
      }
      await pause(settings.metadata_refresh_secs * 1000, undefined, { signal }).catch(() => {});
    }
  }

  /** 0: there is no such topic. */
  async #countPartitions(topic: string): Promise<number> {
    try {
      const metadata = await this.#client.metadata({ topics: [topic], forceUpdate: true });
      return metadata.topics.get(topic)?.partitions.length ?? 0;
    } catch (error) {
      if (/^Unknown topic/.test((error as Error).message)) return 0;
      const failure = this.#options.cluster.failure('read from', error);
      if (!failure.retry || this.#owned.length === 0) throw failure;
      // Fetching says so itself.
      return this.#owned.filter((partition) => partition.topic === topic).length;
    }
  }

  async #release(): Promise<void> {
    this.#fetching?.stop();
    this.#fetching = undefined;
    const { settings } = this.#options;
    const delivered = Promise.all(
      this.#owned.map(async (partition) => {
        await partition.turn;
        await partition.allDelivered();
      }),
    ).catch(() => {});
    const enough = new AbortController();
    const late = pause(settings.release_timeout_secs * 1000, undefined, { signal: enough.signal }).catch(() => {});
    await Promise.race([delivered, late]);
    enough.abort();
    this.#owned = [];
  }

  async #assigned(assigned: readonly Assigned[], generation: number): Promise<void> {
    this.#fetching?.stop();
    this.#fetching = undefined;
    const { settings, log, cluster } = this.#options;
    const ours = assigned.flatMap(({ topic, partitions }) => partitions.map((number) => this.#partition(topic, number)));
    // One that was ours in the generation before has been nobody else's: it goes on where it stands.
    const news = ours.filter((partition) => partition.generation !== generation - 1);
    const offsets = await this.#starts.find(news);
    if (this.#ending.signal.aborted || this.#membership.consumer.generationId !== generation) return;
    for (const [i, partition] of news.entries()) partition.begin(this.#feed, offsets[i]!);
    for (const partition of ours) partition.generation = generation;
    this.#owned = ours;
    this.#membership.own(ours);
    this.#options.hindered();
    log.info(`${cluster.subject} reads ${ours.length} partitions`, { partitions: ours.map(({ name }) => name) });
    if (settings.stop_at_end && (await this.#setEnds(ours))) return;
    if (ours.length > 0) this.#fetch(ours);
  }

  #partition(topic: string, partition: number): TopicPartition {
    const { settings, codec, referenced } = this.#options;
    const name = `${topic}/${partition}`;
    let known = this.#partitions.get(name);
    if (!known) {
      const columns = COLUMNS.filter((column) => referenced.has(column));
      known = new TopicPartition({ topic, partition, rows: settings.rows, codec, columns });
      this.#partitions.set(name, known);
    }
    return known;
  }

  /** True: there is nothing to read. */
  async #setEnds(ours: readonly TopicPartition[]): Promise<boolean> {
    const ends = await this.#starts.ends(ours);
    for (const [i, partition] of ours.entries()) partition.stopAt ??= ends[i]!;
    return this.#ended();
  }

  #ended(): boolean {
    if (!this.#owned.every(({ next, stopAt }) => stopAt !== undefined && next >= stopAt)) return false;
    this.stop();
    return true;
  }

  #fetch(partitions: readonly TopicPartition[]): void {
    const { cluster, settings, codec, log } = this.#options;
    this.#fetching = new Fetching({
      cluster,
      client: this.#client,
      partitions,
      fetchBytes: settings.fetch_bytes,
      maxWaitMs: settings.fetch_wait_ms,
      committedOnly: settings.isolation_level === 'read_committed',
      tombstoneRows: settings.tombstones === 'row',
      json: codec.name === 'json',
      log,
      hindered: (why) => this.#options.hindered(why),
      outOfRange: async (partition) => {
        if (settings.offset_out_of_range !== 'fail') return this.#starts.edge(partition, settings.offset_out_of_range);
        throw new ReefError(
          'io',
          `Cannot read from ${cluster.subject}: offset ${partition.next} of ${partition.name} is not there, expected it or offset_out_of_range: earliest`,
        );
      },
      ended: () => this.#ended(),
    });
    this.#fetching.run().catch((error) => this.#finished.reject(error));
  }
}
