/**
 * Several ways into the pipeline for the same rows. Those of one way are delivered in order, by a sink one request after the other where
 * it keeps order; requests that are here at the same time have none among each other. So while the rows of one way are on their
 * way, those that come gather on another.
 */
import type { Feed } from '../../../spec/feed.ts';
import type { Collector, Traffic } from './collector.ts';

/** Each has a position in every checkpoint. */
const MOST_WAYS = 8;

export class Ways implements Traffic {
  readonly #make: (number: number, traffic: Traffic) => Collector;
  readonly #all: Collector[];
  #current = 0;
  #feed: Feed | undefined;

  constructor(make: (number: number, traffic: Traffic) => Collector) {
    this.#make = make;
    this.#all = [make(0, this)];
  }

  get idle(): boolean {
    return !this.#all.some((collector) => collector.underway);
  }

  /** Where the rows of the next request go, all of them. */
  next(): Collector {
    const current = this.#all[this.#current]!;
    if (current.gathering || !current.underway) return current;
    const free = this.#all.findIndex((collector) => !collector.underway);
    if (free >= 0) this.#current = free;
    else if (this.#all.length < MOST_WAYS) this.#current = this.#add();
    else this.#current = (this.#current + 1) % MOST_WAYS;
    return this.#all[this.#current]!;
  }

  settled(): void {
    for (const collector of this.#all) collector.schedule();
  }

  open(feed: Feed): void {
    this.#feed = feed;
    for (const collector of this.#all) collector.open(feed);
  }

  stop(): void {
    for (const collector of this.#all) collector.stop();
  }

  #add(): number {
    const collector = this.#make(this.#all.length, this);
    if (this.#feed) collector.open(this.#feed);
    return this.#all.push(collector) - 1;
  }
}
