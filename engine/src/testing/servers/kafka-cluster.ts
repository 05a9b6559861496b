/** Apache Kafka, several nodes that are brokers and controllers, which keep copies of each other's partitions: plain listeners. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import type { Owner } from '../owner.ts';
import { firstAnswer } from './answers.ts';
import { freePort } from './free-port.ts';
import { API_VERSIONS, kafkaCommand } from './kafka-command.ts';
import { runProgram } from './run-program.ts';
import { type Server, startServer } from './server.ts';

export interface KafkaCluster {
  /** Node i has the id i + 1. */
  readonly nodes: readonly Server<'plain'>[];
  /** `host:port` of all nodes, with commas between. */
  readonly addresses: string;
  /** With a copy on each node, all but one of which must be in step. */
  createTopic(name: string, partitions: number): Promise<void>;
  /** The node that leads a partition now. */
  leaderOf(topic: string, partition: number): Promise<Server<'plain'>>;
}

interface Place {
  readonly id: number;
  readonly controllerPort: number;
}

export async function startKafkaCluster(owner: Owner, count = 3): Promise<KafkaCluster> {
  const places: Place[] = [];
  for (let id = 1; id <= count; id++) places.push({ id, controllerPort: await freePort() });
  const voters = places.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',');
  const run = await kafkaCommand.server('256m');
  // None serves before most of them run.
  const nodes = await Promise.all(
    places.map((place) =>
      startServer<'plain'>(owner, {
        name: `kafka-${place.id}`,
        ports: ['plain'],
        async prepare({ folder, ports }) {
          const file = join(folder, 'server.properties');
          writeFileSync(file, `${configuration(place, { folder, port: ports.plain, voters, count }).join('\n')}\n`);
          await runProgram(await kafkaCommand.format(file));
        },
        command: ({ folder }) => run(join(folder, 'server.properties')),
        ready: async ({ ports }) => (await firstAnswer(ports.plain, API_VERSIONS)).length > 8,
      }),
    ),
  );
  const addresses = nodes.map(({ ports }) => `127.0.0.1:${ports.plain}`);
  const admin = new Admin({ clientId: 'tests', bootstrapBrokers: addresses, retries: 20 });
  owner.after(() => admin.close());
  return {
    nodes,
    addresses: addresses.join(','),
    async createTopic(name, partitions) {
      await admin.createTopics({ topics: [name], partitions, replicas: count });
    },
    async leaderOf(topic, partition) {
      const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
      return nodes[topics.get(topic)!.partitions[partition]!.leader - 1]!;
    },
  };
}

interface ClusterPlace {
  readonly folder: string;
  readonly port: number;
  readonly voters: string;
  readonly count: number;
}

function configuration({ id, controllerPort }: Place, { folder, port, voters, count }: ClusterPlace): string[] {
  return [
    `process.roles=broker,controller\nnode.id=${id}`,
    `controller.quorum.voters=${voters}\ncontroller.listener.names=CONTROLLER`,
    `listeners=PLAIN://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map=PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT\ninter.broker.listener.name=PLAIN',
    `log.dirs=${join(folder, 'data')}`,
    `offsets.topic.replication.factor=${count}\noffsets.topic.num.partitions=4\nmin.insync.replicas=${count - 1}`,
    `transaction.state.log.replication.factor=${count}\ntransaction.state.log.min.isr=1\ntransaction.state.log.num.partitions=2`,
    'auto.create.topics.enable=false\ngroup.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000',
    // A node that is gone is missed soon.
    'broker.heartbeat.interval.ms=500\nbroker.session.timeout.ms=3000\nreplica.lag.time.max.ms=3000',
    'num.network.threads=2\nnum.io.threads=2\nlog.cleaner.enable=false',
  ];
}
