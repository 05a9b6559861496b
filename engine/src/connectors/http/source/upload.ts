/**
 * One request with rows, from its first byte to its answer. Rows on lines go on while they come in, in pieces; a document (an
 * array, an object) and a compressed body are gathered and judged whole before any of it goes on.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readCsvBody } from '../../../codecs/csv-body.ts';
import { decompressWhole } from '../../../codecs/decompress.ts';
import { readJsonBody } from '../../../codecs/json-body.ts';
import { ReefError } from '../../../errors.ts';
import type { Collector } from './collector.ts';
import type { CsvShape, Media, Shape } from './media.ts';
import type { PeerValues } from './peer-values.ts';
import type { Route } from './routes.ts';
import type { Sender } from './sender.ts';
import type { Turns } from './turns.ts';

/** Lines go on when there are so many bytes of them. */
const PIECE_BYTES = 64 * 1024;
/** The client waits while so many bytes of its body wait for memory. */
const AHEAD_BYTES = 256 * 1024;
const NEWLINE = 10;
const LINE_END = Uint8Array.of(NEWLINE);
const BRACKET = 0x5b;

export interface UploadHost {
  readonly maxBodyBytes: number;
  /** How large a body is behind its compression shows only afterwards, so few are inflated at once. */
  readonly inflating: Turns;
  /** Bytes that are held for bodies: more, or with a negative number fewer. False: there are too many. */
  hold(bytes: number): boolean;
  /** All of the body is here: from now on the time to its answer counts. */
  received(upload: Upload): void;
  delivered(upload: Upload): void;
  refuse(upload: Upload, refusal: Refusal): void;
  /** The client is gone in the middle of its body. */
  left(upload: Upload): void;
}

/** How a request is taken. */
export interface Admitted {
  readonly media: Media;
  readonly route: Route;
  readonly peer: PeerValues;
}

export const TOO_MANY: Refusal = { status: 503, error: 'Too many bodies wait for the pipeline' };

export interface Refusal {
  readonly status: number;
  /** A sentence without its full stop. */
  readonly error: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Upload implements Sender {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly peer: PeerValues;
  /** When it must be answered at the latest. */
  deadline = 0;
  rows = 0;
  rejected = 0;
  readonly #host: UploadHost;
  readonly #route: Route;
  #gatherer: Collector | undefined;
  readonly #media: Media;
  #shape: Shape;
  /** Pieces of the body that have not gone on. */
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #received = 0;
  /** Bytes, and pieces, that have gone on and are not in shared memory, or not delivered. */
  #waitingBytes = 0;
  #underway = 0;
  /** What the body is has shown. */
  #begun = false;
  /** All that there will be has gone on. */
  #complete = false;
  #over = false;
  /** Of rows that were dropped, some had gone on. */
  #entered = false;

  constructor(host: UploadHost, request: IncomingMessage, response: ServerResponse, { media, route, peer }: Admitted) {
    this.request = request;
    this.peer = peer;
    this.response = response;
    this.#host = host;
    this.#route = route;
    this.#media = media;
    this.#shape = media.shape;
    request.on('data', (chunk: Buffer) => this.#onData(chunk));
    request.on('end', () => this.#onEnd());
    request.on('close', () => this.#onClose());
  }

  /** Rows of it may be delivered though it is not answered with success. */
  get entered(): boolean {
    return this.#entered || this.#underway > 0 || this.rows > 0;
  }

  /** It was answered, or its client is gone: what still comes is thrown away. */
  end(): void {
    this.#over = true;
    this.#host.hold(-this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
  }

  get over(): boolean {
    return this.#over;
  }

  written(bytes: number): void {
    this.#host.hold(-bytes);
    const waited = this.#waitingBytes > AHEAD_BYTES;
    this.#waitingBytes -= bytes;
    if (waited && this.#waitingBytes <= AHEAD_BYTES) this.request.resume();
  }

  delivered(rows: number, rejected: number): void {
    this.rows += rows;
    this.rejected += rejected;
    this.#underway--;
    if (this.#complete && this.#underway === 0) this.#host.delivered(this);
  }

  dropped(bytes: number, partly: boolean): void {
    this.#host.hold(-bytes);
    this.#underway--;
    this.#entered ||= partly;
    this.#refuse({ status: 503, error: 'The pipeline is stopping' });
  }

  #onData(chunk: Buffer): void {
    if (this.#over) return;
    this.#received += chunk.length;
    if (this.#received > this.#host.maxBodyBytes) {
      this.#refuse(tooLarge(this.#host.maxBodyBytes));
      return;
    }
    if (this.#begun || this.#media.compression) this.#take(chunk);
    else this.#begin(chunk);
  }

  /** The first bytes tell what `either` is. A byte order mark is no part of a row, and white space before all of them neither. */
  #begin(chunk: Uint8Array): void {
    if (this.#shape === 'raw') {
      this.#begun = true;
      this.#take(chunk);
      return;
    }
    const marked = chunk.length >= 3 && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    const body = marked ? chunk.subarray(3) : chunk;
    if (this.#shape === 'either') {
      const first = body.find((byte) => !isSpace(byte));
      if (first === undefined) return;
      this.#shape = first === BRACKET ? 'document' : 'lines';
    }
    this.#begun = true;
    if (body.length > 0) this.#take(body);
  }

  #take(chunk: Uint8Array): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    const room = this.#host.hold(chunk.length);
    if ((this.#shape === 'lines' || this.#shape === 'text') && !this.#media.compression) {
      if (this.#bytes >= PIECE_BYTES) this.#passLines(chunk);
      // A row without end must not fill the memory.
      if (this.#bytes >= PIECE_BYTES && !room) this.#refuse(TOO_MANY);
    } else if (!room) this.#refuse(TOO_MANY);
  }

  /** Whole lines go on, up to the last that ends in `chunk`, the latest. */
  #passLines(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return;
    const rest = chunk.subarray(end);
    const parts = this.#parts;
    parts[parts.length - 1] = chunk.subarray(0, end);
    const bytes = this.#bytes - rest.length;
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.#pass(parts, bytes);
    if (this.#waitingBytes > AHEAD_BYTES) this.request.pause();
  }

  #pass(parts: readonly Uint8Array[], bytes: number): void {
    this.#underway++;
    this.#waitingBytes += bytes;
    this.#gatherer ??= this.#shape === 'text' || this.#shape === 'raw' ? this.#route.lines : this.#route.json;
    this.#gatherer.add(this, parts, bytes);
  }

  #onEnd(): void {
    if (this.#over) return;
    this.#host.received(this);
    if (this.#media.compression) void this.#inflate(this.#media.compression);
    else this.#finish();
  }

  async #inflate(compression: NonNullable<Media['compression']>): Promise<void> {
    const { maxBodyBytes } = this.#host;
    const compressed = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    try {
      const whole = (): Promise<Uint8Array> => decompressWhole(compression, compressed, { maxBytes: maxBodyBytes });
      const body = compressed.length === 0 ? compressed : await this.#host.inflating.take(whole);
      if (this.#over) return;
      this.#host.hold(-this.#bytes);
      this.#parts = [];
      this.#bytes = 0;
      this.#begin(body);
      if (!this.#over) this.#finish();
    } catch (error) {
      const limit = error instanceof ReefError && error.code === 'limit';
      this.#refuse(limit ? tooLarge(maxBodyBytes) : { status: 400, error: (error as Error).message });
    }
  }

  /** The rest of the body goes on. */
  #finish(): void {
    if (this.#shape === 'document' && !this.#readDocument()) return;
    if (typeof this.#shape === 'object' && !this.#readCsv(this.#shape)) return;
    if (this.#shape === 'raw') this.#readRaw();
    this.#complete = true;
    const last = this.#parts.at(-1);
    if (last === undefined) {
      if (this.#underway === 0) this.#host.delivered(this);
      return;
    }
    const parts = this.#parts;
    let bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    if (last[last.length - 1] !== NEWLINE) {
      parts.push(LINE_END);
      this.#host.hold(1);
      bytes++;
    }
    this.#pass(parts, bytes);
  }

  /** A document becomes lines; false: it is refused. */
  #readDocument(): boolean {
    const body = readJsonBody(this.#parts);
    if ('problem' in body) {
      this.#refuse({ status: 400, error: `The body ${body.problem}` });
      return false;
    }
    this.#replace(body.bytes.length === 0 ? [] : [body.bytes], body.bytes.length);
    return true;
  }

  /** The header says which way the rows go; false: the body is refused. */
  #readCsv(shape: CsvShape): boolean {
    const body = readCsvBody(this.#parts, shape);
    if ('problem' in body) {
      this.#refuse({ status: 400, error: `The body ${body.problem}` });
      return false;
    }
    this.#gatherer = this.#route.csv(shape.separator, body.columns);
    if (!this.#gatherer) {
      this.#refuse({ status: 400, error: 'The body has a header of its own, and this source has seen as many as it keeps' });
      return false;
    }
    this.#replace(body.parts, body.bytes);
    return true;
  }

  /** What the body ends with is no end of its row; an empty body is a row as well. */
  #readRaw(): void {
    this.#replace([...this.#parts, LINE_END], this.#bytes + 1);
  }

  /** What goes on in place of what came. */
  #replace(parts: readonly Uint8Array[], bytes: number): void {
    this.#host.hold(bytes - this.#bytes);
    this.#parts = [...parts];
    this.#bytes = bytes;
  }

  #onClose(): void {
    if (this.#over || this.request.complete) return;
    this.#host.left(this);
  }

  #refuse(refusal: Refusal): void {
    if (!this.#over) this.#host.refuse(this, refusal);
  }
}

export function tooLarge(maxBodyBytes: number): Refusal {
  return { status: 413, error: `The body is longer than ${maxBodyBytes} bytes` };
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
