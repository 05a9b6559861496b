/**
 * Fetches partitions from their leaders and feeds them, until it is stopped: one request at a time to each broker, the next one on
 * its way while the last answer is fed. Where memory is scarce, feeding waits and nothing is asked for.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ReefError } from '../../../errors.ts';
import type { Log } from '../../../spec/node.ts';
import type { KafkaClient, KafkaConnection } from '../client.ts';
import type { Cluster } from '../cluster.ts';
import { decompress } from '../compression.ts';
import { Code, codeName } from '../error-codes.ts';
import { FETCH, type FetchedPartition, fetchRequest, readFetchResponse } from '../fetch.ts';
import { type BatchView, batchesIn, RecordCursor } from '../record-batch.ts';
import type { TopicPartition } from './topic-partition.ts';

export interface FetchingOptions {
  readonly cluster: Cluster;
  readonly client: KafkaClient;
  readonly partitions: readonly TopicPartition[];
  readonly fetchBytes: number;
  readonly maxWaitMs: number;
  readonly committedOnly: boolean;
  readonly tombstoneRows: boolean;
  readonly json: boolean;
  readonly log: Log;
  hindered(why?: string): void;
  /** The offset to go on at where the one asked for is gone; rejects where it is to end. */
  outOfRange(partition: TopicPartition): Promise<number>;
  /** A partition has reached its end of `stop_at_end`. */
  ended(partition: TopicPartition): void;
}

/** A whole answer: some batches of some partitions. */
const MOST_ANSWER_BYTES = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 3000;
/** Fetching that went on for so long went well. */
const STEADY_MS = 5000;
const NO_BYTES = Buffer.alloc(0);
const EMPTY_OBJECT = Buffer.from('{}');

export class Fetching {
  readonly #options: FetchingOptions;
  readonly #ending = new AbortController();
  #stopped = false;
  /** Counts what {@link run} begins anew, with leaders as they are then. What is left of an earlier round feeds nothing any more. */
  #round = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #warned = '';
  #hindered = false;
  /** The last round in which something was wrong. */
  #troubled = -1;

  constructor(options: FetchingOptions) {
    this.#options = options;
  }

  /** Nothing is fed any more but the record that is at it. */
  stop(): void {
    this.#stopped = true;
    this.#ending.abort();
  }

  /** Asks who leads, and fetches until something is wrong anywhere, again and again. Resolves when it is stopped; rejects when it cannot go on. */
  async run(): Promise<void> {
    const { cluster, client, partitions } = this.#options;
    while (!this.#stopped) {
      let began = performance.now();
      try {
        const topics = [...new Set(partitions.map(({ topic }) => topic))];
        const metadata = await client.metadata({ topics, forceUpdate: true });
        for (const partition of partitions) await this.#recognize(partition, metadata.topics.get(partition.topic)?.id);
        const leaders = Map.groupBy(
          partitions,
          ({ topic, partition }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1,
        );
        const leaderless = leaders.get(-1);
        leaders.delete(-1);
        const round = ++this.#round;
        began = performance.now();
        // Those that are well go on until it is known who leads now.
        const ways = [...leaders].map(([id, led]) => this.#fetchFrom(id, led, round));
        if (leaderless) {
          this.#trouble(`${leaderless[0]!.name} has no leader`);
          ways.push(this.#pause());
        }
        await Promise.race(ways);
      } catch (error) {
        if (this.#stopped) return;
        const failure = cluster.failure('read from', error);
        if (!failure.retry) throw failure;
        this.#trouble(failure.message);
      }
      if (performance.now() - began > STEADY_MS) {
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#warned = '';
      }
      await this.#pause();
    }
  }

  #trouble(message: string): void {
    if (message !== this.#warned) this.#options.log.warn(`${message}; it is tried again`);
    this.#options.hindered(message);
    this.#hindered = true;
    this.#troubled = this.#round;
    this.#warned = message;
  }

  #well(): void {
    if (!this.#hindered) return;
    this.#hindered = false;
    this.#options.hindered();
  }

  async #pause(): Promise<void> {
    if (this.#stopped) return;
    await pause(Math.random() * this.#pauseMs, undefined, { signal: this.#ending.signal }).catch(() => {});
    this.#pauseMs = Math.min(LAST_PAUSE_MS, this.#pauseMs * 2);
  }

  #over(round: number): boolean {
    return this.#stopped || round !== this.#round;
  }

  async #fetchFrom(leader: number, led: readonly TopicPartition[], round: number): Promise<void> {
    // One that is away does not hold up the others.
    const connection = (await this.#options.client.connectToBrokers([leader])).get(leader);
    if (!connection) return;
    const at = new Map(led.map((partition) => [partition.name, partition.next]));
    const byName = new Map(led.map((partition) => [partition.name, partition]));
    let answer = await this.#fetch(connection, led, at);
    while (!this.#over(round)) {
      for (const { topic, partition, records } of answer) {
        const next = records && lastOffset(records);
        if (next !== undefined) at.set(`${topic}/${partition}`, next + 1);
      }
      const troubled = answer.filter(({ error }) => error !== 0);
      if (troubled.length === 0 && this.#troubled !== round) this.#well();
      const following = troubled.length > 0 ? undefined : this.#fetch(connection, led, at);
      // Its failure is seen once this answer is fed.
      following?.catch(() => {});
      for (const fetched of answer) {
        const partition = byName.get(`${fetched.topic}/${fetched.partition}`);
        if (partition && fetched.error === 0) await this.#feed(partition, fetched, round);
      }
      if (this.#over(round)) return;
      for (const { topic, partition, error } of troubled) await this.#mend(byName.get(`${topic}/${partition}`)!, error);
      if (!following) return;
      answer = await following;
    }
  }

  async #fetch(
    connection: KafkaConnection,
    led: readonly TopicPartition[],
    at: ReadonlyMap<string, number>,
  ): Promise<FetchedPartition[]> {
    const { cluster, maxWaitMs, fetchBytes, committedOnly } = this.#options;
    // Which partition stands first changes, so that a full answer starves none.
    const turn = Math.floor(Math.random() * led.length);
    const partitions = [...led.slice(turn), ...led.slice(0, turn)].map(({ topic, partition, name }) => ({
      topic,
      partition,
      offset: at.get(name)!,
    }));
    const body = fetchRequest({ maxWaitMs, maxBytes: MOST_ANSWER_BYTES, partitionBytes: fetchBytes, committedOnly, partitions });
    const { error, partitions: fetched } = readFetchResponse(await cluster.send(connection, { ...FETCH, body }));
    if (error !== 0) throw new ReefError('io', `Cannot read from ${cluster.subject}: ${codeName(error)}`, { retry: true });
    return fetched;
  }

  /** A topic that was deleted and made again has other rows at the same offsets. */
  async #recognize(partition: TopicPartition, id: string | undefined): Promise<void> {
    if (id === undefined) return;
    if (partition.topicId !== undefined && partition.topicId !== id) await this.#jump(partition, 'is a new topic');
    partition.topicId = id;
  }

  async #jump(partition: TopicPartition, why: string): Promise<void> {
    const { cluster, log, outOfRange } = this.#options;
    const offset = await outOfRange(partition);
    log.warn(`${cluster.subject}: ${partition.name} ${why}, going on at ${offset}`);
    if (offset < partition.next) await Promise.race([partition.allDelivered(), aborted(this.#ending.signal)]);
    if (!this.#stopped) partition.move(offset);
  }

  async #mend(partition: TopicPartition, code: number): Promise<void> {
    const { cluster } = this.#options;
    if (code === Code.OFFSET_OUT_OF_RANGE) {
      await this.#jump(partition, `has no offset ${partition.next} any more`);
      return;
    }
    if (code === Code.TOPIC_AUTHORIZATION_FAILED)
      throw new ReefError(
        'io',
        `Cannot read from ${cluster.subject}: topic "${partition.topic}" is not allowed to it, expected the right to read`,
      );
    this.#trouble(`${cluster.subject}: ${partition.name}: ${codeName(code)}`);
  }

  /** In turn with whoever feeds the partition already: a record that waits for memory must not be overtaken. */
  async #feed(partition: TopicPartition, fetched: FetchedPartition, round: number): Promise<void> {
    const feeding = partition.turn.then(() => this.#feedBatches(partition, fetched, round));
    partition.turn = feeding.catch(() => {});
    await feeding;
  }

  async #feedBatches(partition: TopicPartition, { records, aborted }: FetchedPartition, round: number): Promise<void> {
    if (this.#over(round)) return;
    const { cluster, committedOnly, ended } = this.#options;
    const waiting = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset);
    const lost = new Set<bigint>();
    for (const batch of records ? batchesIn(records) : []) {
      if (this.#over(round)) break;
      while (waiting[0] && waiting[0].firstOffset <= batch.lastOffset) lost.add(waiting.shift()!.producerId);
      if (batch.lastOffset < partition.next) continue;
      if (cluster.library.crc32c(batch.summed) !== batch.crc)
        throw new ReefError(
          'io',
          `Cannot read from ${cluster.subject}: the checksum of ${partition.name} at offset ${batch.firstOffset} is wrong`,
          {
            retry: true,
          },
        );
      if (batch.control) {
        // Key of a marker: version, then 0 where the transaction was aborted.
        if (isAbort(batch)) lost.delete(batch.producerId);
      } else if (!(committedOnly && batch.transactional && lost.has(batch.producerId))) {
        await this.#feedBatch(partition, batch, round);
        if (this.#over(round)) break;
      }
      partition.skipTo(batch.lastOffset + 1);
    }
    partition.flush();
    if (partition.stopAt !== undefined && partition.next >= partition.stopAt) ended(partition);
  }

  async #feedBatch(partition: TopicPartition, batch: BatchView, round: number): Promise<void> {
    const { cluster, tombstoneRows, json } = this.#options;
    const bytes = await decompress(cluster.library, batch.compression, batch.records);
    const cursor = new RecordCursor(batch, bytes);
    const nothing = json ? EMPTY_OBJECT : NO_BYTES;
    while (cursor.next()) {
      if (cursor.offset < partition.next) continue;
      if (cursor.valueStart < 0 && !tombstoneRows) continue;
      const payload = cursor.valueStart < 0 ? nothing : bytes.subarray(cursor.valueStart, cursor.valueEnd);
      const wait = partition.add(cursor, payload);
      if (wait) {
        await wait;
        if (this.#over(round)) return;
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function isAbort(batch: BatchView): boolean {
  const cursor = new RecordCursor(batch, batch.records);
  return cursor.next() && cursor.keyEnd - cursor.keyStart >= 4 && cursor.bytes.readInt16BE(cursor.keyStart + 2) === 0;
}

/** That of the last complete batch. */
function lastOffset(records: Buffer): number | undefined {
  let last: number | undefined;
  for (const batch of batchesIn(records)) last = batch.lastOffset;
  return last;
}
