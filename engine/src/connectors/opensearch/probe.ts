import { ReefError } from '../../errors.ts';
import type { HttpAccess } from '../../net/client-access.ts';
import { excerpt } from '../../net/excerpt.ts';
import type { ProbeContext } from '../../spec/node.ts';
import { openAccess } from './access.ts';
import { hostUrl, type settings } from './settings.ts';

type Context = ProbeContext<typeof settings>;

/** Each server says what it is to whoever it lets in. Rights to write are shown by nothing less than writing. */
export async function probeServers(context: Context): Promise<readonly string[]> {
  const { id, settings: given, signal } = context;
  const access = await openAccess(context);
  try {
    return await Promise.all(given.http_hosts.map((host) => probe(access, hostUrl(host), { id, signal })));
  } finally {
    access.close();
  }
}

async function probe(access: HttpAccess, url: string, { id, signal }: Pick<Context, 'id' | 'signal'>): Promise<string> {
  const client = access.client(url, `reach sink "${id}"`);
  const headers = [['User-Agent', 'reef']] as const;
  const { status, body } = await access.request(client, { method: 'GET', headers, mostBodyBytes: 65_536 }, signal);
  if (status !== 200)
    throw new ReefError(
      'io',
      `Cannot reach sink "${id}": ${client.origin} answers ${status}: ${excerpt(body)}, expected that it says what it is`,
    );
  const [, version = 'of a version that it does not say'] = /"number"\s*:\s*"([^"]{1,40})"/.exec(body.toString()) ?? [];
  const name = body.includes('"opensearch"') ? 'OpenSearch' : 'Elasticsearch';
  return `reaches ${client.origin}, ${name} ${version}`;
}
