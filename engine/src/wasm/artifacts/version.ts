/**
 * Orders versions: part by part, numbers by value and before words; a version with a suffix behind `-` comes before the one without.
 * A `v` before the first number counts for nothing. Negative when `a` is the lower.
 */
export function compareVersions(a: string, b: string): number {
  const [aCore, aSuffix] = split(a);
  const [bCore, bSuffix] = split(b);
  const core = compareParts(aCore, bCore);
  if (core !== 0 || aSuffix === bSuffix) return core;
  if (aSuffix === undefined) return 1;
  return bSuffix === undefined ? -1 : compareParts(aSuffix, bSuffix);
}

function split(written: string): [string, string | undefined] {
  const version = written.replace(/^v(?=\d)/i, '');
  const at = version.indexOf('-');
  return at < 0 ? [version, undefined] : [version.slice(0, at), version.slice(at + 1)];
}

function compareParts(a: string, b: string): number {
  const aParts = a.split(/[.+-]/);
  const bParts = b.split(/[.+-]/);
  for (let i = 0; i < Math.max(aParts.length, bParts.length); i++) {
    const difference = comparePart(aParts[i] ?? '0', bParts[i] ?? '0');
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  const aNumber = /^\d+$/.test(a) ? BigInt(a) : undefined;
  const bNumber = /^\d+$/.test(b) ? BigInt(b) : undefined;
  if (aNumber !== undefined && bNumber !== undefined) return aNumber < bNumber ? -1 : aNumber > bNumber ? 1 : 0;
  if (aNumber !== undefined) return -1;
  if (bNumber !== undefined) return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
