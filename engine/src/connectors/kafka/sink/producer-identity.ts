/** The id under which an idempotent producer numbers its batches. A new one is had where a broker has lost count. */
import { ReefError } from '../../../errors.ts';
import type { Cluster } from '../cluster.ts';
import { codeName } from '../error-codes.ts';
import type { Leaders } from './leaders.ts';
import { INIT_PRODUCER_ID, initProducerIdRequest, readInitProducerIdResponse } from './produce.ts';

export interface Identity {
  readonly producerId: bigint;
  readonly epoch: number;
}

export class ProducerIdentity {
  readonly #cluster: Cluster;
  readonly #leaders: Leaders;
  #current: Identity | undefined;
  #asking: Promise<Identity> | undefined;

  constructor(cluster: Cluster, leaders: Leaders) {
    this.#cluster = cluster;
    this.#leaders = leaders;
  }

  isCurrent({ producerId, epoch }: Identity): boolean {
    return this.#current?.producerId === producerId && this.#current.epoch === epoch;
  }

  async get(): Promise<Identity> {
    if (this.#current) return this.#current;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Numbers under this one are not to be used any more. */
  renew(used: Identity | undefined): void {
    if (used && this.isCurrent(used)) this.#current = undefined;
  }

  async #ask(): Promise<Identity> {
    const connection = await this.#leaders.anyBroker();
    const response = await this.#cluster.send(connection, { ...INIT_PRODUCER_ID, body: initProducerIdRequest() });
    const { error, producerId, epoch } = readInitProducerIdResponse(response);
    if (error !== 0) throw new ReefError('io', `no producer id is given: ${codeName(error)}`, { retry: true });
    this.#current = { producerId, epoch };
    return this.#current;
  }
}
