/**
 * Random numbers that follow from the number of a message: the same message of the same generator is the same again, so that
 * a replay gives the same rows. (SplitMix32 over message and field; not for secrets.)
 */
export function randomUnit(message: number, field: number): number {
  // Both halves of the message number count: it may go beyond 2^32.
  const low = mix((message >>> 0) ^ Math.imul(field + 1, 0x9e3779b9));
  const high = mix(low ^ (Math.floor(message / 0x1_0000_0000) >>> 0) ^ 0x85ebca6b);
  return (high * 0x20_0000 + (low >>> 11)) / 0x20_0000_0000_0000;
}

function mix(seed: number): number {
  let value = (seed + 0x9e3779b9) | 0;
  value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
  return (value ^ (value >>> 15)) >>> 0;
}
