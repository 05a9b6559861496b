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
  silent: 'It asks for no answers; who begins a message and does not end it is closed, as the tests of `socket` show.',
  drain: unconfirmed,
  password: 'The protocol has no passwords; certificates of senders stand in the tests of `socket`.',
  certificates: 'It shows its own certificate; which ones of senders it takes stands in the tests of `socket`.',
};

export const sinkExceptions: Exceptions = {
  acks: 'The other side confirms nothing: rows count as delivered when the system has taken them.',
  silent: 'It waits for no answer; while the other side reads nothing, rows wait.',
  password: 'The protocol has no passwords.',
};
