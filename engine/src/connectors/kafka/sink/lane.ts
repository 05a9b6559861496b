/**
 * The way of rows into one partition: one batch at a time, so that order is kept, each under its own numbers until it is known what
 * became of it. What a broker refuses as a whole is cut in halves, down to the guilty row.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../spec/node.ts';
import type { Cluster } from '../cluster.ts';
import { compress } from '../compression.ts';
import { Code, codeName } from '../error-codes.ts';
import type { Compression } from '../record-batch.ts';
import { BatchWriter, finishBatch, type Numbering, RECORD_OVERHEAD_BYTES } from './batch-writer.ts';
import type { Leaders } from './leaders.ts';
import type { ProduceAnswer } from './produce.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import type { RowViews } from './row-views.ts';

export interface LaneOptions {
  readonly cluster: Cluster;
  readonly leaders: Leaders;
  readonly identity: ProducerIdentity | undefined;
  readonly compression: Compression;
  readonly deliveryTimeoutMs: number;
  readonly log: Log;
}

/** What became of rows; those that are named nowhere are delivered. */
export interface Outcome {
  readonly refused: { readonly row: number; readonly reason: string }[];
  readonly again: number[];
  againReason?: string;
}

/** Brokers take 1 MiB by default, all told. A single row may be larger: they say what they think of it. */
const MOST_BATCH_BYTES = 1_000_000;
const LAST_PAUSE_MS = 2000;

export class Lane {
  readonly topic: string;
  readonly partition: number;
  readonly #options: LaneOptions;
  #last: Promise<void> = Promise.resolve();
  #numbering: Numbering | undefined;

  constructor(topic: string, partition: number, options: LaneOptions) {
    this.topic = topic;
    this.partition = partition;
    this.#options = options;
  }

  /** Sends these rows, ascending, behind those that were given before. */
  send(views: RowViews, rows: readonly number[], signal: AbortSignal): Promise<Outcome> {
    const outcome: Outcome = { refused: [], again: [] };
    const sent = this.#last.then(() => this.#sendAll(views, rows, outcome, signal));
    this.#last = sent.catch(() => {});
    return sent.then(() => outcome);
  }

  async #sendAll(views: RowViews, rows: readonly number[], outcome: Outcome, signal: AbortSignal): Promise<void> {
    for (let from = 0; from < rows.length; ) {
      let to = from;
      for (let bytes = 0; to < rows.length; to++) {
        bytes += views.bytesOf(rows[to]!) + RECORD_OVERHEAD_BYTES;
        if (bytes > MOST_BATCH_BYTES && to > from) break;
      }
      // Those behind must not overtake.
      if (outcome.again.length > 0) outcome.again.push(...rows.slice(from, to));
      else await this.#sendBatch(views, rows.slice(from, to), outcome, signal);
      from = to;
    }
  }

  async #sendBatch(views: RowViews, rows: readonly number[], outcome: Outcome, signal: AbortSignal): Promise<void> {
    const answer = await this.#deliver(views, rows, signal);
    if (typeof answer === 'string') {
      outcome.again.push(...rows);
      outcome.againReason ??= answer;
      return;
    }
    const { error, message, rows: guilty } = answer;
    if (error === 0) return;
    const reason = `Kafka refuses it for ${this.topic}/${this.partition}: ${codeName(error)}${message ? `: ${message}` : ''}`;
    if (guilty.length > 0) {
      const bad = new Map(guilty.map(({ row, message }) => [rows[row]!, message]));
      for (const [row, what] of bad) outcome.refused.push({ row, reason: what ? `${reason}: ${what}` : reason });
      const good = rows.filter((row) => !bad.has(row));
      if (good.length > 0) await this.#sendBatch(views, good, outcome, signal);
    } else if (rows.length === 1) {
      outcome.refused.push({ row: rows[0]!, reason });
    } else {
      const middle = Math.ceil(rows.length / 2);
      await this.#sendBatch(views, rows.slice(0, middle), outcome, signal);
      if (outcome.again.length > 0) outcome.again.push(...rows.slice(middle));
      else await this.#sendBatch(views, rows.slice(middle), outcome, signal);
    }
  }

  /** An answer that is final, or why the rows are to be sent again later, as new ones. */
  async #deliver(views: RowViews, rows: readonly number[], signal: AbortSignal): Promise<ProduceAnswer | string> {
    const { cluster, leaders, identity, compression, deliveryTimeoutMs, log } = this.#options;
    const writer = new BatchWriter(rows.reduce((sum, row) => sum + views.bytesOf(row) + RECORD_OVERHEAD_BYTES, 0));
    for (const row of rows) views.write(row, writer);
    const records = await compress(cluster.library, compression, writer.records());
    const time = Date.now();
    const { crc32c } = cluster.library;
    const { topic, partition } = this;
    const deadline = performance.now() + deliveryTimeoutMs;
    let batch: Buffer | undefined;
    let reason = '';
    for (let pauseMs = 50; ; pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 2)) {
      signal.throwIfAborted();
      try {
        if (identity && (this.#numbering === undefined || !identity.isCurrent(this.#numbering))) {
          this.#numbering = { ...(await identity.get()), sequence: 0 };
          batch = undefined;
        }
        batch ??= finishBatch(records, { rows: rows.length, time, compression, numbering: this.#numbering, crc32c });
        const answer = await leaders.send({ topic, partition, batch });
        if (answer.error === 0 || answer.error === Code.DUPLICATE_SEQUENCE) {
          this.#took(rows.length);
          return { ...answer, error: 0 };
        }
        if (FINAL.has(answer.error)) return answer;
        if (LOST_COUNT.has(answer.error)) identity?.renew(this.#numbering);
        reason = `${topic}/${partition}: ${codeName(answer.error)}`;
      } catch (error) {
        const failure = cluster.failure('write to', error);
        if (!failure.retry) throw failure;
        reason = failure.message;
      }
      leaders.stale(topic);
      // Without numbers it may be there already: the engine counts the tries.
      if (!identity || performance.now() >= deadline) {
        identity?.renew(this.#numbering);
        return reason;
      }
      if (pauseMs === 50) log.warn(`${cluster.subject}: ${reason}; it is sent again`);
      await pause(pauseMs * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }

  #took(rows: number): void {
    const numbering = this.#numbering;
    // It wraps from 2^31-1 to 0.
    if (numbering) this.#numbering = { ...numbering, sequence: (numbering.sequence + rows) % 2147483648 };
  }
}

/** The batch, or a row of it, will never be taken. Nothing of it was. */
const FINAL: ReadonlySet<number> = new Set([
  Code.MESSAGE_TOO_LARGE,
  Code.RECORD_LIST_TOO_LARGE,
  Code.INVALID_TOPIC,
  Code.INVALID_RECORD,
  Code.INVALID_TIMESTAMP,
]);

/** The broker has lost count of the producer's numbers, or never had it: it begins anew. */
const LOST_COUNT: ReadonlySet<number> = new Set([
  Code.OUT_OF_ORDER_SEQUENCE,
  Code.UNKNOWN_PRODUCER_ID,
  Code.INVALID_PRODUCER_EPOCH,
]);
