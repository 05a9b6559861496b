/**
 * Which offset of the topic stands behind which byte that was fed: two numbers for each record on its way, in one ring. Kafka's
 * offsets have gaps (markers of transactions, compaction), so they cannot be counted.
 */
const FIRST_ROOM = 1024;

export class OffsetIndex {
  #ends = new Float64Array(FIRST_ROOM);
  #offsets = new Float64Array(FIRST_ROOM);
  #from = 0;
  #to = 0;
  /** Behind all that is left out, and before what is in. */
  #before: number;

  /** `offset`: where the partition begins. */
  constructor(offset: number) {
    this.#before = offset;
  }

  /** A record ends at this byte; the offset to go on at behind it. */
  add(end: number, offset: number): void {
    if (this.#to - this.#from === this.#ends.length) this.#grow();
    const slot = this.#to++ & (this.#ends.length - 1);
    this.#ends[slot] = end;
    this.#offsets[slot] = offset;
  }

  /** What lies between the last record and this offset holds no rows. */
  skipTo(offset: number): void {
    if (this.#to === this.#from) this.#before = offset;
    else this.#offsets[(this.#to - 1) & (this.#offsets.length - 1)] = offset;
  }

  /** The offset to go on at when all before the byte is delivered. */
  at(byte: number): number {
    let [low, high] = [this.#from, this.#to];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ends[middle & (this.#ends.length - 1)]! <= byte) low = middle + 1;
      else high = middle;
    }
    return low === this.#from ? this.#before : this.#offsets[(low - 1) & (this.#offsets.length - 1)]!;
  }

  /** Forgets what is delivered up to this offset. */
  forget(offset: number): void {
    const mask = this.#ends.length - 1;
    while (this.#from < this.#to && this.#offsets[this.#from & mask]! <= offset) {
      this.#before = this.#offsets[this.#from & mask]!;
      this.#from++;
    }
  }

  #grow(): void {
    const length = this.#ends.length;
    const [ends, offsets] = [new Float64Array(length * 2), new Float64Array(length * 2)];
    for (let at = this.#from; at < this.#to; at++) {
      ends[at & (length * 2 - 1)] = this.#ends[at & (length - 1)]!;
      offsets[at & (length * 2 - 1)] = this.#offsets[at & (length - 1)]!;
    }
    this.#ends = ends;
    this.#offsets = offsets;
  }
}
