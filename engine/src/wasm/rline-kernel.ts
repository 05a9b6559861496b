/** What the kernel exports for rline guests; the plans' layouts stand in engine/kernel/assembly/rline-{encode,decode}.ts. */
export interface RlineKernel {
  // biome-ignore format: one parameter list
  encodeRline(plan: number, rows: number, from: number, to: number, out: number, outEnd: number, pairs: number, wide: number): number;
  rlineRoom(plan: number, rows: number, index: number): number;
  decodeRline(plan: number, rows: number, from: number, count: number, results: number, pairs: number): number;
}

export type RlineFormat = 'bincode' | 'json';

/** First word of a row's result after `decodeRline`; rows that it did not look at keep the shim's. */
export const Verdict = { ok: 16, err: 17, noMarker: 18, unreadable: 19, tooManyColumns: 20 } as const;
