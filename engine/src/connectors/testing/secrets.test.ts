/** At the most talkative log level: secrets of connectors whose server fails: nothing that Reef says or writes shows them, and a start that fails ends by itself. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { freePort } from '../../testing/servers/free-port.ts';

const SECRET = 'correct-horse-battery-staple';
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
const password = '${CONNECTOR_SECRET}';
const once = { retry: { max_attempts: 2, initial_ms: 10, max_ms: 20 } };

const sinks: Readonly<Record<string, (port: number) => object>> = {
  postgres: (port) => ({
    ...{ port, database: 'd', user: 'u', password, encryption: 'none', table: 't' },
    ...{ required_at_start: true, ...once },
  }),
  opensearch: (port) => ({
    http_hosts: [{ host: '127.0.0.1', port }],
    index: { type: 'fixed', name: 'i' },
    auth: { type: 'basic', username: 'u', password },
    ...once,
  }),
  mqtt: (port) => ({ url: `mqtt://127.0.0.1:${port}`, topic: 't', auth: { username: 'u', password }, ...once }),
  kafka: (port) => ({
    ...{ 'bootstrap.servers': `127.0.0.1:${port}`, topic: 't' },
    ...{ 'security.protocol': 'SASL_PLAINTEXT', auth: { mechanism: 'PLAIN', username: 'u', password }, ...once },
  }),
  http: (port) => ({ url: `http://127.0.0.1:${port}/`, auth: { type: 'basic', username: 'u', password }, ...once }),
};

/** They wait for ever for a server that is away, unless they are told not to. */
const waiting = ['mqtt', 'kafka'];

for (const [type, settings] of Object.entries(sinks)) {
  test(`the secret of ${type} is shown nowhere when its server is away, and the command ends`, { timeout: 60_000 }, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\n');
    const file = writePunchline(folder, 'BatchPunchline', [
      { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
      { id: 'out', kind: 'sink', type, settings: settings(await freePort()) },
    ]);
    const env = { CONNECTOR_SECRET: SECRET };
    const checked = await reef(t, ['check', file, '--connect'], env);
    const ran = await reef(
      t,
      ['run', file, '--state', join(folder, 'state'), '--log-level', 'info', ...(waiting.includes(type) ? ['--connect'] : [])],
      env,
    );
    assert.notEqual(checked.code, 0);
    const said = checked.stdout + checked.stderr + ran.stdout + ran.stderr;
    for (const text of [checked.stdout + checked.stderr, ran.stderr]) assert.match(text, /ECONNREFUSED|refused/);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const written = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
    // As it is, and as basic authentication sends it.
    for (const form of [SECRET, Buffer.from(`u:${SECRET}`).toString('base64')])
      assert.ok(!said.includes(form) && !written.includes(form), `${type} shows its secret`);
  });
}
