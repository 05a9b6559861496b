/**
 * An API of carbon intensity to try things out with: the half hours of one day, in pages, in the shape that Britain's has. The last
 * half hour is not metered yet.
 *
 *   node examples/carbon-metering/intensity-server.ts [PORT]      default 8787
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const PAGE_ROWS = 20;
const ETAG = '"2026-12-01"';
const day = Date.UTC(2026, 11, 1);

interface HalfHour {
  readonly from: string;
  readonly to: string;
  readonly intensity: { readonly forecast: number; readonly actual: number | null; readonly index: string };
}

export const halfHours: readonly HalfHour[] = Array.from({ length: 48 }, (_, at) => {
  const time = (half: number): string => new Date(day + half * 1_800_000).toISOString();
  // Solar power by noon, cold evenings.
  const forecast = Math.round(60 - 35 * Math.sin(((at - 12) / 48) * 2 * Math.PI));
  const index = forecast < 40 ? 'low' : forecast < 75 ? 'moderate' : 'high';
  return { from: time(at), to: time(at + 1), intensity: { forecast, actual: at === 47 ? null : forecast + (at % 5) - 2, index } };
});

if (import.meta.main) {
  const server = createServer((request, response) => {
    if (request.headers['if-none-match'] === ETAG) {
      response.writeHead(304).end();
      return;
    }
    const from = new URL(request.url ?? '/', 'http://localhost').searchParams.get('from');
    const first = from === null ? 0 : halfHours.findIndex((each) => each.from === from);
    const data = halfHours.slice(first, first + PAGE_ROWS);
    const next = halfHours[first + PAGE_ROWS]?.from ?? null;
    response.writeHead(200, { 'Content-Type': 'application/json', ETag: ETAG });
    response.end(JSON.stringify({ data, next }));
  });
  server.listen(Number(process.argv[2] ?? 8787), '127.0.0.1', () => {
    console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}
