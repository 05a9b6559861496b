import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { mosquitto, startMosquitto } from './mosquitto.ts';
import { findProgram, missing, program } from './needs.ts';
import { runProgram } from './run-program.ts';

const skip = await missing(mosquitto, program('mosquitto_pub', 'mosquitto-clients'));

test('a message that is published is kept over a restart, and one without the password is refused', {
  skip,
}, async (t: TestContext) => {
  assert.ok(findProgram('mosquitto'));
  const user = { name: 'reef', password: 'right' };
  const server = await startMosquitto(t, { user });
  const client = (name: string, password: string, ...args: readonly string[]): Promise<string> =>
    runProgram([name, '-p', String(server.ports.mqtt), '-u', user.name, '-P', password, '-t', 'a/b', ...args], {
      timeoutMs: 10_000,
    });
  await client('mosquitto_pub', 'right', '-q', '1', '-r', '-m', 'kept');
  await assert.rejects(client('mosquitto_pub', 'wrong', '-m', 'refused'), /not authori[sz]ed/i);
  await server.restart();
  assert.equal(await client('mosquitto_sub', 'right', '-C', '1'), 'kept\n');
});
