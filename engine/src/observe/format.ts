/** Numbers as people read them. */

/** `5,121,000`. Without Intl, whose first use costs 25 ms. */
export function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Three figures: `0.0821`, `9,880`, `812 k`, `3.21 M`. */
export function short(value: number): string {
  for (const [limit, unit] of [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e4, ' k'],
  ] as const) {
    if (value >= limit) return `${Number((value / (limit === 1e4 ? 1e3 : limit)).toPrecision(3))}${unit}`;
  }
  const rounded = Number(value.toPrecision(3));
  return rounded >= 1000 ? whole(rounded) : `${rounded}`;
}

/** `812 MB`, in powers of 1000. */
export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  for (const [limit, unit] of [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (value >= limit) return `${Number((value / limit).toPrecision(3))} ${unit}`;
  }
  return '';
}

/** `1:02:03`, `2:03`, `12.3 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  const total = Math.round(seconds);
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':');
}
