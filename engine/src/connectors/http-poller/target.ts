/** One request of the poller: asks again and again, page by page, and feeds what comes. */
import { setTimeout as pause } from 'node:timers/promises';
import { decodedBody } from '../../codecs/content-encoding.ts';
import { compressions } from '../../codecs/decompress.ts';
import { ReefError } from '../../errors.ts';
import type { HttpClient } from '../../net/client.ts';
import type { HttpAccess } from '../../net/client-access.ts';
import type { Response } from '../../net/client-connection.ts';
import { excerpt } from '../../net/excerpt.ts';
import { retryAfterMs } from '../../net/retry-after.ts';
import type { Feed, PartitionFeed, Position } from '../../spec/feed.ts';
import { feedBytes } from '../../spec/feed-bytes.ts';
import type { Log } from '../../spec/node.ts';
import type { Codec } from '../../spec/plan.ts';
import { answerRows } from './answer-rows.ts';
import { Marks, type PollState, pollState } from './marks.ts';
import type { Pace } from './pace.ts';
import { type Page, type PageAnswer, Pages } from './pages.ts';
import { nameOf, type PollerSettings, type RequestSettings } from './settings.ts';

export interface TargetParts {
  readonly id: string;
  readonly request: RequestSettings;
  /** Empty: the outs without one; `undefined`: all outs. */
  readonly table: string | undefined;
  readonly settings: PollerSettings;
  readonly codec: Codec;
  readonly access: HttpAccess;
  readonly pace: Pace;
  /** It polls once. */
  readonly once: boolean;
  readonly log: Log;
  hindered(why?: string): void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** A server that asks for more is not given it. */
const LONGEST_ASKED_MS = 600_000;

interface Answer extends PageAnswer {
  readonly response: Response;
  readonly bytes: Uint8Array;
}

export class Target {
  readonly name: string;
  readonly #parts: TargetParts;
  readonly #client: HttpClient;
  readonly #pages: Pages;
  readonly #headers: readonly (readonly [string, string])[];
  #marks = new Marks({ offset: 0 });
  #feed: Feed | undefined;
  #partition: PartitionFeed | undefined;
  #columns: string | undefined;
  #offset = 0;

  constructor(parts: TargetParts) {
    const { request, access, id, codec } = parts;
    this.#parts = parts;
    this.name = nameOf(request);
    this.#client = access.client(request.url, `poll "${this.name}" for source "${id}"`);
    this.#pages = new Pages(request.url, request.page);
    const usual = {
      Accept: codec.name === 'json' ? 'application/json, application/x-ndjson, */*;q=0.1' : '*/*',
      'Accept-Encoding': compressions.join(', '),
      'User-Agent': 'reef',
      ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const own = Object.entries(request.headers);
    const isOwn = (name: string): boolean => own.some(([other]) => other.toLowerCase() === name.toLowerCase());
    this.#headers = [...Object.entries(usual).filter(([name]) => !isOwn(name)), ...own];
  }

  committed(position: Position): void {
    const state = pollState(position);
    if (state) this.#marks.forgetBefore(state.offset);
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const { once, settings, request } = this.#parts;
    const resumed = pollState(feed.resume.get(this.name));
    // A feed that is gone on with gives the same rows again, by the same ids. Any other answer may have changed meanwhile.
    this.#offset = request.page?.keep && resumed ? resumed.offset : Date.now() * 1000;
    this.#feed = feed;
    this.#partition = undefined;
    this.#marks = new Marks({ ...resumed, offset: this.#offset });
    while (!signal.aborted) {
      const started = performance.now();
      await this.#poll(signal);
      if (once) break;
      const interval = settings.interval_secs * 1000 * (1 - settings.jitter * Math.random());
      await rest(started + interval - performance.now(), signal);
    }
    if (once && !signal.aborted) await this.#end();
  }

  /** Asks for all pages. What cannot be mended by asking again ends the poll: the next one may fare better. */
  async #poll(signal: AbortSignal): Promise<void> {
    const { once, log, id, request, hindered } = this.#parts;
    try {
      await this.#pollPages(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ReefError) || error.code === 'config' || once) throw error;
      hindered(error.message);
      log.warn(`${error.message}; source "${id}" polls "${nameOf(request)}" again at its next time`);
    }
  }

  async #pollPages(signal: AbortSignal): Promise<void> {
    const { request, log, id } = this.#parts;
    const before = this.#marks.last;
    let first: Pick<PollState, 'etag' | 'modified'> | undefined;
    let page = this.#pages.first(before.place);
    const asked = new Set([page.target]);
    for (let count = 1; ; count++) {
      const answer = await this.#answer(page, first ? {} : before, signal);
      if (!answer) return;
      first ??= validators(answer.response);
      const next = this.#next(page, answer, asked);
      await this.#feedRows(answer);
      const place = next && request.page?.keep ? next.place : this.#pages.kept(page, answer);
      const state = { offset: this.#offset, ...(place === undefined ? {} : { place }), ...(next ? {} : first) };
      // Pages that are not kept are only good together: after a kill all of them are asked for again.
      if (!next || request.page?.keep) this.#marks.add(state);
      if (!next) return;
      page = next;
      if (count < request.page!.most_pages) continue;
      log.warn(`source "${id}": "${this.name}" has more than ${count} pages, expected no more than setting "most_pages" says`);
      this.#marks.add({ ...state, ...first });
      return;
    }
  }

  /** `undefined`: nothing has changed. Asks until there is an answer that can be used. */
  async #answer(page: Page, known: Partial<PollState>, signal: AbortSignal): Promise<Answer | undefined> {
    const { log, id, hindered } = this.#parts;
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.#ask(page, known, signal);
        hindered();
        return answer;
      } catch (error) {
        if (signal.aborted || !(error instanceof ReefError) || !error.retry) throw error;
        const backoff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 16)) * Math.random();
        const waits = Math.max(backoff, Math.min(error.retryAfterMs ?? 0, LONGEST_ASKED_MS));
        if (Number.isInteger(Math.log2(tries)))
          log.warn(`${error.message}; source "${id}" asks again in ${(waits / 1000).toFixed(1)} s (try ${tries + 1})`);
        hindered(error.message);
        await rest(waits, signal);
        signal.throwIfAborted();
      }
    }
  }

  async #ask({ target }: Page, { etag, modified }: Partial<PollState>, signal: AbortSignal): Promise<Answer | undefined> {
    const { request, access, pace, settings, codec } = this.#parts;
    await pace.turn(signal);
    const headers = [...this.#headers];
    if (etag !== undefined) headers.push(['If-None-Match', etag]);
    if (modified !== undefined) headers.push(['If-Modified-Since', modified]);
    const { method, body: sent, rows: pointer } = request;
    const response = await access.request(
      this.#client,
      {
        method,
        target,
        headers,
        ...(sent === undefined ? {} : { body: Buffer.from(sent) }),
        mostBodyBytes: settings.max_body_bytes + 1,
      },
      signal,
    );
    if (response.status === 304) return undefined;
    if (response.status < 200 || response.status > 299) throw this.#refused(response);
    if (response.bodyBytes > settings.max_body_bytes) throw this.#wrong(`is longer than ${settings.max_body_bytes} bytes`);
    const body = await this.#decoded(response);
    const found = answerRows(body, { codec, type: response.header('content-type'), pointer });
    if ('problem' in found) throw this.#wrong(found.problem);
    this.#open(found.columns);
    return { response, body, bytes: found.bytes, rows: found.rows, link: response.header('link') };
  }

  /** `asked`: the pages of this poll. One of them again would lead in a circle. */
  #next(page: Page, answer: Answer, asked: Set<string>): Page | undefined {
    try {
      const next = this.#pages.next(page, answer);
      if (!next || !asked.has(next.target)) {
        if (next) asked.add(next.target);
        return next;
      }
    } catch (error) {
      throw error instanceof ReefError ? this.#failed(error.message) : error;
    }
    const { log, id } = this.#parts;
    log.warn(`source "${id}": the pages of "${this.name}" lead in a circle, expected a last one; the poll ends there`);
    return undefined;
  }

  async #decoded(response: Response): Promise<Buffer> {
    try {
      const encoding = response.header('content-encoding');
      return await decodedBody({ body: response.body, encoding, maxBytes: this.#parts.settings.max_body_bytes });
    } catch (error) {
      throw error instanceof ReefError ? this.#failed(error.message) : error;
    }
  }

  #refused(response: Response): ReefError {
    const { status } = response;
    const said = excerpt(response.body);
    const to = status >= 300 && status < 400 ? ` (to ${response.header('location') ?? 'nowhere'})` : '';
    const passes = status === 408 || status === 425 || status === 429 || status >= 500;
    const asked = retryAfterMs(response.header('retry-after'));
    return this.#failed(`${this.#client.origin} answers ${status}${to}${said === '' ? '' : `: ${said}`}`, {
      retry: passes,
      ...(asked === undefined ? {} : { retryAfterMs: asked }),
    });
  }

  #wrong(what: string): ReefError {
    return this.#failed(`the answer of ${this.#client.origin} ${what}`);
  }

  #failed(what: string, options: { retry?: boolean; retryAfterMs?: number } = {}): ReefError {
    return new ReefError('io', `Cannot poll "${this.name}" for source "${this.#parts.id}": ${what}`, options);
  }

  /** Once it is known what the rows are like. */
  #open(columns: readonly string[] | undefined): void {
    const known = columns && JSON.stringify(columns);
    if (this.#partition) {
      if (known !== undefined && known !== this.#columns)
        throw this.#wrong(`has the columns ${columns!.join(', ')}, expected those of the first answer`);
      return;
    }
    const { codec, table } = this.#parts;
    this.#columns = known;
    this.#partition = this.#feed!.partition(this.name, {
      offset: this.#offset,
      position: (offset) => this.#marks.at(offset),
      ...(table === undefined ? {} : { table }),
      ...(codec.name === 'csv' && columns ? { codec: { ...codec, header: false, columns } } : {}),
    });
  }

  /** There may have been nothing to open it for. */
  async #end(): Promise<void> {
    await this.#partition?.end();
  }

  async #feedRows({ bytes }: Answer): Promise<void> {
    await feedBytes(this.#partition!, bytes, { flush: true });
    this.#offset += bytes.length;
  }
}

function validators(response: Response): Pick<PollState, 'etag' | 'modified'> {
  const etag = response.header('etag');
  const modified = response.header('last-modified');
  return { ...(etag === undefined ? {} : { etag }), ...(modified === undefined ? {} : { modified }) };
}

/** Resolves early when the signal aborts. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, undefined, { signal }).catch(() => {});
}
