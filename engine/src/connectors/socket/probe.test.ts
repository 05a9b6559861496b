/** What `reef check --connect` says of sources that listen and sinks that connect. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startReef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { freePort } from '../../testing/servers/free-port.ts';

const types = ['socket', 'syslog'] as const;

for (const type of types) {
  test(`a probe of ${type} takes the port and connects, and says what is in the way`, async (t) => {
    let bytes = 0;
    const server = createServer((socket) => {
      socket.on('data', (piece) => {
        bytes += piece.length;
      });
      socket.on('end', () => socket.end());
    });
    const taken = await freePort();
    await new Promise<void>((resolve) => server.listen({ port: taken, host: '127.0.0.1' }, resolve));
    t.after(() => server.close());
    const free = await freePort();
    const check = async (listen: object, connect: object) => {
      const folder = temporaryFolder(t);
      const file = writePunchline(folder, 'StreamPunchline', [
        { id: 'in', kind: 'source', type, settings: listen, out: [{ id: 'out' }] },
        { id: 'out', kind: 'sink', type, settings: connect },
      ]);
      const { code, stdout, stderr } = await startReef(t, ['check', file, '--connect']).ended;
      return { code, said: stdout + stderr, folder };
    };
    const good = await check({ port: free }, { port: taken });
    assert.equal(good.code, 0, good.said);
    assert.match(good.said, new RegExp(`source "in" may listen at 127.0.0.1:${free} \\(TCP\\)`));
    assert.match(good.said, new RegExp(`sink "out" reaches 127.0.0.1:${taken}\n`));
    const bad = await check({ port: taken }, { port: free });
    assert.notEqual(bad.code, 0);
    assert.match(bad.said, /Cannot listen for source "in".*in use/i);
    assert.match(bad.said, new RegExp(`Cannot send rows of sink "out" to 127.0.0.1:${free}`));
    const others = await check({ proto: 'unix', path: 'in.sock' }, { proto: 'udp', port: free });
    assert.equal(others.code, 0, others.said);
    assert.ok(others.said.includes(`may listen at ${join(others.folder, 'in.sock')}`), others.said);
    assert.match(others.said, /nobody can tell/);
    assert.equal(bytes, 0);
  });
}
