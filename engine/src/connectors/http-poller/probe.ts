import { ReefError } from '../../errors.ts';
import { openHttpAccess } from '../../net/client-access.ts';
import { excerpt } from '../../net/excerpt.ts';
import type { ProbeContext } from '../../spec/node.ts';
import { Pages } from './pages.ts';
import { nameOf, type settings } from './settings.ts';

/** What is polled with GET is asked for once, its first page; a POST may do something, so OPTIONS stands for it. */
export async function probeRequests(context: ProbeContext<typeof settings>): Promise<readonly string[]> {
  const { id, settings: given, folder, log, signal } = context;
  const responseTimeoutMs = given.response_timeout_secs * 1000;
  const access = await openHttpAccess({ settings: given, responseTimeoutMs, folder, subject: `source "${id}"`, log });
  try {
    const said: string[] = [];
    for (const request of given.requests) {
      const name = nameOf(request);
      const client = access.client(request.url, `poll "${name}" for source "${id}"`);
      const { target } = new Pages(request.url, request.page).first(undefined);
      const method = request.method === 'GET' ? 'GET' : 'OPTIONS';
      const headers = Object.entries({ 'User-Agent': 'reef', ...request.headers });
      const { status, body } = await access.request(client, { method, target, headers, mostBodyBytes: 4096 }, signal);
      const refused = method === 'GET' ? status < 200 || status > 299 : status === 401 || status === 403;
      if (refused)
        throw new ReefError(
          'io',
          `Cannot poll "${name}" for source "${id}": ${client.origin} answers ${status}: ${excerpt(body)}`,
        );
      said.push(`reaches "${name}", which answers ${status} to ${method}`);
    }
    return said;
  } finally {
    access.close();
  }
}
