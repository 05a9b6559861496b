/** Those whose rows are in shared memory, in the order of their marks: each is told what became of its own. */
import type { SettledStretch } from '../../../spec/feed.ts';
import type { Sender } from './sender.ts';

/** So many that are done with are kept at most. */
const MOST_DONE = 1024;

export class Senders {
  #senders: Sender[] = [];
  /** Those before it are done with. */
  #next = 0;
  /** Rows behind the last mark that was settled. */
  #rows = 0;
  #rejected = 0;

  /** A mark stands behind the rows of this one. */
  add(sender: Sender): void {
    this.#senders.push(sender);
  }

  settled({ marks, rows, rejected }: SettledStretch): void {
    for (let index = 0; index < marks.length; index++) {
      const sender = this.#senders[this.#next++]!;
      const own = this.#rows + rows[index]!;
      const bad = this.#rejected + rejected[index]!;
      this.#rows = 0;
      this.#rejected = 0;
      sender.delivered(own, bad);
    }
    this.#rows += rows[marks.length]!;
    this.#rejected += rejected[marks.length]!;
    if (this.#next === this.#senders.length || this.#next > MOST_DONE) {
      this.#senders = this.#senders.slice(this.#next);
      this.#next = 0;
    }
  }
}
