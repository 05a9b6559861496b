/** Who leads which partition, and one request at a time of what goes to a broker in the same moment. */
import { ReefError } from '../../../errors.ts';
import type { KafkaClient, KafkaConnection } from '../client.ts';
import type { Cluster } from '../cluster.ts';
import { PRODUCE, type ProduceAnswer, type ProducedBatch, produceRequest, readProduceResponse } from './produce.ts';

interface Queued extends ProducedBatch {
  readonly name: string;
  readonly done: PromiseWithResolvers<ProduceAnswer>;
}

/** Metadata is asked for again after this time, so that new partitions are seen. */
const FRESH_MS = 60_000;
/** And not more often than this where it may be stale, unless some time has passed. */
const STALE_MS = 100;
const MOST_REQUEST_BYTES = 16 * 1024 * 1024;

interface Known {
  readonly leaders: readonly number[];
  readonly at: number;
}

export class Leaders {
  readonly #cluster: Cluster;
  readonly #client: KafkaClient;
  readonly #acks: number;
  readonly #timeoutMs: number;
  readonly #create: boolean;
  readonly #topics = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known | undefined>>();
  readonly #queues = new Map<number, Queued[]>();

  constructor(cluster: Cluster, client: KafkaClient, options: { acks: number; timeoutMs: number; create: boolean }) {
    this.#cluster = cluster;
    this.#client = client;
    this.#acks = options.acks;
    this.#timeoutMs = options.timeoutMs;
    this.#create = options.create;
  }

  /** Number of partitions; 0: there is no such topic. */
  async partitions(topic: string): Promise<number> {
    return (await this.#known(topic))?.leaders.length ?? 0;
  }

  /** What is known of the topic may be wrong. */
  stale(topic: string): void {
    const known = this.#topics.get(topic);
    if (known && performance.now() - known.at > STALE_MS) this.#topics.delete(topic);
  }

  /** Sends a batch to the leader, with others that go there now. Rejects where it is not known what became of it. */
  async send(batch: ProducedBatch): Promise<ProduceAnswer> {
    const known = await this.#known(batch.topic);
    const leader = known?.leaders[batch.partition] ?? -1;
    if (leader < 0) throw new ReefError('io', `${batch.topic}/${batch.partition} has no leader`, { retry: true });
    const queued = { ...batch, name: `${batch.topic}/${batch.partition}`, done: Promise.withResolvers<ProduceAnswer>() };
    const queue = this.#queues.get(leader);
    if (queue) queue.push(queued);
    else {
      this.#queues.set(leader, [queued]);
      setImmediate(() => this.#flush(leader));
    }
    return queued.done.promise;
  }

  anyBroker(): Promise<KafkaConnection> {
    return this.#client.metadata({ topics: [] }).then(({ brokers }) => this.#connection([...brokers.keys()][0] ?? -1));
  }

  async #connection(id: number): Promise<KafkaConnection> {
    const connection = (await this.#client.connectToBrokers([id])).get(id);
    if (!connection) throw new ReefError('io', `broker ${id} is not known`, { retry: true });
    return connection;
  }

  #flush(leader: number): void {
    const all = this.#queues.get(leader) ?? [];
    this.#queues.delete(leader);
    while (all.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < all.length && (count === 0 || bytes + all[count]!.batch.length <= MOST_REQUEST_BYTES))
        bytes += all[count++]!.batch.length;
      void this.#produce(leader, all.splice(0, count));
    }
  }

  async #produce(leader: number, batches: readonly Queued[]): Promise<void> {
    try {
      const body = produceRequest(this.#acks, this.#timeoutMs, batches);
      const connection = await this.#connection(leader);
      const response = await this.#cluster.send(connection, { ...PRODUCE, body, unanswered: this.#acks === 0 });
      const answers = this.#acks === 0 ? undefined : readProduceResponse(response);
      for (const { name, done } of batches) {
        const answer = answers ? answers.get(name) : TAKEN;
        if (answer) done.resolve(answer);
        else done.reject(new ReefError('io', `the broker says nothing of ${name}`, { retry: true }));
      }
    } catch (error) {
      for (const { done } of batches) done.reject(error as Error);
    }
  }

  #known(topic: string): Promise<Known | undefined> {
    const known = this.#topics.get(topic);
    if (known && performance.now() - known.at < FRESH_MS) return Promise.resolve(known);
    let asking = this.#asking.get(topic);
    if (!asking) {
      asking = this.#ask(topic).finally(() => this.#asking.delete(topic));
      this.#asking.set(topic, asking);
    }
    return asking;
  }

  async #ask(topic: string): Promise<Known | undefined> {
    try {
      const metadata = await this.#client.metadata({ topics: [topic], forceUpdate: true, autocreateTopics: this.#create });
      const partitions = metadata.topics.get(topic)?.partitions;
      if (!partitions || partitions.length === 0) return undefined;
      const known = { leaders: Array.from(partitions, (partition) => partition?.leader ?? -1), at: performance.now() };
      this.#topics.set(topic, known);
      return known;
    } catch (error) {
      if (/^Unknown topic/.test((error as Error).message)) return undefined;
      throw error;
    }
  }
}

const TAKEN: ProduceAnswer = { error: 0, message: undefined, rows: [] };
