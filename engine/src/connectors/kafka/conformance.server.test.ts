/** The suite against one real broker for the whole file: each check has topics and a group of its own. */
import { Admin } from '@platformatic/kafka';
import { wholeFile } from '../../testing/owner.ts';
import { KAFKA_USER, type Kafka, startKafka } from '../../testing/servers/kafka.ts';
import { kafka } from '../../testing/servers/kafka-command.ts';
import { missing } from '../../testing/servers/needs.ts';
import type { Exceptions } from '../testing/conformance/checks.ts';
import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions, Side } from '../testing/conformance/sides.ts';
import { produce, TopicReader } from './testing/topics.ts';

const skip = await missing(...kafka);
const server = skip === false ? await startKafka(wholeFile, { proxied: true, more: ['message.max.bytes=10000000'] }) : undefined;
let topics = 0;

process.env.REEF_TEST_KAFKA_WRONG = 'wrong';

const except: Exceptions = {
  certificates:
    'A broker tells clients its own address, so nothing can stand in between that ends TLS; kafka.server.test.ts has brokers with TLS and mutual TLS.',
};

async function open(broker: Kafka): Promise<{ readonly topic: string; readonly side: Pick<Side, 'proxy' | 'server'> }> {
  const topic = `conformance-${++topics}`;
  const { proxy } = broker;
  // As a check before this one has not left it.
  await proxy!.accept();
  proxy!.release();
  proxy!.cut();
  await broker.createTopic(topic, 1);
  return { topic, side: { proxy: proxy!, server: broker } };
}

const common = ({ port, impatient }: SettingsOptions) => ({
  'bootstrap.servers': `127.0.0.1:${port}`,
  ...(impatient ? { request_timeout_secs: 1, connect_timeout_secs: 1 } : {}),
});

const wrong = (broker: Kafka) => ({
  'bootstrap.servers': broker.address('sasl'),
  'security.protocol': 'SASL_PLAINTEXT',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
  auth: { mechanism: 'SCRAM-SHA-256', username: KAFKA_USER.name, password: '${REEF_TEST_KAFKA_WRONG}' },
});

sourceConforms(
  {
    type: 'kafka',
    except,
    async open() {
      const broker = server!;
      const { topic, side } = await open(broker);
      const own = {
        topics: topic,
        'group.id': topic,
        session_timeout_secs: 1.5,
        metadata_refresh_secs: 0.3,
        release_timeout_secs: 1,
      };
      return {
        ...side,
        settings: (options) => ({ ...common(options), ...own }),
        wrongPassword: () => ({ ...wrong(broker), ...own }),
        write: (rows) =>
          produce(
            broker.address('plain'),
            topic,
            rows.map((row) => ({ value: JSON.stringify(row) })),
          ),
        async acknowledged() {
          const admin = new Admin({ clientId: 'outside', bootstrapBrokers: [broker.address('plain')] });
          try {
            const [group] = await admin.listConsumerGroupOffsets({ groups: [topic] });
            const offset = group?.topics[0]?.partitions[0]?.committedOffset ?? -1n;
            return Math.max(0, Number(offset));
          } finally {
            await admin.close();
          }
        },
      };
    },
  },
  { skip },
);

sinkConforms(
  {
    type: 'kafka',
    except,
    async open(t) {
      const broker = server!;
      const { topic, side } = await open(broker);
      const reader = await new TopicReader(t, broker.address('plain')).open(topic);
      const retry = { initial_ms: 20, max_ms: 500 };
      return {
        ...side,
        settings: (options) => ({ ...common(options), topic, retry }),
        wrongPassword: () => ({ ...wrong(broker), topic, retry }),
        read: async () => reader.values().map((value) => JSON.parse(value) as Row),
      };
    },
  },
  { skip },
);
