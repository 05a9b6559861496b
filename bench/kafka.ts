/**
 * Kafka → `moment` → Kafka, acks of all replicas, idempotent, offsets committed after delivery: rows a second, and rows per CPU-second
 * of the Reef process; beside the client library alone, which takes and sends rows and does nothing with them.
 *
 *   node bench/kafka.ts [--rows 1000000] [--rounds 3]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { startKafka } from '../engine/src/testing/servers/kafka.ts';
import { kafka } from '../engine/src/testing/servers/kafka-command.ts';
import { missing } from '../engine/src/testing/servers/needs.ts';
import { figures } from './figures.ts';
import { describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { inputWith } from './rows.ts';

const PARTITIONS = 4;
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
});
const rows = Number(values.rows);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'reef-kafka-'));
const cleanUps: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
try {
  const lack = await missing(...kafka);
  if (lack !== false) throw new Error(`Cannot measure Kafka: ${lack}`);
  const input = await inputWith(rows);
  console.log(`${describeMachine([]).join('; ')}; ${rows} rows, ${(input.bytes / 1e6).toFixed(0)} MB, ${PARTITIONS} partitions`);
  const server = await startKafka({ after: (cleanUp) => cleanUps.push(cleanUp) });
  const address = server.address('plain');
  for (const topic of ['in', 'out']) await server.createTopic(topic, PARTITIONS);
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [address] });
  cleanUps.push(() => admin.close());
  const reef = (file: string, state: string): [string, ...string[]] => [
    process.execPath,
    at('../engine/bin/reef.js'),
    'run',
    at(`pipelines/${file}`),
    '--state',
    join(folder, state),
  ];
  await run('Reef, file → Kafka', reef('kafka-fill.yaml', 'fill'), { REEF_BENCH_INPUT: input.path, REEF_BENCH_KAFKA: address });
  await expectRows(admin, 'in', rows);
  let sent = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    const env = { REEF_BENCH_KAFKA: address, REEF_BENCH_GROUP: `reef-${round}` };
    await run('Reef, Kafka → moment → Kafka', reef('kafka-moment.yaml', `round-${round}`), env);
    await run(
      'the library alone, Kafka → Kafka',
      [process.execPath, at('kafka-library.ts'), address, `library-${round}`, String(rows)],
      {},
    );
    sent += 2 * rows;
    await expectRows(admin, 'out', sent);
  }
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}

async function run(what: string, command: readonly [string, ...string[]], env: Readonly<Record<string, string>>): Promise<void> {
  const measured = await measure({ command, env });

  console.log(`${what}: ${figures(rows, measured)}`);
}

/** Every row is there, and none twice. */
async function expectRows(admin: Admin, topic: string, expected: number): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }));
  const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
  const count = found!.partitions.reduce((sum, { offset }) => sum + Number(offset), 0);
  if (count !== expected) throw new Error(`${count} rows are in topic "${topic}", expected ${expected}`);
}
