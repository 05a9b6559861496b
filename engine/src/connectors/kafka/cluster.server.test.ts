/** Three brokers that keep copies of each other's partitions, and processes that share them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { wholeFile } from '../../testing/owner.ts';
import type { ReefProcess } from '../../testing/reef-process.ts';
import { type KafkaCluster, startKafkaCluster } from '../../testing/servers/kafka-cluster.ts';
import { kafka } from '../../testing/servers/kafka-command.ts';
import { missing, program } from '../../testing/servers/needs.ts';
import { runProgram } from '../../testing/servers/run-program.ts';
import { numbers, punchline, start, stop } from './testing/punchlines.ts';
import { produce } from './testing/topics.ts';

const skip = await missing(...kafka, program('kcat', 'kcat'));
const server = skip === false ? await startKafkaCluster(wholeFile) : undefined;
const shared = (): KafkaCluster => server!;
const KEYS = 11;

function copying(t: TestContext, from: string, to: string): string {
  const common = { 'bootstrap.servers': shared().addresses, request_timeout_secs: 5 };
  return punchline(t, 'StreamPunchline', {
    source: { type: 'kafka', settings: { ...common, topics: from, session_timeout_secs: 3, fetch_bytes: 5000 } },
    sink: {
      type: 'kafka',
      settings: { ...common, topic: to, key_column: '_ppf_key', 'producer.batch.size': 2000, retry: { max_ms: 500 } },
    },
  });
}

const keyed = (count: number, from = 0) => numbers(count, from).map((value, i) => ({ value, key: `k${(from + i) % KEYS}` }));

/** Every row came, and those of a key stand in order: looking at the first time of each, for a stretch may be repeated. */
function assertComplete(stored: readonly Stored[], count: number): void {
  assert.equal(new Set(stored.map(({ n }) => n)).size, count);
  for (const [key, records] of Map.groupBy(stored, ({ key }) => key)) {
    const inOrder = records.toSorted((one, other) => one.offset - other.offset);
    const firsts = [...new Set(inOrder.map(({ n }) => n))];
    assert.deepEqual(
      firsts,
      firsts.toSorted((one, other) => one - other),
      `key ${key}`,
    );
  }
}

interface Stored {
  readonly key: string;
  readonly offset: number;
  readonly n: number;
}

/** All that stands in a topic once it has rows of so many numbers. kcat finds new leaders within moments. */
async function readAll(topic: string, count: number): Promise<readonly Stored[]> {
  for (;;) {
    const command = ['kcat', '-C', '-b', shared().addresses, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k %o %s\\n'];
    const text = await runProgram(command, { timeoutMs: 20_000 }).catch(() => '');
    const rows = text
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line): Stored => {
        const [key, offset, value] = line.split(' ') as [string, string, string];
        return { key, offset: Number(offset), n: (JSON.parse(value) as { n: number }).n };
      });
    if (new Set(rows.map(({ n }) => n)).size >= count) return rows;
    // It looks at what is there, and ends.
    await pause(200);
  }
}

test('leaders are killed one after the other while rows flow, and come back: nothing is lost, each key is in order', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const cluster = shared();
  await cluster.createTopic('led-from', 3);
  await cluster.createTopic('led-to', 3);
  const process = start(t, copying(t, 'led-from', 'led-to'));
  let sent = 0;
  for (const [topic, partition] of [
    ['led-to', 0],
    ['led-from', 1],
    ['led-to', 2],
  ] as const) {
    await produce(cluster.addresses, 'led-from', keyed(3000, sent));
    sent += 3000;
    const leader = await cluster.leaderOf(topic, partition);
    await readAll('led-to', sent - 2500);
    await leader.kill();
    await readAll('led-to', sent - 500);
    await leader.start();
  }
  const received = await readAll('led-to', sent);
  await stop(process);
  assertComplete(received, sent);
  t.diagnostic(`${received.length - sent} of ${sent} rows came twice`);
});

test('three processes share partitions, come, go and are killed: nothing is lost, each key is in order', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const cluster = shared();
  await cluster.createTopic('shared-from', 6);
  await cluster.createTopic('shared-to', 6);
  const files = [0, 1, 2].map(() => copying(t, 'shared-from', 'shared-to'));
  const running: (ReefProcess | undefined)[] = files.map(() => undefined);
  let sent = 0;
  const steps: ['start' | 'stop' | 'kill', number][] = [
    ['start', 0],
    ['start', 1],
    ['start', 2],
    ['kill', 1],
    ['start', 1],
    ['stop', 0],
    ['kill', 2],
    ['start', 0],
    ['start', 2],
    ['kill', 0],
  ];
  for (const [what, member] of steps) {
    await produce(cluster.addresses, 'shared-from', keyed(1000, sent));
    sent += 1000;
    if (what === 'start') running[member] = start(t, files[member]!);
    else if (what === 'stop') await stop(running[member]!);
    else {
      running[member]!.child.kill('SIGKILL');
      await running[member]!.ended;
    }
    // Some of what was just sent is under way when the next one comes or goes.
    await readAll('shared-to', sent - 700);
  }
  const received = await readAll('shared-to', sent);
  for (const member of [1, 2]) await stop(running[member]!);
  assertComplete(received, sent);
  t.diagnostic(`${received.length - sent} of ${sent} rows came twice`);
});
