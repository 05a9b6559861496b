/**
 * Reads HTTP/1.1 responses, one after the other, from the bytes of a connection. Only what a client that sends one request at a time
 * needs: anything that comes without having been asked for is an error, and ends the connection.
 */
import { ReefError } from '../errors.ts';

const MOST_HEAD_BYTES = 64 * 1024;

export interface ResponseHead {
  readonly status: number;
  /** By name in lower case; of those that come several times the values are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** The other side keeps the connection open. */
  readonly keepAlive: boolean;
}

export interface Response extends ResponseHead {
  /** At most as many bytes as were asked for; the others are read past. */
  readonly body: Buffer;
}

type Stage = 'head' | 'counted' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'to-the-end';

export class ResponseReader {
  readonly #mostBodyBytes: number;
  #stage: Stage = 'head';
  #rest: Buffer = Buffer.alloc(0);
  #head: ResponseHead | undefined;
  #left = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(mostBodyBytes: number) {
    this.#mostBodyBytes = mostBodyBytes;
  }

  /** Whether anything of a response was seen. */
  get begun(): boolean {
    return this.#head !== undefined || this.#rest.length > 0;
  }

  /** Takes bytes; the response, once it is complete. Throws a `ReefError` where it is none. */
  take(bytes: Buffer): Response | undefined {
    let left = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = Buffer.alloc(0);
    for (;;) {
      const used = this.#step(left);
      if (used === undefined) {
        this.#rest = left;
        return undefined;
      }
      left = left.subarray(used);
      if (this.#done) {
        if (left.length > 0) throw malformed('bytes follow the response that nobody asked for');
        return this.#finish();
      }
    }
  }

  /** The connection was closed: the response where that is its end. */
  end(): Response | undefined {
    return this.#stage === 'to-the-end' ? this.#finish() : undefined;
  }

  get #done(): boolean {
    return this.#stage === 'head' && this.#head !== undefined;
  }

  #finish(): Response {
    return { ...this.#head!, body: Buffer.concat(this.#kept) };
  }

  /** How many bytes the present stage takes; `undefined`: more are needed. */
  #step(bytes: Buffer): number | undefined {
    switch (this.#stage) {
      case 'head':
        return this.#readHead(bytes);
      case 'counted':
      case 'chunk': {
        const used = Math.min(bytes.length, this.#left);
        this.#keep(bytes.subarray(0, used));
        this.#left -= used;
        if (this.#left > 0) return used > 0 ? used : undefined;
        this.#stage = this.#stage === 'counted' ? 'head' : 'chunk-end';
        return used;
      }
      case 'to-the-end':
        this.#keep(bytes);
        return bytes.length > 0 ? bytes.length : undefined;
      case 'chunk-end':
        if (bytes.length < 2) return undefined;
        if (bytes[0] !== 13 || bytes[1] !== 10) throw malformed('a chunk does not end where it should');
        this.#stage = 'chunk-size';
        return 2;
      case 'chunk-size': {
        const line = lineOf(bytes);
        if (line === undefined) return undefined;
        const size = /^([0-9a-fA-F]{1,8})[ \t]*(;.*)?$/.exec(line);
        if (!size) throw malformed('a chunk has no length');
        this.#left = Number.parseInt(size[1]!, 16);
        this.#stage = this.#left === 0 ? 'trailer' : 'chunk';
        return line.length + 2;
      }
      case 'trailer': {
        const line = lineOf(bytes);
        if (line === undefined) return undefined;
        if (line === '') this.#stage = 'head';
        return line.length + 2;
      }
    }
  }

  #readHead(bytes: Buffer): number | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0 || end > MOST_HEAD_BYTES) {
      if (bytes.length > MOST_HEAD_BYTES) throw malformed(`its head is longer than ${MOST_HEAD_BYTES} bytes`);
      if (bytes.length >= 5 && !bytes.subarray(0, 5).equals(Buffer.from('HTTP/'))) throw malformed('it is not HTTP');
      return undefined;
    }
    const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const parsed = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(statusLine);
    if (!parsed) throw malformed(`it begins with ${JSON.stringify(statusLine.slice(0, 60))}`);
    const status = Number(parsed[2]);
    // What comes before the answer (100 Continue, 103 Early Hints) says nothing that matters here.
    if (status < 200 && status !== 101) return end + 4;
    if (status === 101) throw malformed('it changes to another protocol');
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon <= 0) throw malformed('a header has no name');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    const connection = headers.get('connection')?.toLowerCase() ?? '';
    const keepAlive = parsed[1] === '1' ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    this.#head = { status, headers, keepAlive };
    this.#beginBody(this.#head);
    return end + 4;
  }

  #beginBody(head: ResponseHead): void {
    const coding = head.headers.get('transfer-encoding')?.toLowerCase();
    const length = head.headers.get('content-length');
    if (head.status === 204 || head.status === 304) return;
    if (coding !== undefined) {
      if (coding !== 'chunked') throw malformed(`its transfer-encoding is ${JSON.stringify(coding)}`);
      this.#stage = 'chunk-size';
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw malformed(`its content-length is ${JSON.stringify(length)}`);
      this.#left = Number(length);
      if (this.#left > 0) this.#stage = 'counted';
    } else {
      this.#head = { ...head, keepAlive: false };
      this.#stage = 'to-the-end';
    }
  }

  #keep(bytes: Buffer): void {
    const kept = bytes.subarray(0, this.#mostBodyBytes - this.#keptBytes);
    if (kept.length === 0) return;
    // A copy: the connection uses its memory again.
    this.#kept.push(Buffer.from(kept));
    this.#keptBytes += kept.length;
  }
}

function lineOf(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\r\n');
  if (end >= 0) return bytes.toString('latin1', 0, end);
  if (bytes.length > 4096) throw malformed('a line of it is too long');
  return undefined;
}

function malformed(what: string): ReefError {
  return new ReefError('io', `the response cannot be read: ${what}`, { retry: true });
}
