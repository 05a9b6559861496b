/** For `reef check --connect`: who answers, and which of the topics are there. */
import { ReefError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';

export interface ProbeOptions {
  readonly topics: readonly string[];
  /** A topic may come later. */
  readonly mayLack: boolean;
  readonly brokers: string;
}

export async function probeCluster(cluster: Cluster, { topics, mayLack, brokers }: ProbeOptions): Promise<readonly string[]> {
  const client = cluster.client({ retries: 0, requestTimeout: 10_000 });
  try {
    const { brokers: found } = await client.metadata({ topics: [] });
    const said = [`reaches ${brokers}, a cluster of ${found.size} brokers`];
    for (const topic of topics) {
      const partitions = await partitionsOf(client, topic);
      if (partitions > 0) said.push(`finds topic "${topic}" with ${partitions} partitions`);
      else if (mayLack) said.push(`finds no topic "${topic}" yet`);
      else throw new ReefError('io', `Cannot use ${cluster.subject}: there is no topic "${topic}", expected it to be made`);
    }
    return said;
  } catch (error) {
    throw cluster.failure('reach', error);
  } finally {
    await client.close();
    cluster.close();
  }
}

async function partitionsOf(client: ReturnType<Cluster['client']>, topic: string): Promise<number> {
  try {
    return (await client.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.partitions.length ?? 0;
  } catch (error) {
    if (/^Unknown topic/.test((error as Error).message)) return 0;
    throw error;
  }
}
