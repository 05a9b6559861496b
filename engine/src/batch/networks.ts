/** Networks in CIDR notation as sorted, merged ranges, the form that the kernel searches. */
import { isIPv4, isIPv6 } from 'node:net';

export interface Networks {
  /** Pairs of first and last address. */
  readonly ipv4: Uint32Array;
  /** Four each: first (high, low), last (high, low). */
  readonly ipv6: BigUint64Array;
}

export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** The addresses of one network; those of IPv4 mapped into IPv6 count as IPv4. */
export interface NetworkRange extends Range {
  readonly version: 4 | 6;
}

/** Why `text` is no network; `undefined` when it is one. An address without a length stands for itself. */
export function networkProblem(text: string): string | undefined {
  const { address, bits, length } = split(text);
  if (bits === 0) return `is ${JSON.stringify(text)}, expected a network such as 10.0.0.0/8 or 2001:db8::/32`;
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) {
    return `is ${JSON.stringify(text)}, expected a length from 0 to ${bits} behind ${address}/`;
  }
  return undefined;
}

/** Parses networks. Throws a `TypeError` for the first that is none. */
export function parseNetworks(texts: readonly string[]): Networks {
  const ipv4: Range[] = [];
  const ipv6: Range[] = [];
  for (const text of texts) {
    const { version, first, last } = networkRange(text);
    (version === 4 ? ipv4 : ipv6).push({ first, last });
  }
  return {
    ipv4: Uint32Array.from(merge(ipv4).flatMap(({ first, last }) => [Number(first), Number(last)])),
    ipv6: BigUint64Array.from(merge(ipv6).flatMap(({ first, last }) => [...halves(first), ...halves(last)])),
  };
}

/** Throws a `TypeError` when `text` is no network. */
export function networkRange(text: string): NetworkRange {
  const problem = networkProblem(text);
  if (problem !== undefined) throw new TypeError(`Cannot use network: it ${problem}`);
  const { address, bits, length } = split(text);
  const host = (1n << BigInt(bits - Number(length))) - 1n;
  const first = (bits === 32 ? ipv4Number(address) : ipv6Number(address)) & ~host;
  const last = first | host;
  if (bits === 32) return { version: 4, first, last };
  if (first >> 32n !== 0xffffn) return { version: 6, first, last };
  return { version: 4, first: first & 0xffff_ffffn, last: last & 0xffff_ffffn };
}

function split(text: string): { address: string; bits: number; length: string } {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : 0;
  return { address, bits, length: slash < 0 ? String(bits) : text.slice(slash + 1) };
}

function ipv4Number(address: string): bigint {
  return address.split('.').reduce((number, part) => (number << 8n) | BigInt(part), 0n);
}

/** Of an address that `isIPv6` has accepted. */
function ipv6Number(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const before = groups(head);
  const behind = tail === undefined ? [] : groups(tail);
  const gap = new Array<bigint>(8 - before.length - behind.length).fill(0n);
  return [...before, ...gap, ...behind].reduce((number, group) => (number << 16n) | group, 0n);
}

function groups(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const number = ipv4Number(group);
    return [number >> 16n, number & 0xffffn];
  });
}

function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { first: before.first, last: range.last };
  }
  return merged;
}

function halves(number: bigint): [bigint, bigint] {
  return [number >> 64n, number & 0xffff_ffff_ffff_ffffn];
}
