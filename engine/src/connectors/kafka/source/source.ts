import { type Source, type SourceContext, source } from '../../../spec/source.ts';
import { requires } from '../client.ts';
import { openCluster } from '../cluster.ts';
import { brokersOf } from '../connection-settings.ts';
import { probeCluster } from '../probe.ts';
import { KafkaSource } from './kafka-source.ts';
import { checkSettings, settings, topicsOf } from './settings.ts';

export default source({
  summary: 'Reads topics of Kafka, as a member of a consumer group.',
  settings,
  check: checkSettings,
  codecs: ['json', 'line', 'raw'],
  requires,
  delivery:
    'At least once, in the order of each partition: an offset is committed to the group once all rows before it are delivered and the checkpoint is on disk. After a crash, and when partitions go to another member before all is delivered, the rows in between come again, with the same `_ppf_id`.',
  security:
    'Rows and offsets go over connections to the brokers; with `SSL` and `SASL_SSL` they are encrypted and the brokers’ certificates checked. Passwords and tokens are secrets: referred to, never shown.',
  examples: [
    {
      title: "Two topics, with Punch's words",
      yaml: 'id: in\nkind: source\ntype: kafka\nsettings:\n  bootstrap.servers: kafka1:9092, kafka2:9092\n  topics: [logs, alerts]\n  group.id: reef-logs\n  encoding.codec: json\nout:\n  - id: out\n',
      needs: 'a server',
    },
    {
      title: 'With TLS and a password; key, topic and offset become columns',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: in\nkind: source\ntype: kafka\nsettings:\n  bootstrap.servers: kafka.example:9093\n  topics: orders\n  start_offset_strategy: earliest\n  security.protocol: SASL_SSL\n  auth: { mechanism: SCRAM-SHA-512, username: reef, password: "${KAFKA_PASSWORD}" }\n  tls: { ca_file: ca.pem }\nout:\n  - id: out\n    columns:\n      - { name: order, type: string }\n      - { name: _ppf_key, type: string }\n      - { name: _ppf_topic, type: string }\n      - { name: _ppf_partition_offset, type: long }\n',
      needs: 'a server',
    },
  ],
  open: openKafkaSource,
  async probe({ id, settings: given, folder, log }) {
    const cluster = await openCluster({ settings: given, folder, subject: `Kafka source "${id}"`, log });
    const topics = topicsOf(given.topics) ?? [];
    return probeCluster(cluster, { topics, mayLack: true, brokers: brokersOf(given).join(', ') });
  },
});

type Context = SourceContext<typeof settings>;

async function openKafkaSource({ id, settings: given, codec, referenced, folder, log, hindered }: Context): Promise<Source> {
  const cluster = await openCluster({ settings: given, folder, subject: `Kafka source "${id}"`, log });
  const topics = topicsOf(given.topics) ?? [];
  const group = given['group.id'] ?? `reef-${id}`;
  return new KafkaSource({ cluster, settings: given, topics, group, codec, referenced, log, hindered });
}
