/**
 * The client library alone, by its own consumer and producer: takes rows from the topic `in` and sends them to `out` as they are, a
 * thousand at a time, one message behind the other, acks of all replicas. It does nothing with them.
 */
import { Consumer, type Message, Producer } from '@platformatic/kafka';

const [address, group, count] = process.argv.slice(2) as [string, string, string];
const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({ clientId: 'bench', groupId: group, bootstrapBrokers: [address] });
const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
  clientId: 'bench',
  bootstrapBrokers: [address],
  idempotent: true,
});
const stream = await consumer.consume({ topics: ['in'], mode: 'earliest', autocommit: 1000, maxWaitTime: 100 });
let messages: Message<Buffer, Buffer, Buffer, Buffer>[] = [];
let done = 0;
for await (const message of stream) {
  messages.push(message);
  if (messages.length < 1000 && done + messages.length < Number(count)) continue;
  await producer.send({ acks: -1, messages: messages.map(({ key, value, headers }) => ({ topic: 'out', key, value, headers })) });
  done += messages.length;
  messages = [];
  if (done >= Number(count)) break;
}
await consumer.close(true);
await producer.close();
