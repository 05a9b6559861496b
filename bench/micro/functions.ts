/**
 * What the native functions cost by themselves: CPU time per row of decoding, the function and encoding as JSON, and the function's
 * share of it. Prints figures, asserts nothing: `node bench/micro/functions.ts [seconds per line] [word in the name]`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowView } from '../../engine/src/batch/row-batch.ts';
import { testBench } from '../../engine/src/batch/testing.ts';
import anonymizeIp from '../../engine/src/functions/anonymize-ip.ts';
import convert from '../../engine/src/functions/convert.ts';
import flatten from '../../engine/src/functions/flatten.ts';
import hash from '../../engine/src/functions/hash.ts';
import lookup from '../../engine/src/functions/lookup/spec.ts';
import mask from '../../engine/src/functions/mask.ts';
import nest from '../../engine/src/functions/nest.ts';
import parse from '../../engine/src/functions/parse/spec.ts';
import route from '../../engine/src/functions/route.ts';
import sample from '../../engine/src/functions/sample.ts';
import template from '../../engine/src/functions/template.ts';
import type { BatchFunction, FunctionContext, FunctionSpec } from '../../engine/src/spec/function.ts';
import type { Json } from '../../engine/src/spec/plan.ts';
import { validateSettings } from '../../engine/src/spec/validate.ts';

const folder = mkdtempSync(join(tmpdir(), 'reef-bench-functions-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const ROWS = 4096;
const seconds = Number(process.argv[2] ?? 0.5);
const wanted = process.argv[3] ?? '';

type Make = (i: number) => unknown;

async function open(
  spec: FunctionSpec,
  given: Readonly<Record<string, Json>>,
): Promise<{ run: BatchFunction; columns: string[] }> {
  const { settings, problems } = await validateSettings(spec.settings, given);
  if (settings === undefined) throw new TypeError(JSON.stringify(problems));
  const checked = settings as never;
  const context = {
    id: 'f',
    settings: checked,
    folder,
    punchlineKind: 'BatchPunchline',
    declared: [],
    alive() {},
    notice() {},
    prepared: await spec.prepare?.({ id: 'f', settings: checked, folder }),
    cancelled: new Int32Array(1),
    log: { info() {}, warn() {} },
    count() {},
  } satisfies FunctionContext<never>;
  const columns = [...spec.reads(checked), ...spec.writes(checked).map(({ name }) => name)];
  return { run: await spec.open(context), columns };
}

/** Measures `spec` over rows that `make` gives. */
async function measure(name: string, spec: FunctionSpec, given: Readonly<Record<string, Json>>, make: Make): Promise<void> {
  if (!name.includes(wanted)) return;
  const text = Array.from({ length: ROWS }, (_, i) => `${JSON.stringify(make(i))}\n`).join('');
  const bytes = Buffer.byteLength(text);
  const { run, columns } = await open(spec, given);
  const bench = testBench({ columns, maxRows: ROWS, arena: 32, slot: 4 });
  const decode = (): RowView => bench.decode(text).view;
  const encode = (view: RowView): void => {
    const { rows } = bench.encodeTo(view, { name: 'json' }, 0, ROWS, bench.output.start, bench.output.end, 0);
    if (rows === 0 && view.rows.length > 0) throw new Error(`${name}: nothing was encoded`);
  };
  let left = 0;
  let best = { whole: Infinity, share: Infinity };
  const stop = performance.now() + seconds * 1000;
  do {
    let whole = 0;
    let share = 0;
    for (let i = 0; i < 4; i++) {
      const start = process.cpuUsage();
      const view = decode();
      const before = process.cpuUsage();
      await run.apply(view);
      const behind = process.cpuUsage(before);
      left = view.rows.length;
      encode(view);
      const all = process.cpuUsage(start);
      share += behind.user + behind.system;
      whole += all.user + all.system;
    }
    if (whole / 4 < best.whole) best = { whole: whole / 4, share: share / 4 };
  } while (performance.now() < stop);
  const rate = (microseconds: number): string => (ROWS / microseconds).toFixed(2).padStart(7);
  const perRow = ((best.share * 1000) / ROWS).toFixed(0).padStart(6);
  console.log(
    `${name.padEnd(44)} ${perRow} ns/row ${rate(best.share)} M rows/CPU-s alone ${rate(best.whole)} with decode and encode (${(bytes / ROWS).toFixed(0)} bytes, ${left} of ${ROWS} rows left)`,
  );
}

const level = (i: number): string => ['info', 'warning', 'error'][i % 3]!;
const body: Make = (i) => ({
  message: JSON.stringify({
    id: i,
    level: level(i),
    user: `user${i % 97}`,
    took: (i % 70) / 10,
    tags: ['a', 'b'],
    host: `host-${i % 13}`,
  }),
});
const pairs: Make = (i) => ({
  message: `id=${i} level=${level(i)} user="user ${i % 97}" took=${(i % 70) / 10} host=host-${i % 13} path=/a/b/${i}`,
});
const record: Make = (i) => ({ message: `${i},${level(i)},"user ""${i % 97}""",${(i % 70) / 10},host-${i % 13},/a/b/${i}` });
const modern: Make = (i) => ({
  message: `<${i % 192}>1 2023-10-11T22:14:15.003Z host-${i % 13} evntslog ${i} ID47 [exampleSDID@32473 iut="3" eventID="${i}"] An application event log entry`,
});
const old: Make = (i) => ({
  message: `<${i % 192}>Oct 11 22:14:${10 + (i % 50)} host-${i % 13} su[${i}]: 'su root' failed for user${i % 97} on /dev/pts/8`,
});
const six = ['id', 'level', 'user', 'took', 'host', 'path'].map((name) => ({ name }));

await measure('parse json, all', parse, { column: 'message', format: 'json' }, body);
await measure(
  'parse json, two columns',
  parse,
  { column: 'message', format: 'json', columns: [{ name: 'id' }, { name: 'level' }] },
  body,
);
await measure('parse key_value, all', parse, { column: 'message', format: 'key_value' }, pairs);
await measure('parse csv', parse, { column: 'message', format: 'csv', columns: six }, record);
await measure('parse syslog, RFC 5424', parse, { column: 'message', format: 'syslog' }, modern);
await measure('parse syslog, RFC 3164', parse, { column: 'message', format: 'syslog' }, old);

const access: Make = (i) => ({
  message: `192.0.2.${i % 256} - user${i % 97} [10/Oct/2000:13:55:${10 + (i % 50)} -0700] "GET /a/b/${i}?x=1 HTTP/1.1" ${200 + (i % 7)} ${i} "http://example.org/start" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
});
await measure(
  'parse grok, COMBINEDAPACHELOG',
  parse,
  { column: 'message', format: 'grok', grok: { patterns: ['^%{COMBINEDAPACHELOG}$'] } },
  access,
);
await measure(
  'parse grok, two words',
  parse,
  { column: 'message', format: 'grok', grok: { patterns: ['^%{NOTSPACE:a} %{NOTSPACE:b}'] } },
  access,
);

const event: Make = (i) => ({
  id: i,
  level: level(i),
  took: String((i % 700) / 10),
  at: new Date(1_700_000_000_000 + i * 37_000).toISOString(),
  user: `user${i % 97}`,
  client_ip: `10.${i % 256}.${(i * 7) % 256}.3`,
  email: `jo.doe${i % 97}@example.org paid with 4111 1111 1111 1111`,
});
const routes = [
  { table: 'errors', condition: { column: 'level', op: 'eq', value: 'error' } },
  { table: 'some', condition: { column: 'id', op: 'lt', value: 1000 } },
];
await measure('route, two conditions', route, { routes }, event);
await measure('sample, one of 10', sample, { one_of: 10 }, event);
await measure('sample by key', sample, { rate: 0.1, key_column: 'user' }, event);
await measure('convert to a type', convert, { columns: { took: 'float' } }, event);
await measure('convert a time to epoch_ms', convert, { times: [{ column: 'at', to: 'epoch_ms' }] }, event);
await measure(
  'convert a time, zone by name',
  convert,
  { times: [{ column: 'at', from: ['%Y-%m-%dT%T.%fZ'], to: '%d/%m/%Y %T', zone: 'Europe/Paris' }] },
  event,
);
await measure('template, three columns', template, { columns: { text: '{{user}} at {{at}}: {{level}}' } }, event);
await measure('hash sha256', hash, { columns: ['user'] }, event);
await measure('hash sha256 with a key', hash, { columns: ['user'], key: 'secret' }, event);
await measure('hash xxh64', hash, { columns: ['user'], algorithm: 'xxh64' }, event);
await measure('mask ends', mask, { columns: ['user'], keep_first: 1, keep_last: 1 }, event);
await measure('mask patterns', mask, { columns: ['email'], patterns: ['email', 'card'] }, event);
await measure('anonymize_ip', anonymizeIp, { columns: ['client_ip'] }, event);

const nested: Make = (i) => ({
  id: i,
  source: { ip: `10.0.0.${i % 256}`, port: i, geo: { country: 'FR', city: `city ${i % 13}` } },
});
const dotted: Make = (i) => ({
  id: i,
  'source.ip': `10.0.0.${i % 256}`,
  'source.port': i,
  'source.geo.country': 'FR',
  'source.geo.city': `city ${i % 13}`,
});
await measure('flatten, four members', flatten, { columns: ['source'] }, nested);
await measure(
  'nest, four members',
  nest,
  { columns: ['source.ip', 'source.port', 'source.geo.country', 'source.geo.city'] },
  dotted,
);

const users = Array.from({ length: 100_000 }, (_, i) => `user${i},name ${i},${i % 7}\n`).join('');
writeFileSync(join(folder, 'users.csv'), `key,name,group\n${users}`);
const networks = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24,site ${i % 97}\n`).join('');
writeFileSync(join(folder, 'networks.csv'), `key,site\n10.0.0.0/8,all\n${networks}`);
await measure(
  'lookup, exact of 100,000',
  lookup,
  { column: 'user', file: 'users.csv', key_column: 'key', columns: ['name', 'group'] },
  event,
);
await measure(
  'lookup, cidr of 10,001',
  lookup,
  { column: 'client_ip', file: 'networks.csv', key_column: 'key', columns: ['site'], match: 'cidr' },
  event,
);
