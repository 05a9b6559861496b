/**
 * What the native functions cost by themselves: CPU time per row of decoding, the function and encoding as JSON, and the function's
 * share of it. Prints figures, asserts nothing: `node bench/micro/functions.ts [seconds per line] [word in the name]`.
 */
import type { RowView } from '../../engine/src/batch/row-batch.ts';
import { testBench } from '../../engine/src/batch/testing.ts';
import parse from '../../engine/src/functions/parse/spec.ts';
import type { BatchFunction, FunctionContext, FunctionSpec } from '../../engine/src/spec/node.ts';
import type { Json } from '../../engine/src/spec/plan.ts';
import { validateSettings } from '../../engine/src/spec/validate.ts';

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
    folder: process.cwd(),
    punchlineKind: 'BatchPunchline',
    declared: [],
    alive() {},
    notice() {},
    prepared: await spec.prepare?.({ id: 'f', settings: checked, folder: process.cwd() }),
    cancelled: new Int32Array(1),
    log: { info() {}, warn() {} },
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
