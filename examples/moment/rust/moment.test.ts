import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPlainly, type PlainFunction, type RlineAnswer, type RlineRow } from '../../wasm-functions/plain-host.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const committed = here('../moment.wasm');
const at = (creation_timestamp: number): RlineRow => ({ creation_timestamp: { Integer: creation_timestamp } });
const is = (moment: string): RlineAnswer => ({ Ok: { moment: { String: moment } } });
const clock = (hour: number, minute: number, second = 0) => at(1_700_006_400 + hour * 3600 + minute * 60 + second);

test('moment names the part of the day', () => {
  const moment = loadPlainly(committed, 'moment').bincode;
  assert.deepEqual(moment(clock(0, 0, 59)), is('midnight'));
  assert.deepEqual(moment(clock(0, 1)), is('night'));
  assert.deepEqual(moment(clock(8, 59)), is('night'));
  assert.deepEqual(moment(clock(9, 0)), is('day'));
  assert.deepEqual(moment(clock(12, 0)), is('midday'));
  assert.deepEqual(moment(clock(12, 1)), is('day'));
  assert.deepEqual(moment(clock(19, 59)), is('day'));
  assert.deepEqual(moment(clock(20, 0)), is('night'));
  assert.deepEqual(moment(at(-1)), is('night'));
});

test('moment answers with an error for a row that it cannot use', () => {
  const { bincode, call } = loadPlainly(committed, 'moment');
  assert.deepEqual(bincode({}), { Err: 'column creation_timestamp is missing' });
  assert.deepEqual(bincode({ creation_timestamp: { String: 'x' } }), { Err: 'BadTypeError: Not an integer' });
  assert.match(
    Buffer.from(call(new Uint8Array([1, 2, 3]))).toString(),
    /Wasm deserialization error : RuntimeError: UnexpectedEnd \{ additional: 5 \}$/,
  );
});

// A user's `npm test` needs no cargo and waits for none.
const wanted = process.env.CI === 'true' || process.env.REEF_SETUP === '1';
const build = { timeout: 300_000, skip: !wanted && 'builds with cargo: set REEF_SETUP=1' };

test('moment built from source behaves as the committed module and has about its size', build, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reef-moment-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const out = join(folder, 'moment.wasm');
  const { status, stderr } = spawnSync('bash', [here('build.sh'), out], { encoding: 'utf8' });
  if (status === 69) return t.skip(stderr.split('\n')[0]!);
  assert.equal(status, 0, stderr);
  const answers = (call: PlainFunction['bincode']) => rows().map((row) => call(row));
  assert.deepEqual(answers(loadPlainly(out, 'moment').bincode), answers(loadPlainly(committed, 'moment').bincode));
  assert.ok(Math.abs(statSync(out).size - statSync(committed).size) < 40_000, `${statSync(out).size} bytes`);
});

/** Times over four centuries, and rows of every type beside the one that counts. */
function rows(): RlineRow[] {
  const times = Array.from({ length: 2000 }, (_, i) => at(-(2 ** 31) + i * 2_147_483));
  const others: RlineRow[] = [
    {},
    { creation_timestamp: { Float: 1.5 } },
    { creation_timestamp: { VecInteger: [1] } },
    {
      ...at(0),
      s: { String: 'é' },
      f: { Float: Number.NaN },
      vs: { VecString: ['a', ''] },
      vf: { VecFloat: [] },
      u: { VecU8: [255] },
    },
  ];
  return [...times, ...others];
}
