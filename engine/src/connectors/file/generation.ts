/** A truncated file goes on as another partition: `NAME@HASH`, then `NAME@HASH.1`, `NAME@HASH.2`, … */

/** How often the file of a partition had been truncated. */
export function generationOf(name: string): number {
  return Number(/@[0-9a-f]{8}\.(\d+)$/.exec(name)?.[1] ?? 0);
}

/** The name of the partition after one more truncation. */
export function nextGeneration(name: string): string {
  return `${name.replace(/(@[0-9a-f]{8})\.\d+$/, '$1')}.${generationOf(name) + 1}`;
}
