import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Undelivered } from '../../spec/bulk-sink.ts';
import type { Json } from '../../spec/plan.ts';
import { temporaryFolder } from '../../testing/reef-process.ts';
import { missing } from '../../testing/servers/needs.ts';
import { type SecuredOpenSearch, securedOpenSearch, startSecuredOpenSearch } from '../../testing/servers/secured-opensearch.ts';
import { openSink, probeNode } from '../../testing-nodes.ts';
import sinkSpec from './sink.ts';

const skip = await missing(...securedOpenSearch);

let server: SecuredOpenSearch;
const cleanUps: (() => unknown)[] = [];
before(async () => {
  if (skip === false) server = await startSecuredOpenSearch({ after: (cleanUp) => cleanUps.push(cleanUp) });
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

interface Given {
  readonly index: string;
  readonly user: string;
  readonly password?: string;
  readonly more?: Readonly<Record<string, Json>>;
}

function settingsOf(t: TestContext, { index, user, password = server.password, more = {} }: Given): Record<string, Json> {
  const file = join(temporaryFolder(t), 'authority.pem');
  writeFileSync(file, server.authority);
  return {
    http_hosts: [{ host: '127.0.0.1', port: server.port, scheme: 'https' }],
    index: { type: 'fixed', name: index },
    tls: { ca_file: file },
    auth: { type: 'basic', username: user, password },
    ...more,
  };
}

async function write(t: TestContext, given: Given): Promise<Undelivered | undefined> {
  const sink = await openSink(sinkSpec, { settings: settingsOf(t, given) });
  try {
    return (await sink.write([{ _ppf_id: 'a/1', n: 1 }])) as Undelivered | undefined;
  } finally {
    await sink.close();
  }
}

async function probe(t: TestContext, given: Given): Promise<string> {
  return (await probeNode(sinkSpec, { settings: settingsOf(t, given) })).join();
}

async function stored(index: string): Promise<number> {
  await server.ask('POST', `/${index}/_refresh`);
  return (await server.ask<{ readonly count: number }>('GET', `/${index}/_count`)).count;
}

test('who has the right may write, over TLS, by an own authority', { skip }, async (t) => {
  assert.equal(await write(t, { index: 'logs-1', user: 'writer' }), undefined);
  assert.equal(await stored('logs-1'), 1);
  assert.match(
    await probe(t, { index: 'logs-1', user: 'writer' }),
    /^reaches https:\S+, OpenSearch 3\.4\S+, may write to "logs-1"$/,
  );
});

test("Punch's way to say user and password", { skip }, async (t) => {
  const { auth: _, ...others } = settingsOf(t, { index: 'logs-2', user: 'writer' });
  const security = { credentials: { username: 'writer', password: server.password } };
  const sink = await openSink(sinkSpec, { settings: { ...others, security } });
  assert.equal(await sink.write([{ _ppf_id: 'a/1', n: 1 }]), undefined);
  await sink.close();
  assert.equal(await stored('logs-2'), 1);
});

test('a wrong password is waited for, and said', { skip }, async (t) => {
  const given: Given = { index: 'logs-3', user: 'writer', password: 'open barley' };
  await assert.rejects(write(t, given), /401/);
  await assert.rejects(probe(t, given), /answers 401/);
});

test('a right that is missing is waited for, and said', { skip }, async (t) => {
  const given: Given = { index: 'other', user: 'writer' };
  const said = await write(t, given);
  assert.deepEqual([said?.again, said?.refused ?? []], [[0], []]);
  assert.match(said!.againReason!, /403 security_exception/);
  await assert.rejects(
    probe(t, given),
    /Cannot write to "other" of sink "test": \S+ says that this user lacks "indices:data\/write\/index"/,
  );
  await assert.rejects(server.ask('GET', '/other'), /index_not_found/);
});
