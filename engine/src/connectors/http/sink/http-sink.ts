import { compressWhole } from '../../../codecs/compress.ts';
import type { Compression } from '../../../codecs/decompress.ts';
import { ReefError } from '../../../errors.ts';
import type { HttpClient } from '../../../net/client.ts';
import type { HttpAccess } from '../../../net/client-access.ts';
import type { Response } from '../../../net/client-connection.ts';
import { excerpt } from '../../../net/excerpt.ts';
import { retryAfterMs } from '../../../net/retry-after.ts';
import type { Bulk, BulkLimits, BulkSink, Undelivered } from '../../../spec/bulk-sink.ts';
import { type BodyKind, bodyOf, wrapRows } from './body.ts';
import type { Statuses } from './statuses.ts';

export interface HttpSinkParts {
  readonly id: string;
  readonly limits: BulkLimits;
  readonly access: HttpAccess;
  readonly client: HttpClient;
  readonly method: string;
  readonly origin: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: BodyKind;
  /** What each body begins with: the names of CSV's columns. */
  readonly head: Uint8Array | undefined;
  readonly outputColumn: string | undefined;
  readonly compression: Compression | undefined;
  readonly transient: Statuses;
  readonly split: Statuses;
}

/** Of an answer only what is told to people is kept. */
const MOST_ANSWER_BYTES = 4096;

export class HttpSink implements BulkSink {
  readonly limits: BulkLimits;
  readonly #parts: HttpSinkParts;

  constructor(parts: HttpSinkParts) {
    this.limits = parts.limits;
    this.#parts = parts;
  }

  async send(bulk: Bulk, signal: AbortSignal): Promise<Undelivered | undefined> {
    const { access, client, method, headers, origin, transient, split } = this.#parts;
    const body = await this.#body(bulk);
    const response = await access.request(client, { method, headers, body, mostBodyBytes: MOST_ANSWER_BYTES }, signal);
    const { status } = response;
    if (status >= 200 && status < 300) return undefined;
    const said = excerpt(response.body);
    const reason = `${origin} answers ${status}${said === '' ? '' : `: ${said}`}`;
    if (split(status)) return { split: reason };
    if (transient(status)) throw this.#passing(reason, response);
    const target = response.header('location');
    // Where it leads is a mistake in the settings, or on the other side: rows must not suffer from it.
    if (status >= 300 && status < 400)
      throw this.#passing(
        `${origin} answers ${status} (to ${target ?? 'nowhere'}), expected a URL that takes rows itself`,
        response,
      );
    return { refusedAll: reason };
  }

  async close(): Promise<void> {
    this.#parts.access.close();
  }

  async #body(bulk: Bulk): Promise<Uint8Array> {
    const { outputColumn, body, head, compression } = this.#parts;
    const rows = bodyOf(outputColumn === undefined ? bulk : wrapRows(bulk, outputColumn), body);
    const bytes = head ? Buffer.concat([head, rows]) : rows;
    return compression === undefined ? bytes : compressWhole(compression, bytes);
  }

  #passing(reason: string, response: Response): ReefError {
    const asked = retryAfterMs(response.header('retry-after'));
    return new ReefError('io', `Cannot send to HTTP sink "${this.#parts.id}": ${reason}`, {
      retry: true,
      ...(asked === undefined ? {} : { retryAfterMs: asked }),
    });
  }
}
