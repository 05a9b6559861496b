/** Apache Kafka, one node that is broker and controller: listeners plain, with SASL, TLS, mutual TLS, and several of these. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { type Certificate, makeCertificate } from '../certificates.ts';
import type { Owner } from '../owner.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import { firstAnswer } from './answers.ts';
import { API_VERSIONS, kafkaCommand } from './kafka-command.ts';
import { runProgram } from './run-program.ts';
import { type Server, startServer } from './server.ts';

export const KAFKA_USER = { name: 'reef', password: 'right' };

export interface KafkaOptions {
  /** True: the listener `proxied` is reached through a proxy alone, which clients are told of as the broker's address. */
  readonly proxied?: boolean;
  /** Lines for the end of its configuration. */
  readonly more?: readonly string[];
}

export interface Kafka extends Server<Listener> {
  /** `host:port` of a listener, for clients. */
  address(listener: Exclude<Listener, 'proxied' | 'controller'>): string;
  /** Before `proxied`, where it was asked for. */
  readonly proxy: TcpProxy | undefined;
  /** PEM: who signed its certificate; it trusts the same one for clients. */
  readonly authority: Certificate & { readonly name: string };
  createTopic(name: string, partitions?: number, config?: Readonly<Record<string, string>>): Promise<void>;
}

type Listener = (typeof LISTENERS)[number] | 'controller';
const LISTENERS = ['proxied', 'plain', 'sasl', 'tls', 'mutual', 'saslTls', 'saslMutual'] as const;
const PROTOCOLS =
  'PROXIED:PLAINTEXT,PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MUTUAL:SSL,SASLTLS:SASL_SSL,SASLMUTUAL:SASL_SSL,CONTROLLER:PLAINTEXT';
const MODULE = 'org.apache.kafka.common.security';

export async function startKafka(owner: Owner, { more = [], proxied = false }: KafkaOptions = {}): Promise<Kafka> {
  const authority = makeCertificate({ name: 'Reef test authority', authority: true });
  const own = makeCertificate({ name: 'kafka', issuer: authority });
  const run = await kafkaCommand.server('400m');
  let proxy: TcpProxy | undefined;
  const server = await startServer<Listener>(owner, {
    name: 'kafka',
    ports: [...LISTENERS, 'controller'],
    async prepare({ folder, ports }) {
      if (proxied) proxy = await TcpProxy.start(owner, ports.proxied);
      writeFileSync(join(folder, 'own.pem'), own.key + own.certificate + authority.certificate);
      writeFileSync(join(folder, 'authority.pem'), authority.certificate);
      const file = join(folder, 'server.properties');
      writeFileSync(file, `${[...configuration(folder, ports, proxy?.port ?? ports.proxied), ...more].join('\n')}\n`);
      const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${KAFKA_USER.name},password=${KAFKA_USER.password}]`,
      ]);
      await runProgram(await kafkaCommand.format(file, '--standalone', ...scram));
    },
    command: ({ folder }) => run(join(folder, 'server.properties')),
    ready: async ({ ports }) => (await firstAnswer(ports.plain, API_VERSIONS)).length > 8,
  });
  const address: Kafka['address'] = (listener) => `127.0.0.1:${server.ports[listener]}`;
  return Object.assign(server, {
    address,
    authority,
    proxy,
    async createTopic(name: string, partitions = 1, config: Readonly<Record<string, string>> = {}) {
      const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [address('plain')] });
      const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
      try {
        await admin.createTopics({ topics: [name], partitions, replicas: 1, configs });
      } finally {
        await admin.close();
      }
    },
  });
}

function configuration(folder: string, ports: Readonly<Record<Listener, number>>, proxyPort: number): string[] {
  const told = { ...ports, proxied: proxyPort };
  const advertised = LISTENERS.map((name) => `${name.toUpperCase()}://127.0.0.1:${told[name]}`).join(',');
  const listeners = LISTENERS.map((name) => `${name.toUpperCase()}://127.0.0.1:${ports[name]}`).join(',');
  const sasl = ['sasl', 'sasltls', 'saslmutual'].flatMap((name) => saslLines(`listener.name.${name}`));
  const tls = ['tls', 'mutual', 'sasltls', 'saslmutual'].flatMap((name) => [
    `listener.name.${name}.ssl.keystore.type=PEM`,
    `listener.name.${name}.ssl.keystore.location=${join(folder, 'own.pem')}`,
    `listener.name.${name}.ssl.truststore.type=PEM`,
    `listener.name.${name}.ssl.truststore.location=${join(folder, 'authority.pem')}`,
  ]);
  return [
    'process.roles=broker,controller\nnode.id=1',
    `controller.quorum.bootstrap.servers=127.0.0.1:${ports.controller}\ncontroller.listener.names=CONTROLLER`,
    `listeners=${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    `advertised.listeners=${advertised}`,
    `listener.security.protocol.map=${PROTOCOLS}\ninter.broker.listener.name=PLAIN`,
    `log.dirs=${join(folder, 'data')}`,
    'offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\ntransaction.state.log.num.partitions=2',
    'auto.create.topics.enable=false\ngroup.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000',
    'num.network.threads=2\nnum.io.threads=2\nlog.cleaner.enable=false',
    ...sasl,
    ...tls,
    'listener.name.mutual.ssl.client.auth=required\nlistener.name.saslmutual.ssl.client.auth=required',
  ];
}

function saslLines(listener: string): string[] {
  const { name, password } = KAFKA_USER;
  return [
    `${listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER`,
    `${listener}.plain.sasl.jaas.config=${MODULE}.plain.PlainLoginModule required user_${name}="${password}";`,
    ...['256', '512'].map((bits) => `${listener}.scram-sha-${bits}.sasl.jaas.config=${MODULE}.scram.ScramLoginModule required;`),
    `${listener}.oauthbearer.sasl.jaas.config=${MODULE}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${name}";`,
    `${listener}.oauthbearer.sasl.server.callback.handler.class=${MODULE}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`,
  ];
}
