/** The source in whole punchlines, run by the built command. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { connectTo, sendAll, startListening } from '../socket/testing/start-listening.ts';

const MESSAGE = '<34>1 2026-10-11T22:14:15.003Z web su 12 ID47 [a b="c"] failed';
const ROW = {
  priority: 34,
  facility: 'auth',
  severity: 'crit',
  version: 1,
  timestamp: '2026-10-11T22:14:15.003Z',
  hostname: 'web',
  appname: 'su',
  procid: '12',
  msgid: 'ID47',
  structured_data: { a: { b: 'c' } },
  message: 'failed',
};

test('both framings come over one port, and are columns', async (t) => {
  const { port, stop } = await startListening(t, { type: 'syslog', settings: { port: 0 } });
  await sendAll(connectTo(port), `${MESSAGE}\n${MESSAGE}\r\n`);
  await sendAll(connectTo(port), `${MESSAGE.length} ${MESSAGE}${MESSAGE.length + 1} ${MESSAGE}\n${MESSAGE}\n`);
  const { rows, errors } = await stop();
  assert.equal(errors.length, 0);
  assert.deepEqual(rows, Array<object>(5).fill(ROW));
});

test('only what is declared is made, with what is known of the sender', async (t) => {
  const columns = ['message', 'severity', '_ppf_remote_host'].map((name) => ({ name, type: 'string' }));
  const { port, stop, written } = await startListening(t, { type: 'syslog', settings: { proto: 'udp', port: 0 } }, { columns });
  const client = createSocket('udp4');
  t.after(() => client.close());
  await new Promise((resolve) => client.send(MESSAGE, port, '127.0.0.1', resolve));
  await written(1);
  const { rows } = await stop();
  assert.deepEqual(rows, [{ message: 'failed', severity: 'crit', _ppf_remote_host: '127.0.0.1' }]);
});

test('a message that cannot be read is a row with its text, or an error', async (t) => {
  const sent = `<13>hello\n${MESSAGE}\n<34>1 x\n`;
  const kept = await startListening(t, { type: 'syslog', settings: { port: 0, raw_column: 'raw' } });
  await sendAll(connectTo(kept.port), sent);
  const { rows } = await kept.stop();
  assert.deepEqual(rows, [
    { raw: '<13>hello', priority: 13, facility: 'user', severity: 'notice', message: 'hello' },
    { raw: MESSAGE, ...ROW },
    { raw: '<34>1 x', priority: 34, facility: 'auth', severity: 'crit', message: '1 x' },
  ]);
  const refused = await startListening(t, { type: 'syslog', settings: { port: 0, on_error: 'reject' } });
  await sendAll(connectTo(refused.port), sent);
  const { rows: good, errors } = await refused.stop();
  assert.deepEqual(good, [ROW]);
  assert.equal(errors.length, 2);
  assert.match(JSON.stringify(errors[0]), /no time where one is expected/);
});

test("Punch's way gets messages as they came, in the column that is declared", async (t) => {
  const settings = { proto: 'tcp', host: '127.0.0.1', port: 0, delimiter: 'eol' };
  const { port, stop } = await startListening(t, { type: 'syslog', settings }, { columns: [{ name: 'data', type: 'string' }] });
  await sendAll(connectTo(port), `${MESSAGE}\n12 <13>x\n`);
  const { rows } = await stop();
  assert.deepEqual(rows, [{ data: MESSAGE }, { data: '12 <13>x' }]);
});
