import { type HttpAccess, openHttpAccess } from '../../net/client-access.ts';
import type { OpenContext } from '../../spec/node.ts';
import { authOf, responseTimeoutMs, type settings } from './settings.ts';

type Context = Pick<OpenContext<typeof settings>, 'id' | 'settings' | 'folder' | 'log'>;

export function openAccess({ id, settings: given, folder, log }: Context): Promise<HttpAccess> {
  return openHttpAccess({
    settings: { ...given, auth: authOf(given) },
    responseTimeoutMs: responseTimeoutMs(given),
    folder,
    subject: `sink "${id}"`,
    log,
  });
}
