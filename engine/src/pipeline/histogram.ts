/** Upper bounds of the buckets, in seconds; what takes longer is in a last one. From a fast disk to a server that is away for a minute. */
export const BUCKET_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** How long things took: a few numbers, however many things there were. */
export class Histogram {
  /** Of each bucket, and of the one behind the last bound; not added up. */
  readonly counts = new Float64Array(BUCKET_SECONDS.length + 1);
  sumSeconds = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKET_SECONDS.length && seconds > BUCKET_SECONDS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumSeconds += seconds;
  }
}
