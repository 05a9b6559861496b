import { ReefError } from '../../../errors.ts';
import type { Bulk, BulkLimits, BulkSink, Undelivered } from '../../../spec/bulk-sink.ts';
import type { Log } from '../../../spec/node.ts';
import type { KafkaClient } from '../client.ts';
import type { Cluster } from '../cluster.ts';
import { Lane, type LaneOptions } from './lane.ts';
import { Leaders } from './leaders.ts';
import { partitionOf } from './murmur2.ts';
import { ProducerIdentity } from './producer-identity.ts';
import { RowViews, type SideColumns } from './row-views.ts';
import { acksOf, type KafkaSinkSettings } from './settings.ts';

export interface KafkaSinkOptions {
  readonly cluster: Cluster;
  readonly settings: KafkaSinkSettings;
  /** Bytes that end each row, which are no part of a value. */
  readonly rowEnd: number;
  readonly log: Log;
}

type Refused = { readonly row: number; readonly reason: string };

export class KafkaSink implements BulkSink {
  readonly limits: BulkLimits;
  readonly #options: KafkaSinkOptions;
  readonly #columns: SideColumns;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #client: KafkaClient;
  readonly #leaders: Leaders;
  readonly #laneOptions: LaneOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Where rows without a key go next. */
  #turn = Math.floor(Math.random() * 1000);

  constructor(options: KafkaSinkOptions) {
    const { cluster, settings, log } = options;
    this.#options = options;
    this.#columns = sidePlaces(settings);
    this.#headers = Object.entries(settings.headers);
    this.limits = {
      rows: settings['producer.batch.rows'],
      bytes: settings['producer.batch.size'],
      timeoutMs: settings['producer.linger.ms'],
      concurrency: settings.concurrency,
      ordered: settings.ordered,
    };
    const acks = acksOf(settings['producer.acks']) ?? -1;
    const timeoutMs = settings.request_timeout_secs * 1000;
    this.#client = cluster.client({ requestTimeout: timeoutMs + 1000 });
    this.#leaders = new Leaders(cluster, this.#client, { acks, timeoutMs, create: settings.unknown_topic === 'create' });
    this.#laneOptions = {
      cluster,
      leaders: this.#leaders,
      identity: acks === -1 && settings['producer.enable.idempotence'] ? new ProducerIdentity(cluster, this.#leaders) : undefined,
      compression: settings['producer.compression.type'],
      deliveryTimeoutMs: settings.delivery_timeout_secs * 1000,
      log,
    };
  }

  async send(bulk: Bulk, signal: AbortSignal): Promise<Undelivered | undefined> {
    const { cluster, rowEnd } = this.#options;
    const views = new RowViews(bulk, { columns: this.#columns, headers: this.#headers, rowEnd });
    const refused: Refused[] = [];
    try {
      const shares = await this.#shareOut(views, refused);
      const outcomes = await Promise.all([...shares].map(([lane, rows]) => lane.send(views, rows, signal)));
      const again = outcomes.flatMap((outcome) => outcome.again).sort((one, other) => one - other);
      refused.push(...outcomes.flatMap((outcome) => outcome.refused));
      if (refused.length === 0 && again.length === 0) return undefined;
      const againReason = outcomes.find((outcome) => outcome.againReason !== undefined)?.againReason;
      return { refused, again, ...(againReason === undefined ? {} : { againReason }) };
    } catch (error) {
      throw cluster.failure('write to', error);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
    this.#options.cluster.close();
  }

  /** Which rows go where. Those that can go nowhere are refused. */
  async #shareOut(views: RowViews, refused: Refused[]): Promise<Map<Lane, number[]>> {
    const { settings } = this.#options;
    const topics = new Map<string, number[][]>();
    const turn = this.#turn++;
    for (let row = 0; row < views.rows; row++) {
      const topic = views.topic(row) || settings.topic;
      const problem = topic === undefined ? `it names no topic in "${settings.topic_column}"` : views.problem(row);
      if (problem !== undefined || topic === undefined) {
        refused.push({ row, reason: problem! });
        continue;
      }
      let shares = topics.get(topic);
      if (!shares) {
        shares = Array.from({ length: await this.#partitionsOf(topic) }, () => []);
        topics.set(topic, shares);
      }
      const count = shares.length;
      const key = settings.partition_column === undefined ? views.key(row) : undefined;
      const partition = views.partition(row) ?? (key ? partitionOf(key, count) : turn % count);
      const share = shares[partition];
      if (share) share.push(row);
      else if (count === 0) refused.push({ row, reason: `there is no topic "${topic}"` });
      else refused.push({ row, reason: `its partition is not one of the ${count} of topic "${topic}"` });
    }
    const byLane = new Map<Lane, number[]>();
    for (const [topic, shares] of topics) {
      for (const [partition, rows] of shares.entries()) if (rows.length > 0) byLane.set(this.#lane(topic, partition), rows);
    }
    return byLane;
  }

  /** 0: there is no such topic, and its rows are to be refused. */
  async #partitionsOf(topic: string): Promise<number> {
    const { settings, cluster } = this.#options;
    const count = await this.#leaders.partitions(topic);
    if (count > 0 || settings.unknown_topic === 'refuse') return count;
    const message = `Cannot write to ${cluster.subject}: there is no topic "${topic}", expected it to be made`;
    throw new ReefError('io', message, { retry: true });
  }

  #lane(topic: string, partition: number): Lane {
    const name = `${topic}/${partition}`;
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = new Lane(topic, partition, this.#laneOptions);
      this.#lanes.set(name, lane);
    }
    return lane;
  }
}

/** The columns that are wanted beside each row. */
export function sideColumns(settings: KafkaSinkSettings): string[] {
  const { topic_column, key_column, partition_column, headers_column } = settings;
  return [topic_column, key_column, partition_column, headers_column].filter((column) => column !== undefined);
}

/** Where each stands among them; -1: it is not wanted. */
function sidePlaces(settings: KafkaSinkSettings): SideColumns {
  let place = 0;
  const next = (column: string | undefined): number => (column === undefined ? -1 : place++);
  return {
    topic: next(settings.topic_column),
    key: next(settings.key_column),
    partition: next(settings.partition_column),
    headers: next(settings.headers_column),
  };
}
