/**
 * How the sockets' connectors join the conformance suite, over TCP, Unix sockets and UDP: only how a row becomes a message, and back,
 * differs between them.
 */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Owner } from '../../../testing/owner.ts';
import { freePort } from '../../../testing/servers/free-port.ts';
import { TcpProxy } from '../../../testing/tcp-proxy.ts';
import { listenerConforms, sinkConforms, sourceConforms } from '../../testing/conformance/conforms.ts';
import type { Row } from '../../testing/conformance/rows.ts';
import type { ConformingListener, SettingsOptions, SinkSide, SourceSide } from '../../testing/conformance/sides.ts';
import { startDatagramStore } from './datagram-store.ts';
import {
  datagramListenerExceptions,
  datagramSinkExceptions,
  datagramSourceExceptions,
  listenerExceptions,
  localListenerExceptions,
  localSinkExceptions,
  sinkExceptions,
  sourceExceptions,
} from './exceptions.ts';
import { type MessageStoreOptions, startMessageStore } from './message-store.ts';
import { sendDatagrams } from './send-datagrams.ts';
import { sendMessages } from './send-messages.ts';

export interface ConformingSockets extends MessageStoreOptions, Pick<ConformingListener, 'begun' | 'endless'> {
  readonly type: string;
  /** A row as a source gets it, in a datagram and in a stream. */
  datagram(row: Row): Buffer;
  frame(row: Row): Buffer;
  /** What a row has become in JSON behind the source. Default: `n` and `text` as they are. */
  read?(row: Readonly<Record<string, unknown>>): Row;
}

/** What fits a datagram, when quotes and controls are escaped. */
const LONGEST_IN_DATAGRAM = 60_000;
/** So much that what is dropped would show if it were kept. */
const DATAGRAM_PRESSURE_BYTES = 400_000_000;

export function socketsConform(sockets: ConformingSockets): void {
  const { type, datagram } = sockets;
  const unix = { type, variant: 'unix' };
  const udp = { type, variant: 'udp', longestText: LONGEST_IN_DATAGRAM };

  sourceConforms({ type, open: (t) => tcpSource(t, sockets), except: sourceExceptions });
  sourceConforms({ ...unix, open: (t, folder) => unixSource(t, folder, sockets), except: sourceExceptions });
  sourceConforms({
    ...udp,
    open: (t) => udpSource(t, sockets),
    except: datagramSourceExceptions,
    lossy: true,
    pressureBytes: DATAGRAM_PRESSURE_BYTES,
  });

  const listener = listenerOf(sockets);
  listenerConforms({ ...listener, except: listenerExceptions });
  listenerConforms({ ...listener, ...unix, transport: 'unix', except: localListenerExceptions });
  listenerConforms({ ...listener, ...udp, transport: 'udp', message: datagram, except: datagramListenerExceptions });

  sinkConforms({ type, open: (t) => tcpSink(t, sockets), except: sinkExceptions });
  sinkConforms({ ...unix, open: (t, folder) => unixSink(t, folder, sockets), except: localSinkExceptions });
  sinkConforms({ ...udp, open: (t) => udpSink(t, sockets), except: datagramSinkExceptions });
}

function listenerOf({ type, frame, read, begun, endless }: ConformingSockets): ConformingListener {
  return {
    type,
    message: frame,
    ...(read && { read }),
    limits: {
      size: { max_message_bytes: 4096 },
      time: { message_timeout_secs: 0.3, handshake_timeout_secs: 0.3 },
      said: /(127\.0\.0\.1 port \d+|a local process) is closed: a message was not complete within 0\.3 s/,
    },
    begun,
    endless,
  };
}

async function tcpSource(t: TestContext, { frame, read }: ConformingSockets): Promise<SourceSide> {
  const port = await freePort();
  const over = untilOver(t);
  return {
    settings: () => ({ port }),
    write: (rows) => sendMessages(rows.map(frame), { at: { port }, over }),
    ...(read && { read }),
  };
}

function unixSource(t: TestContext, folder: string, { frame, read }: ConformingSockets): SourceSide {
  const over = untilOver(t);
  return {
    settings: () => ({ proto: 'unix', path: 'in.sock' }),
    write: (rows) => sendMessages(rows.map(frame), { at: { path: join(folder, 'in.sock') }, over }),
    ...(read && { read }),
  };
}

async function udpSource(t: TestContext, { datagram, read }: ConformingSockets): Promise<SourceSide> {
  const port = await freePort();
  const over = untilOver(t);
  return {
    settings: () => ({ proto: 'udp', port }),
    write: (rows) => sendDatagrams(rows.map(datagram), { port, over }),
    ...(read && { read }),
  };
}

async function tcpSink(t: TestContext, sockets: ConformingSockets): Promise<SinkSide> {
  const store = await startMessageStore(t, sockets);
  return {
    settings: ({ port }: SettingsOptions) => ({ port }),
    serverPort: store.port,
    server: store,
    read: async () => store.rows,
    tls: ({ port, caFile }) => ({ host: 'localhost', port, tls: { ca_file: caFile } }),
  };
}

async function unixSink(t: TestContext, folder: string, sockets: ConformingSockets): Promise<SinkSide> {
  const store = await startMessageStore(t, sockets);
  const proxy = await TcpProxy.start(t, store.port, { path: join(folder, 'out.sock') });
  return { settings: () => ({ proto: 'unix', path: 'out.sock' }), proxy, server: store, read: async () => store.rows };
}

async function udpSink(t: TestContext, { rowOf }: ConformingSockets): Promise<SinkSide> {
  const store = await startDatagramStore(t, rowOf);
  return { settings: () => ({ proto: 'udp', port: store.port }), read: async () => store.rows };
}

/** Says whether the test is over: nobody then wants what is still to be sent. */
function untilOver(owner: Owner): () => boolean {
  let over = false;
  owner.after(() => {
    over = true;
  });
  return () => over;
}
