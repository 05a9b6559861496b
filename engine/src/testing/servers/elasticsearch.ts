/** Elasticsearch 7.10, the last of which a runner is published. */
import type { Owner } from '../owner.ts';
import { java, mavenJars } from './maven.ts';
import { type SearchServer, startSearchServer } from './search-server.ts';

/** It calls what newer ones have no more. */
const NEWEST_JAVA = 17;

const jvm = java(11, NEWEST_JAVA);
const jars = mavenJars('org.codelibs:elasticsearch-cluster-runner:7.10.2.0');

/** For `missing(...)`. */
export const elasticsearch = [jvm, jars] as const;

/** `more`: lines of its configuration. */
export async function startElasticsearch(owner: Owner, more: readonly string[] = []): Promise<SearchServer> {
  return startSearchServer(owner, {
    name: 'elasticsearch',
    main: 'org.codelibs.elasticsearch.runner.ElasticsearchClusterRunner',
    java: await jvm.command(),
    classPath: jars.classPath,
    // Others on this machine, an OpenSearch too, are not looked for.
    more: ['discovery.type: single-node', ...more],
  });
}
