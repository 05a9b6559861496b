import { Producer } from '@platformatic/kafka';
import { startKafka } from './src/testing/servers/kafka.ts';
import { reef, startReef, writePunchline, temporaryFolder } from './src/testing/reef-process.ts';
const ends: any[] = [];
const t: any = { after: (f: any) => ends.push(f) };
try { const k = await startKafka(t);
await k.createTopic('a', 2);
const producer = new Producer({ clientId: 'p', bootstrapBrokers: [k.address('plain')] });
for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
  await producer.send({ messages: Array.from({length: 10}, (_, i) => ({ topic: 'a', partition: i % 2, key: Buffer.from(`k${i}`), value: Buffer.from(JSON.stringify({ n: i, compression })), headers: new Map([[Buffer.from('h'), Buffer.from('v"')]]) })), compression, acks: -1 } as any);
await producer.send({ messages: [{ topic: 'a', partition: 0, key: Buffer.from('k'), value: null as any }], acks: -1 } as any);
await producer.close();
const folder = temporaryFolder(t);
const file = writePunchline(folder, 'BatchPunchline', [
 { id: 'in', kind: 'source', type: 'kafka', settings: { 'bootstrap.servers': k.address('plain'), topics: 'a', stop_at_end: true, tombstones: 'row' }, out: [{ id: 'out', columns: ['n', 'compression', '_ppf_topic', '_ppf_partition_id', '_ppf_partition_offset', '_ppf_timestamp', '_ppf_key', '_ppf_headers', '_ppf_id'].map(name => ({ name, type: /n|offset|timestamp|_partition_id/.test(name) && !/comp|_ppf_id|heade/.test(name) ? 'long' : 'string' })) }] },
 { id: 'out', kind: 'sink', type: 'stdout' }]);
console.log(await reef(t, ['run', file]));
console.log(await reef(t, ['run', file]));
} catch (e) { console.error(e) }
for (const e of ends) await e();
