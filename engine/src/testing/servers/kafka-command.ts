/** How Apache Kafka is run: its jars from Maven, in a small JVM that does not compile for long. */
import { java, mavenJars } from './maven.ts';

const jars = mavenJars('org.apache.kafka:kafka_2.13:4.1.0', 'org.slf4j:slf4j-nop:1.7.36');
const jvm = java(17);
const CLUSTER_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** What `missing` is to be asked for. */
export const kafka = [jvm, jars];

export const kafkaCommand = {
  /** Makes the storage of a node. */
  async format(configuration: string, ...more: readonly string[]): Promise<string[]> {
    return [...(await javaWith('128m')), 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', configuration, ...more];
  },

  /** Runs a node with such a configuration. */
  async server(heap: string): Promise<(configuration: string) => string[]> {
    const command = await javaWith(heap);
    return (configuration) => [...command, 'kafka.Kafka', configuration];
  },
};

async function javaWith(heap: string): Promise<string[]> {
  return [await jvm.command(), `-Xmx${heap}`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', jars.classPath];
}

/** A request ApiVersions of version 0 without a client's name. */
export const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
