/** What cannot be asked of the sockets' connectors in the conformance suite, and why: the sentences stand in the docs. */
import type { Exceptions } from '../../testing/conformance/checks.ts';

const listens = 'It listens: there is no server that it would connect to.';
const unconfirmed = 'Senders hear nothing, and so send nothing again: what was read and not delivered is lost with the process.';

export const sourceExceptions: Exceptions = {
  acks: 'The protocol has no acknowledgement.',
  outage: unconfirmed,
  kill: unconfirmed,
  restart: listens,
  cut: 'It is the senders who connect again; what was read before a cut is delivered, as the tests of `socket` show.',
  absent: listens,
  silent: 'It asks for no answers; who begins a message and does not end it is closed: `time` below.',
  drain: unconfirmed,
  password: 'The protocol has no passwords; certificates of senders stand below.',
  certificates: 'It shows its own certificate; which ones of senders it takes stands below.',
};

export const sinkExceptions: Exceptions = {
  acks: 'The other side confirms nothing: rows count as delivered when the system has taken them.',
  silent: 'It waits for no answer; while the other side reads nothing, rows wait.',
  password: 'The protocol has no passwords.',
};

const datagrams = 'Datagrams have no connection, and nobody hears whether they arrive.';
const unsent =
  'Datagrams that come while nobody reads are lost; those that were dropped are counted, as the tests of `socket` show.';

export const datagramSourceExceptions: Exceptions = {
  ...sourceExceptions,
  stop: unsent,
  cut: datagrams,
  silent: datagrams,
  password: 'Senders of datagrams cannot be told from one another.',
  certificates: 'Datagrams are not encrypted.',
};

const sent = 'Datagrams are sent once, and nobody hears whether they arrive: while the other side is away they are lost.';

export const datagramSinkExceptions: Exceptions = {
  ...sinkExceptions,
  outage: sent,
  kill: sent,
  stop: sent,
  restart: sent,
  cut: datagrams,
  pressure: 'The system takes every datagram, and drops what the other side does not read.',
  absent: sent,
  silent: datagrams,
  drain: 'The system takes every datagram at once.',
  certificates: 'Datagrams are not encrypted.',
};

const local = 'A Unix socket is of this machine: the rights of its file say who may connect.';

export const localSinkExceptions: Exceptions = { ...sinkExceptions, certificates: local };

const onlyTcp = 'TLS is for TCP.';

export const listenerExceptions = { password: 'The protocol has no passwords.' } as const;

export const localListenerExceptions = {
  loopback: local,
  clients: onlyTcp,
  version: onlyTcp,
  plain: onlyTcp,
  password: local,
} as const;

export const datagramListenerExceptions = {
  clients: 'Datagrams are not encrypted, and their senders can be forged.',
  version: 'Datagrams are not encrypted.',
  plain: 'Datagrams are not encrypted.',
  password: 'The protocol has no passwords.',
  connections: datagrams,
  size: 'A datagram has at most 64 KiB.',
  time: datagrams,
} as const;
