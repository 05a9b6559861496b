/**
 * Acknowledgements of a source, in the order in which messages came, once they are delivered. What waits outlives its connection:
 * with the session a server sends these messages again under their numbers, and they are not fed a second time.
 */

interface Waiting {
  readonly id: number;
  readonly qos: number;
  /** Offset behind it in the partition. */
  readonly end: number;
}

const PUBACK = 0x40;
const PUBREC = 0x50;
const PUBCOMP = 0x70;
/** Space is given back when so many are done with. */
const DONE_WITH = 1024;

export class Acknowledgements {
  /** Of this connection, in order of arrival; those before `#next` are acknowledged. */
  #waiting: Waiting[] = [];
  #next = 0;
  /** Of earlier connections, by number: not yet acknowledged, not yet sent again. */
  readonly #before = new Map<number, Waiting>();
  /** QoS 2: received and told so, to be released by the server. */
  readonly #unreleased = new Set<number>();
  #delivered = 0;

  /** Messages that wait for being delivered. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** A new connection. Without its session the server's numbers mean other messages. */
  reconnected(sessionPresent: boolean): void {
    for (let index = this.#next; index < this.#waiting.length; index++) {
      const waiting = this.#waiting[index]!;
      this.#before.set(waiting.id, waiting);
    }
    this.#waiting = [];
    this.#next = 0;
    if (sessionPresent) return;
    this.#before.clear();
    this.#unreleased.clear();
  }

  /** True: the message is here already, from an earlier connection. What is to be written at once stands in `take`. */
  again(id: number, qos: number): boolean {
    const before = this.#before.get(id);
    if (before !== undefined) {
      this.#before.delete(id);
      this.#waiting.push(before);
      return true;
    }
    if (qos !== 2 || !this.#unreleased.has(id)) return false;
    this.#waiting.push({ id, qos, end: 0 });
    return true;
  }

  add(id: number, qos: number, end: number): void {
    this.#waiting.push({ id, qos, end });
  }

  /** All before `end` is delivered. */
  delivered(end: number): void {
    this.#delivered = Math.max(this.#delivered, end);
  }

  /** The packets that are due, or nothing. */
  take(): Buffer | undefined {
    let upTo = this.#next;
    while (upTo < this.#waiting.length && this.#waiting[upTo]!.end <= this.#delivered) upTo++;
    if (upTo === this.#next) return undefined;
    const packets = Buffer.allocUnsafe((upTo - this.#next) * 4);
    let at = 0;
    for (let index = this.#next; index < upTo; index++, at += 4) {
      const { id, qos } = this.#waiting[index]!;
      packets.writeUInt32BE((((qos === 1 ? PUBACK : PUBREC) << 24) | (2 << 16) | id) >>> 0, at);
      if (qos === 2) this.#unreleased.add(id);
    }
    this.#next = upTo;
    if (upTo === this.#waiting.length || upTo >= DONE_WITH) {
      this.#waiting = this.#waiting.slice(upTo);
      this.#next = 0;
    }
    return packets;
  }

  /** PUBREL has come; returns its answer. */
  released(id: number): Buffer {
    this.#unreleased.delete(id);
    return Buffer.from([PUBCOMP, 2, id >> 8, id & 0xff]);
  }
}
