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
const LAST_PAUSE_MS = 5000;
const NO_BYTES = Buffer.alloc(0);
const EMPTY_OBJECT = Buffer.from('{}');

export class Fetching {
  readonly #options: FetchingOptions;
  readonly #ending = new AbortController();
  #stopped = false;
  /** Leaders have changed, or may have. */
  #stale = false;
  #pauseMs = FIRST_PAUSE_MS;
  #warned = '';
  #hindered = false;

  constructor(options: FetchingOptions) {
    this.#options = options;
  }

  /** Nothing is fed any more but the record that is at it. */
  stop(): void {
    this.#stopped = true;
    this.#ending.abort();
  }

  /** Resolves when it is stopped; rejects when it cannot go on. */
  async run(): Promise<void> {
    const { cluster, client, partitions } = this.#options;
    while (!this.#stopped) {
      this.#stale = false;
      try {
        const topics = [...new Set(partitions.map(({ topic }) => topic))];
        const metadata = await client.metadata({ topics, forceUpdate: true });
        const leaders = Map.groupBy(
          partitions,
          ({ topic, partition }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1,
        );
        const leaderless = leaders.get(-1);
        leaders.delete(-1);
        if (leaderless) this.#trouble(`${leaderless[0]!.name} has no leader`);
        const connections = await client.connectToBrokers([...leaders.keys()]);
        await Promise.all([...leaders].map(([id, led]) => this.#fetchFrom(connections.get(id), led)));
      } catch (error) {
        if (this.#stopped) return;
        const failure = cluster.failure('read from', error);
        if (!failure.retry) throw failure;
        this.#trouble(failure.message);
      }
      await this.#pause();
    }
  }

  #trouble(message: string): void {
    this.#stale = true;
    if (message !== this.#warned) this.#options.log.warn(`${message}; it is tried again`);
    this.#options.hindered(message);
    this.#hindered = true;
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

  async #fetchFrom(connection: KafkaConnection | undefined, led: readonly TopicPartition[]): Promise<void> {
    if (!connection) {
      this.#stale = true;
      return;
    }
    const at = new Map(led.map((partition) => [partition.name, partition.next]));
    const byName = new Map(led.map((partition) => [partition.name, partition]));
    let answer = await this.#fetch(connection, led, at);
    while (!this.#stopped) {
      for (const { topic, partition, records } of answer) {
        const next = records && lastOffset(records);
        if (next !== undefined) at.set(`${topic}/${partition}`, next + 1);
      }
      const troubled = answer.filter(({ error }) => error !== 0);
      if (troubled.length === 0) this.#well();
      const following = troubled.length > 0 || this.#stale ? undefined : this.#fetch(connection, led, at);
      // Its failure is seen once this answer is fed.
      following?.catch(() => {});
      for (const fetched of answer) {
        const partition = byName.get(`${fetched.topic}/${fetched.partition}`);
        if (partition && fetched.error === 0) await this.#feed(partition, fetched);
      }
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

  async #mend(partition: TopicPartition, code: number): Promise<void> {
    const { cluster, log, outOfRange } = this.#options;
    if (code === Code.OFFSET_OUT_OF_RANGE) {
      const offset = await outOfRange(partition);
      log.warn(`${cluster.subject}: offset ${partition.next} of ${partition.name} is not there, going on at ${offset}`);
      partition.move(offset);
      this.#stale = true;
      return;
    }
    if (code === Code.TOPIC_AUTHORIZATION_FAILED)
      throw new ReefError(
        'io',
        `Cannot read from ${cluster.subject}: topic "${partition.topic}" is not allowed to it, expected the right to read`,
      );
    this.#trouble(`${cluster.subject}: ${partition.name}: ${codeName(code)}`);
  }

  /** In turn with whoever fed the partition before. */
  async #feed(partition: TopicPartition, fetched: FetchedPartition): Promise<void> {
    await partition.turn;
    if (this.#stopped) return;
    const feeding = this.#feedBatches(partition, fetched);
    partition.turn = feeding.catch(() => {});
    await feeding;
  }

  async #feedBatches(partition: TopicPartition, { records, aborted }: FetchedPartition): Promise<void> {
    const { cluster, committedOnly, ended } = this.#options;
    const waiting = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset);
    const lost = new Set<bigint>();
    for (const batch of records ? batchesIn(records) : []) {
      if (this.#stopped) break;
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
        await this.#feedBatch(partition, batch);
        if (this.#stopped) break;
      }
      partition.skipTo(batch.lastOffset + 1);
    }
    partition.flush();
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#warned = '';
    if (partition.stopAt !== undefined && partition.next >= partition.stopAt) ended(partition);
  }

  async #feedBatch(partition: TopicPartition, batch: BatchView): Promise<void> {
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
        if (this.#stopped) return;
      }
    }
  }
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
