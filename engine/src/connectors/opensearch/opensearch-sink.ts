import { compressWhole } from '../../codecs/compress.ts';
import { decodedBody } from '../../codecs/content-encoding.ts';
import { ReefError } from '../../errors.ts';
import type { HttpAccess } from '../../net/client-access.ts';
import type { Response } from '../../net/client-connection.ts';
import { excerpt } from '../../net/excerpt.ts';
import { retryAfterMs } from '../../net/retry-after.ts';
import type { Bulk, BulkLimits, BulkSink, Undelivered } from '../../spec/bulk-sink.ts';
import type { Log } from '../../spec/node.ts';
import { FILTER_PATH, readAnswer } from './bulk-answer.ts';
import { type BodyParts, bulkBody } from './bulk-body.ts';
import type { Hosts } from './hosts.ts';

export interface OpenSearchParts {
  readonly id: string;
  readonly limits: BulkLimits;
  readonly access: HttpAccess;
  readonly hosts: Hosts;
  readonly body: BodyParts;
  readonly compression: boolean;
  readonly pipeline: string | undefined;
  readonly failBulks: boolean;
  readonly dropDocuments: boolean;
  readonly log: Log;
  readonly now?: () => number;
}

/** Longer answers are not read: the halves of the bulk have shorter ones. */
const MOST_ANSWER_BYTES = 16 * 1024 * 1024;

interface Sent {
  readonly response: Response;
  readonly origin: string;
}

export class OpenSearchSink implements BulkSink {
  readonly limits: BulkLimits;
  readonly #parts: OpenSearchParts;
  readonly #headers: readonly (readonly [string, string])[];
  #dropped = 0;

  constructor(parts: OpenSearchParts) {
    this.limits = parts.limits;
    this.#parts = parts;
    const compressed = [
      ['Content-Encoding', 'gzip'],
      ['Accept-Encoding', 'gzip'],
    ] as const;
    const usual = [
      ['Content-Type', 'application/x-ndjson'],
      ['User-Agent', 'reef'],
    ] as const;
    this.#headers = parts.compression ? [...usual, ...compressed] : usual;
  }

  async send(bulk: Bulk, signal: AbortSignal): Promise<Undelivered | undefined> {
    const { body, now = Date.now, compression } = this.#parts;
    const { bytes, index, rows, refused } = bulkBody(bulk, body, now());
    if (rows.length === 0) return this.#outcome({ refused });
    const sent = await this.#post(index, compression ? await compressWhole('gzip', bytes) : bytes, signal);
    const { response, origin } = sent;
    const answer = await this.#read(sent);
    if (response.status !== 200) return this.#refusal(sent, answer);
    const said = answer && readAnswer(answer, rows, { operation: body.operation, namedByRows: index === undefined });
    if (answer === undefined) return { split: `${origin} answers with more than ${MOST_ANSWER_BYTES} bytes` };
    if (said === undefined)
      throw this.#passing(`${origin} answers 200 with what is no answer to a bulk: ${excerpt(answer)}`, response);
    return this.#outcome({ ...said, refused: [...refused, ...(said.refused ?? [])].sort((one, other) => one.row - other.row) });
  }

  async close(): Promise<void> {
    this.#parts.access.close();
    if (this.#dropped > 0)
      this.#parts.log.warn(`sink "${this.#parts.id}" has dropped ${this.#dropped} documents that were refused`);
  }

  /** To the server whose turn it is; to the next one where it cannot be reached. */
  async #post(index: string | undefined, body: Buffer, signal: AbortSignal): Promise<Sent> {
    const { access, hosts, pipeline } = this.#parts;
    const query = `filter_path=${FILTER_PATH}${pipeline === undefined ? '' : `&pipeline=${encodeURIComponent(pipeline)}`}`;
    const path = `${index === undefined ? '' : `/${encodeURIComponent(index)}`}/_bulk?${query}`;
    const request = { method: 'POST', headers: this.#headers, body, mostBodyBytes: MOST_ANSWER_BYTES };
    let failure: unknown;
    for (const host of hosts.inTurn()) {
      try {
        const target = `${host.client.basePath}${path}`;
        const response = await access.request(host.client, { ...request, target }, signal);
        if (response.status >= 502 && response.status <= 504) hosts.failed(host);
        else hosts.answered(host);
        return { response, origin: host.client.origin };
      } catch (error) {
        signal.throwIfAborted();
        hosts.failed(host);
        failure = error;
      }
    }
    throw failure;
  }

  /** The answer's body as it was meant; `undefined`: it is too long. */
  async #read({ response, origin }: Sent): Promise<Buffer | undefined> {
    const { body, bodyBytes } = response;
    if (bodyBytes > MOST_ANSWER_BYTES) return undefined;
    try {
      return await decodedBody({ body, encoding: response.header('content-encoding'), maxBytes: MOST_ANSWER_BYTES });
    } catch (error) {
      const { code, message } = error as ReefError;
      if (code === 'limit') return undefined;
      throw this.#passing(`${origin}: ${message}`, response);
    }
  }

  /** The request was refused as a whole. */
  #refusal({ response, origin }: Sent, body: Buffer | undefined): Undelivered {
    const { status } = response;
    const reason = `${origin} answers ${status}: ${body ? excerpt(body) : 'too much'}`;
    // 400: of a line that is malformed all others suffer.
    if (status === 413 || status === 400) return { split: reason };
    const passes = status === 408 || status === 429 || status >= 500;
    if (this.#parts.failBulks && !passes) return { refusedAll: reason };
    throw this.#passing(reason, response);
  }

  #outcome(said: Undelivered): Undelivered | undefined {
    const { refused = [], again = [] } = said;
    if (refused.length === 0 && again.length === 0) return undefined;
    if (!this.#parts.dropDocuments || refused.length === 0) return said;
    if (this.#dropped === 0)
      this.#parts.log.warn(
        `sink "${this.#parts.id}" drops documents that are refused, as it is told; the first: ${refused[0]!.reason}`,
      );
    this.#dropped += refused.length;
    return again.length === 0 ? undefined : { ...said, refused: [] };
  }

  #passing(reason: string, response: Response): ReefError {
    const asked = retryAfterMs(response.header('retry-after'));
    return new ReefError('io', `Cannot send to sink "${this.#parts.id}": ${reason}`, {
      retry: true,
      ...(asked === undefined ? {} : { retryAfterMs: asked }),
    });
  }
}
