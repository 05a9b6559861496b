/**
 * The endless text of a generator, by byte and by message: fills rooms with it, and tells which message a byte belongs to, for
 * positions. Where all messages repeat, both are arithmetic over one round.
 */
import type { Messages } from './messages.ts';

/** Everything before message `messages`, which is everything before byte `offset`. */
export interface LinesPosition {
  readonly messages: number;
  readonly offset: number;
}

export interface Lines {
  /** Number of the next message to begin. */
  readonly message: number;
  /** Whether message `until - 1`, or one before it, is still to be written in whole or in part. */
  has(until: number): boolean;
  /** Writes up to the end of message `until - 1`, as much as fits; returns the bytes. */
  fill(room: Uint8Array, until: number): number;
  /** How many messages end at or before the byte. */
  messagesAt(offset: number): number;
  /** Nobody will ask for bytes before this one again. */
  committed(offset: number): void;
}

export function openLines(messages: Messages, start: LinesPosition): Lines {
  return messages.constant === undefined ? new VaryingLines(messages, start) : new ConstantLines(messages.constant, start);
}

class ConstantLines implements Lines {
  readonly #start: LinesPosition;
  /** Whole rounds, so that most copies are large. */
  readonly #rounds: Buffer;
  /** Where each line of a round ends. */
  readonly #ends: readonly number[];
  readonly #roundBytes: number;
  #written = 0;

  constructor(lines: readonly string[], start: LinesPosition) {
    const first = start.messages % lines.length;
    const round = [...lines.slice(first), ...lines.slice(0, first)];
    let end = 0;
    this.#ends = round.map((line) => {
      end += Buffer.byteLength(line);
      return end;
    });
    this.#roundBytes = end;
    this.#rounds = Buffer.from(round.join('').repeat(Math.ceil(65_536 / end)));
    this.#start = start;
  }

  get message(): number {
    return this.messagesAt(this.#start.offset + this.#written);
  }

  has(until: number): boolean {
    return this.#bytesBefore(until - this.#start.messages) > this.#written;
  }

  fill(room: Uint8Array, until: number): number {
    const length = Math.max(0, Math.min(room.length, this.#bytesBefore(until - this.#start.messages) - this.#written));
    for (let done = 0; done < length; ) {
      const from = (this.#written + done) % this.#rounds.length;
      const part = this.#rounds.subarray(from, from + length - done);
      room.set(part, done);
      done += part.length;
    }
    this.#written += length;
    return length;
  }

  messagesAt(offset: number): number {
    const bytes = offset - this.#start.offset;
    const rounds = Math.floor(bytes / this.#roundBytes);
    const rest = bytes - rounds * this.#roundBytes;
    return this.#start.messages + rounds * this.#ends.length + countUpTo(this.#ends, rest);
  }

  committed(): void {}

  #bytesBefore(lines: number): number {
    if (lines <= 0) return 0;
    if (lines === Number.POSITIVE_INFINITY) return lines;
    const rest = lines % this.#ends.length;
    return Math.floor(lines / this.#ends.length) * this.#roundBytes + (rest === 0 ? 0 : this.#ends[rest - 1]!);
  }
}

interface Chunk {
  readonly offset: number;
  readonly message: number;
  /** Ends of its lines, relative to `offset`. */
  readonly ends: Uint32Array;
}

/** As many line ends are remembered at the most, of rows that are on their way: 16 MiB. */
const MOST_ENDS = 4_194_304;

class VaryingLines implements Lines {
  readonly #messages: Messages;
  #message: number;
  #offset: number;
  /** Bytes of a line that the last room had no place for. */
  #rest = Buffer.alloc(0);
  #scratch = Buffer.allocUnsafeSlow(65_536);
  #chunks: Chunk[] = [];
  #ends = 0;

  constructor(messages: Messages, start: LinesPosition) {
    this.#messages = messages;
    this.#message = start.messages;
    this.#offset = start.offset;
  }

  get message(): number {
    return this.#message;
  }

  has(until: number): boolean {
    return this.#message < until || this.#rest.length > 0;
  }

  fill(room: Uint8Array, until: number): number {
    let length = Math.min(this.#rest.length, room.length);
    room.set(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    while (length < room.length && this.#message < until) length += this.#fillFromScratch(room.subarray(length), until);
    return length;
  }

  messagesAt(offset: number): number {
    const chunk = this.#chunks.findLast((candidate) => candidate.offset <= offset) ?? this.#chunks[0];
    if (chunk === undefined) return this.#message;
    return chunk.message + countUpTo(chunk.ends, offset - chunk.offset);
  }

  committed(offset: number): void {
    while (this.#chunks.length > 1 && this.#chunks[1]!.offset <= offset) this.#dropOldest();
  }

  /** Writes lines to memory of our own (text cannot be encoded into shared memory), then copies what fits. */
  #fillFromScratch(room: Uint8Array, until: number): number {
    const ends: number[] = [];
    const { offset, message } = { offset: this.#offset, message: this.#message };
    const most = Math.min(room.length, this.#scratch.length / 2);
    let used = 0;
    while (used < most && this.#message < until) {
      const line = this.#messages.line(this.#message);
      // A character of UTF-16 takes three bytes at the most.
      if (used + line.length * 3 > this.#scratch.length) this.#grow(used, line.length * 3);
      used += this.#scratch.write(line, used);
      ends.push(used);
      this.#message++;
    }
    this.#offset += used;
    this.#remember({ offset, message, ends: Uint32Array.from(ends) });
    const fitting = Math.min(used, room.length);
    room.set(this.#scratch.subarray(0, fitting));
    if (fitting < used) this.#rest = Buffer.from(this.#scratch.subarray(fitting, used));
    return fitting;
  }

  #grow(used: number, more: number): void {
    const larger = Buffer.allocUnsafeSlow((used + more) * 2);
    this.#scratch.copy(larger, 0, 0, used);
    this.#scratch = larger;
  }

  #remember(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#ends += chunk.ends.length;
    while (this.#ends > MOST_ENDS && this.#chunks.length > 1) this.#dropOldest();
  }

  #dropOldest(): void {
    this.#ends -= this.#chunks.shift()?.ends.length ?? 0;
  }
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ends: ArrayLike<number>, limit: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
