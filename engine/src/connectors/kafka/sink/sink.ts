import { rowEndBytes } from '../../../spec/plan.ts';
import { bulkSink } from '../../../spec/sink.ts';
import { requires } from '../client.ts';
import { openCluster } from '../cluster.ts';
import { brokersOf } from '../connection-settings.ts';
import { probeCluster } from '../probe.ts';
import { KafkaSink, sideColumns } from './kafka-sink.ts';
import { checkSettings, settings } from './settings.ts';

export default bulkSink({
  summary: 'Writes rows to topics of Kafka.',
  settings,
  check: checkSettings,
  codecs: ['json', 'line', 'raw'],
  requires,
  delivery:
    'At least once: rows count as delivered when all replicas in sync have them (`producer.acks`). Batches are numbered, so that what is sent again over a broken connection stands in the topic once and in order; after a crash of Reef itself rows may come again. Rows that brokers refuse for good (too large) go to the error table, by themselves.',
  security:
    'Rows go to the brokers; with `SSL` and `SASL_SSL` they are encrypted on the way and the brokers’ certificates checked. Passwords and tokens are secrets: referred to, never shown.',
  examples: [
    {
      title: "With Punch's words",
      yaml: 'id: out\nkind: sink\ntype: kafka\nsettings:\n  bootstrap.servers: kafka1:9092, kafka2:9092\n  topic: logs\n  encoding.codec: json\n  producer.acks: all\n  producer.batch.size: 16384\n  producer.linger.ms: 5\n',
      needs: 'a server',
    },
    {
      title: 'By key, compressed, with TLS and a certificate of its own',
      yaml: 'id: out\nkind: sink\ntype: kafka\nsettings:\n  bootstrap.servers: kafka.example:9093\n  topic: orders\n  key_column: customer\n  producer.compression.type: zstd\n  security.protocol: SSL\n  tls: { ca_file: ca.pem, certificate_file: reef.pem, key_file: reef.key }\n',
      needs: 'a server',
    },
  ],
  sideColumns,
  async probe({ id, settings: given, folder, log }) {
    const cluster = await openCluster({ settings: given, folder, subject: `Kafka sink "${id}"`, log });
    const topics = given.topic === undefined ? [] : [given.topic];
    return probeCluster(cluster, { topics, mayLack: given.unknown_topic === 'create', brokers: brokersOf(given).join(', ') });
  },
  async open({ id, settings: given, codec, folder, log }) {
    const cluster = await openCluster({ settings: given, folder, subject: `Kafka sink "${id}"`, log });
    return new KafkaSink({ cluster, settings: given, rowEnd: rowEndBytes(codec), log });
  },
});
