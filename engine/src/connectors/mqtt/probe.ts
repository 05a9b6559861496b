/** For `reef check --connect`: whether the server takes the connection, and the subscriptions, under a name that is used for nothing else. */
import { ReefError } from '../../errors.ts';
import { openClientTls } from '../../net/client-tls.ts';
import type { Log } from '../../spec/node.ts';
import { loadPacketLibrary, type Packet } from './client.ts';
import { Connection } from './connection.ts';
import { reasonText } from './reason-codes.ts';
import { addressOf, type ConnectionSettings } from './settings.ts';
import type { TopicFilter } from './topic-filter.ts';

export interface ProbeOptions {
  readonly kind: 'source' | 'sink';
  readonly id: string;
  readonly settings: ConnectionSettings;
  readonly folder: string;
  readonly log: Pick<Log, 'warn'>;
  /** Aborts when the answer has taken too long. */
  readonly signal: AbortSignal;
  /** Shared ones are not asked for: messages might come that others are waiting for. */
  readonly filters: readonly TopicFilter[];
}

const MOST_PACKET_BYTES = 16 * 1024 * 1024;
const NO_RETAINED = 2;

export async function probeServer({
  kind,
  id,
  settings,
  folder,
  log,
  signal,
  filters,
}: ProbeOptions): Promise<readonly string[]> {
  const subject = `${kind} "${id}"`;
  const library = await loadPacketLibrary();
  const protocolVersion = settings.protocol_version;
  const answered = Promise.withResolvers<readonly number[]>();
  // Nobody waits for it where there is nothing to ask for.
  answered.promise.catch(() => {});
  try {
    const tls = addressOf(settings.url).secure ? await openClientTls(settings.tls, folder, subject, log) : undefined;
    const connection = await Connection.open(
      {
        settings: { ...settings, will: undefined },
        clientId: `${settings.client_id ?? 'reef'}-check-${process.pid}`,
        library,
        tls,
        cleanStart: true,
        sessionExpirySecs: 0,
        maxPacketBytes: MOST_PACKET_BYTES,
      },
      {
        connected: () => {},
        packet: (packet) => {
          if (packet.cmd === 'suback') answered.resolve(packet.granted as number[]);
        },
        closed: (error) => answered.reject(error ?? new ReefError('io', 'the connection is closed')),
      },
      signal,
    );
    const said = [`reaches ${settings.url}`];
    const asked = filters.filter(({ shared }) => !shared);
    const timer = setTimeout(
      () => connection.fail(new ReefError('io', 'it does not answer SUBSCRIBE')),
      settings.connect_timeout_secs * 1000,
    );
    try {
      if (asked.length > 0) {
        connection.write(library.generate(subscription(asked, protocolVersion), { protocolVersion }));
        const granted = await answered.promise;
        const at = granted.findIndex((code) => code >= 128);
        if (at >= 0)
          throw new ReefError('io', `it refuses the subscription to "${asked[at]!.filter}" (${reasonText(granted[at]!)})`);
        said.push(`may subscribe to ${asked.map(({ filter }) => `"${filter}"`).join(', ')}`);
      }
    } finally {
      clearTimeout(timer);
      await connection.close(library.generate({ cmd: 'disconnect' }, { protocolVersion }));
    }
    return said;
  } catch (error) {
    throw new ReefError('io', `Cannot reach ${settings.url} (${subject}): ${(error as Error).message}`, { cause: error });
  }
}

function subscription(filters: readonly TopicFilter[], protocolVersion: number): Packet {
  const five = protocolVersion === 5 ? { nl: false, rap: false, rh: NO_RETAINED } : {};
  return { cmd: 'subscribe', messageId: 1, subscriptions: filters.map(({ filter }) => ({ topic: filter, qos: 0, ...five })) };
}
