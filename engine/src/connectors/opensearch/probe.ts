import { ReefError } from '../../errors.ts';
import type { HttpClient } from '../../net/client.ts';
import type { HttpAccess } from '../../net/client-access.ts';
import { excerpt } from '../../net/excerpt.ts';
import type { ProbeContext } from '../../spec/node.ts';
import { openAccess } from './access.ts';
import { IndexChooser } from './index-chooser.ts';
import { hostUrl, type settings } from './settings.ts';

type Context = ProbeContext<typeof settings>;

/** The first OpenSearch of which the security plug-in says what a request would be allowed, without doing it. */
const FIRST_THAT_TELLS = 3;
const MOST_ANSWER_BYTES = 65_536;

/** Each server says what it is to whoever it lets in, and whether rows may be written, where it can say that without a row. */
export async function probeServers(context: Context): Promise<readonly string[]> {
  const access = await openAccess(context);
  try {
    return await Promise.all(context.settings.http_hosts.map((host) => probe(access, hostUrl(host), context)));
  } finally {
    access.close();
  }
}

async function probe(access: HttpAccess, url: string, context: Context): Promise<string> {
  const { id, signal } = context;
  const client = access.client(url, `reach sink "${id}"`);
  const headers = [['User-Agent', 'reef']] as const;
  const { status, body } = await access.request(client, { method: 'GET', headers, mostBodyBytes: MOST_ANSWER_BYTES }, signal);
  if (status !== 200)
    throw new ReefError(
      'io',
      `Cannot reach sink "${id}": ${client.origin} answers ${status}: ${excerpt(body)}, expected that it says what it is`,
    );
  const [, version = 'of a version that it does not say'] = /"number"\s*:\s*"([^"]{1,40})"/.exec(body.toString()) ?? [];
  const name = body.includes('"opensearch"') ? 'OpenSearch' : 'Elasticsearch';
  const reached = `reaches ${client.origin}, ${name} ${version}`;
  const index = new IndexChooser(context.settings.index).fixed(Date.now());
  const tells = name === 'OpenSearch' && Number.parseInt(version, 10) >= FIRST_THAT_TELLS;
  if (!tells || index === undefined) return reached;
  const target = `${new URL(url).pathname}${encodeURIComponent(index)}/_doc?perform_permission_check=true`;
  return (await mayWrite(access, client, { index, target, context })) ? `${reached}, may write to "${index}"` : reached;
}

/** False: the server does not say, because it knows no users. Nothing is written in any case: it refuses words that it does not know. */
async function mayWrite(
  access: HttpAccess,
  client: HttpClient,
  { index, target, context }: { readonly index: string; readonly target: string; readonly context: Context },
): Promise<boolean> {
  const headers = [
    ['User-Agent', 'reef'],
    ['Content-Type', 'application/json'],
  ] as const;
  const { status, body } = await access.request(
    client,
    { method: 'POST', target, headers, body: Buffer.from('{}'), mostBodyBytes: MOST_ANSWER_BYTES },
    context.signal,
  );
  const [, allowed] = /"accessAllowed"\s*:\s*(true|false)/.exec(body.toString()) ?? [];
  if (status !== 200 || allowed === undefined) return false;
  if (allowed === 'true') return true;
  const lacking = /"missingPrivileges"\s*:\s*\[([^\]]*)\]/.exec(body.toString())?.[1] ?? '';
  throw new ReefError(
    'io',
    `Cannot write to "${index}" of sink "${context.id}": ${client.origin} says that this user lacks ${lacking || 'the right'}`,
  );
}
