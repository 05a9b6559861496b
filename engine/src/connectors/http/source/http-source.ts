/** The HTTP server of a source: judges requests by their head, has their bodies fed, and answers when the rows are delivered. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { compressions } from '../../../codecs/decompress.ts';
import { hostAndPort, listen } from '../../../net/listener.ts';
import { type Gatekeeper, openGate } from '../../../net/listener-auth.ts';
import { PeerWarnings } from '../../../net/peer-warnings.ts';
import type { Feed } from '../../../spec/feed.ts';
import type { Source, SourceContext } from '../../../spec/source.ts';
import { answerAccepted, answerRefused } from './answers.ts';
import { tellBrokenConnections } from './broken-connections.ts';
import { MediaTypes } from './media.ts';
import { PeerColumns } from './peer-values.ts';
import { Routes } from './routes.ts';
import { openServer } from './server.ts';
import { listenAt, type settings } from './settings.ts';
import { Turns } from './turns.ts';
import { type Admitted, type Refusal, TOO_MANY, tooLarge, Upload, type UploadHost } from './upload.ts';

/** At the end, answers have so long to get out. */
const CLOSE_MS = 1000;
/** As many as libuv's pool has threads. */
const INFLATIONS = 4;
const STOPPING: Refusal = { status: 503, error: 'The pipeline is stopping' };
const ACCEPTED_ENCODINGS = compressions.join(', ');

type Context = SourceContext<typeof settings>;

export class HttpSource implements Source, UploadHost {
  readonly maxBodyBytes: number;
  readonly inflating = new Turns(INFLATIONS);
  readonly #context: Context;
  readonly #media: MediaTypes;
  readonly #gate: Gatekeeper | undefined;
  readonly #routes: Routes;
  readonly #peers: PeerColumns;
  readonly #warnings: PeerWarnings;
  /** All that are not answered, those that are received in the order in which they were. */
  readonly #receiving = new Set<Upload>();
  readonly #awaiting = new Set<Upload>();
  #server: Server | undefined;
  #held = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Connections that get no other answer than the one that has begun. */
  readonly #lingering = new WeakSet<object>();
  #stopping = false;

  constructor(context: Context) {
    const { settings: given, codec } = context;
    this.#context = context;
    this.#warnings = new PeerWarnings(`source "${context.id}"`, context.log);
    this.maxBodyBytes = given.max_body_bytes;
    this.#media = new MediaTypes(codec);
    this.#gate = given.auth && openGate(given.auth);
    this.#peers = new PeerColumns(context.referenced);
    this.#routes = new Routes(given, codec, this.#peers.names);
  }

  async listen(): Promise<void> {
    const { settings: given, folder, log, id } = this.#context;
    const server = await openServer({
      settings: given,
      folder,
      log,
      warnings: this.#warnings,
      onRequest: (request, response) => this.#onRequest(request, response, false),
    });
    tellBrokenConnections(server, {
      waiting: (socket) => {
        const uploads = [...this.#receiving, ...this.#awaiting];
        return uploads.filter(({ request }) => request.socket === socket && request.complete).map(({ response }) => response);
      },
      begun: (socket) => this.#lingering.has(socket),
    });
    server.on('checkContinue', (request, response) => this.#onRequest(request, response, true));
    const { address, port } = await listen(server, listenAt(given), `source "${id}"`);
    // What goes wrong with one connection ends that one.
    server.on('error', (error) => log.warn(`source "${id}": ${error.message}`));
    this.#server = server;
    log.info(`source "${id}" listens on ${given.tls ? 'https' : 'http'}://${hostAndPort(address, port)}`);
  }

  /** The port that it listens on. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Requests that are not answered. */
  get open(): number {
    return this.#receiving.size + this.#awaiting.size;
  }

  /** Bytes of bodies that are held. */
  get held(): number {
    return this.#held;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    this.#routes.open(feed);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#stop();
  }

  async close(): Promise<void> {
    this.#stop();
    clearTimeout(this.#timer);
    for (const upload of this.#awaiting) this.refuse(upload, { status: 503, error: 'The pipeline has stopped' });
    await closeServer(this.#server);
    this.#warnings.close();
  }

  hold(bytes: number): boolean {
    this.#held += bytes;
    return this.#held <= this.#context.settings.max_waiting_bytes;
  }

  received(upload: Upload): void {
    this.#receiving.delete(upload);
    this.#awaiting.add(upload);
    const timeout = this.#context.settings.ack_timeout_secs * 1000;
    upload.deadline = performance.now() + timeout;
    this.#timer ??= setTimeout(() => this.#timeOut(), timeout);
  }

  delivered(upload: Upload): void {
    if (upload.over) return;
    this.#finish(upload);
    // A function of one branch and the sink of another may both reject a row.
    const rejected = Math.min(upload.rejected, upload.rows);
    this.#context.count('requests_accepted_total');
    answerAccepted(upload.response, upload.rows - rejected, rejected, this.#stopping);
    if (this.#context.settings.log_requests) this.#log(upload.request, `200, ${upload.rows} rows, ${rejected} rejected`);
  }

  refuse(upload: Upload, refusal: Refusal): void {
    if (upload.over) return;
    const error = `${refusal.error}${upload.entered ? '; some of its rows may be delivered' : ''}`;
    this.#finish(upload);
    this.#answerRefused(upload.request, upload.response, { ...refusal, error });
  }

  left(upload: Upload): void {
    this.#finish(upload);
    if (this.#context.settings.log_requests) this.#log(upload.request, 'no answer: the client has left');
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const verdict = this.#vet(request);
    if ('status' in verdict) {
      this.#answerRefused(request, response, verdict, expectsContinue);
      return;
    }
    this.#receiving.add(new Upload(this, request, response, verdict));
    if (expectsContinue) response.writeContinue();
  }

  /** Judges a request by its head. Who may not send learns nothing else. */
  #vet({ method, headers, url = '/', socket }: IncomingMessage): Admitted | Refusal {
    if (this.#gate && !this.#gate.admits(headers)) {
      this.#warnings.refused(socket, 'its credentials are missing or wrong ("auth")');
      return {
        status: 401,
        error: 'The credentials are missing or wrong',
        headers: { 'WWW-Authenticate': this.#gate.challenge },
      };
    }
    const route = this.#routes.find(url);
    if (route === undefined) return { status: 404, error: 'There is no such path' };
    if (method !== 'POST' && method !== 'PUT') {
      return { status: 405, error: `Rows are sent with POST, not ${method}`, headers: { Allow: 'POST, PUT' } };
    }
    const media = this.#media.of(headers);
    if ('unsupported' in media) {
      return { status: 415, error: `The body ${media.unsupported}`, headers: { 'Accept-Encoding': ACCEPTED_ENCODINGS } };
    }
    if (Number(headers['content-length'] ?? 0) > this.maxBodyBytes) return tooLarge(this.maxBodyBytes);
    return this.#overload() ?? { media, route, peer: this.#peers.of(socket) };
  }

  #overload(): Refusal | undefined {
    const { max_requests, max_waiting_bytes } = this.#context.settings;
    if (this.#stopping) return STOPPING;
    if (this.open >= max_requests) return { status: 429, error: `${max_requests} requests wait for their answer already` };
    return this.#held >= max_waiting_bytes ? TOO_MANY : undefined;
  }

  #answerRefused(request: IncomingMessage, response: ServerResponse, refusal: Refusal, unsent = false): void {
    const { retry_after_secs, log_requests } = this.#context.settings;
    this.#context.count('requests_refused_total');
    const later = refusal.status === 429 || refusal.status === 503;
    const headers = { ...refusal.headers, ...(later ? { 'Retry-After': String(retry_after_secs) } : {}) };
    answerRefused(request, response, { ...refusal, headers }, { closing: this.#stopping, unsent });
    if (!response.writableEnded) this.#lingering.add(request.socket);
    if (log_requests) this.#log(request, `${refusal.status}: ${refusal.error}`);
  }

  #finish(upload: Upload): void {
    upload.end();
    this.#receiving.delete(upload);
    this.#awaiting.delete(upload);
  }

  /** Answers those whose time is over; the others follow when theirs is. */
  #timeOut(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (const upload of this.#awaiting) {
      if (upload.deadline > now) {
        this.#timer = setTimeout(() => this.#timeOut(), upload.deadline - now);
        return;
      }
      const { ack_timeout_secs } = this.#context.settings;
      this.refuse(upload, { status: 503, error: `The rows were not delivered within ${ack_timeout_secs} s` });
    }
  }

  /** No new requests; what is fed is still answered. */
  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#server?.close();
    this.#routes.stop();
    for (const upload of this.#receiving) this.refuse(upload, STOPPING);
  }

  #log({ method, url, socket }: IncomingMessage, what: string): void {
    this.#context.log.info(`source "${this.#context.id}": ${method} ${url} from ${socket.remoteAddress}: ${what}`);
  }
}

/** Resolves when the last answer is out, or it has had time enough. */
async function closeServer(server: Server | undefined): Promise<void> {
  if (!server) return;
  const closed = new Promise<void>((resolve) => {
    server.once('close', resolve);
    // It may be closed already.
    server.close((error) => {
      if (error) resolve();
    });
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
}
