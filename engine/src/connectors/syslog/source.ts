/**
 * Syslog, from whoever sends it. Here it is only cut into messages; workers read them, by the function `parse`, which the engine puts
 * between this source and where its rows go.
 */
import { choice, text } from '../../spec/fields.ts';
import type { OpenContext } from '../../spec/node.ts';
import { RESERVED_PREFIX } from '../../spec/reserved-columns.ts';
import { type SourceSpec, source } from '../../spec/source.ts';
import { syslogColumns } from '../../spec/syslog-columns.ts';
import { checkListen, listenSettings } from '../socket/listen-settings.ts';
import { ListeningSource } from '../socket/listening-source.ts';
import { probeListening } from '../socket/probe.ts';
import { syslogCutter } from '../socket/syslog-cutter.ts';

const TEXT_COLUMN = 'message';

const settings = {
  ...listenSettings,
  delimiter: choice(
    ['auto', 'eol'],
    'How messages are told apart over `tcp` and `unix`: `auto` takes both framings of RFC 6587, octet counting and lines, told by how a connection begins; `eol` only lines.',
    { default: 'auto' },
  ),
  standard: choice(
    ['auto', 'rfc5424', 'rfc3164'],
    'Which header to expect; `auto` tells by the version behind the priority. `rfc3164` stands for all that is sent as such.',
    { default: 'auto' },
  ),
  timezone: text(
    'Zone of times that do not say one (RFC 3164): `UTC`, an offset such as `+02:00`, or a name such as `Europe/Paris`. Where they say no year either, it is the last one that does not put them more than a month ahead.',
    { default: 'UTC', pattern: /^(?:UTC|[+-]\d\d:\d\d|[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)*)$/ },
  ),
  raw_column: text(
    'A column for the message as it came. Without it there is none, unless `out` declares a column that is none of those of messages: that gets it, as in Punch.',
    { optional: true },
  ),
  on_error: choice(
    ['keep', 'reject'],
    'What becomes of a message whose header cannot be read. `keep`: a row with its text as `message`, and with its priority where it has one; `reject`: it goes to the error table.',
    { default: 'keep' },
  ),
};

const spec: SourceSpec<typeof settings> = source({
  summary: 'Takes syslog over TCP, TLS, UDP or a Unix socket: RFC 5424 and what is sent as RFC 3164, as columns.',
  settings,
  codecs: ['line'],
  delivery:
    'Syslog has no acknowledgement: who sends cannot know what was delivered. What was read and not delivered when the process is killed is lost; a stop reads what has arrived (for up to 0.8 s) and delivers it. While sinks are slow nothing is read, so senders over TCP wait; datagrams are dropped and counted.',
  security:
    'It listens on this machine only unless `host` says otherwise. Over TCP, `tls` encrypts (RFC 5425), and its `ca_file` lets in only who has a certificate of that authority; UDP has nothing, and its senders can be forged. What a message says of its host is what its sender claims: `_ppf_remote_host` is who sent it. Messages, connections and times are bounded.',
  examples: [
    {
      title: 'Over TCP, as Punch writes it',
      yaml: 'id: in\nkind: source\ntype: syslog\nsettings:\n  proto: tcp\n  host: 127.0.0.1\n  port: 1514\n  delimiter: eol\nout:\n  - id: next\n',
      needs: 'a free port and somebody who sends',
    },
    {
      title: 'Routers over UDP, whose clocks show local time',
      yaml: `id: in
kind: source
type: syslog
settings:
  proto: udp
  host: 0.0.0.0
  port: 514
  timezone: Europe/Paris
  receive_buffer_bytes: 4194304
out:
  - id: next
    columns:
      - {name: timestamp, type: string}
      - {name: hostname, type: string}
      - {name: severity, type: string}
      - {name: message, type: string}
      - {name: _ppf_remote_host, type: string}
`,
      needs: 'the right to listen there and somebody who sends',
    },
    {
      title: 'Over TLS, from machines with a certificate',
      yaml: `id: in
kind: source
type: syslog
settings:
  host: 0.0.0.0
  port: 6514
  tls:
    certificate_file: server.pem
    key_file: server.key
    ca_file: clients.pem
out:
  - id: next
`,
      needs: 'a certificate, a key and somebody who sends',
    },
  ],
  check: (given) => [
    ...checkListen(given),
    ...(given.delimiter === 'eol' && given.proto === 'udp'
      ? [{ path: ['delimiter'], message: 'is for proto tcp and unix: each datagram is a message', severity: 'warning' as const }]
      : []),
    ...(isZone(given.timezone)
      ? []
      : [
          {
            path: ['timezone'],
            message: `is "${given.timezone}", expected UTC, an offset such as +02:00, or the name of a zone such as Europe/Paris`,
          },
        ]),
  ],
  front({ raw_column, standard, timezone, on_error }, declared) {
    const known = (column: string): boolean => syslogColumns.some(({ name }) => name === column);
    const wanted = declared?.map(({ name }) => name).filter(known) ?? syslogColumns.map(({ name }) => name);
    const raw = raw_column ?? declared?.find(({ name }) => !known(name) && !name.startsWith(RESERVED_PREFIX))?.name;
    const column = raw ?? TEXT_COLUMN;
    if (wanted.length === 0 && raw !== undefined) return undefined;
    return {
      type: 'parse',
      lineColumn: column,
      settings: {
        column,
        format: 'syslog',
        // Without any it would make all of them.
        columns: (wanted.length > 0 ? wanted : [TEXT_COLUMN]).map((name) => ({ name })),
        remove_column: raw === undefined,
        on_error: 'reject',
        syslog: { standard, lenient: on_error === 'keep', timezone },
      },
    };
  },
  probe: (context) => probeListening(newSource(context)),
  open: async (context) => {
    const opened = newSource(context);
    await opened.listen();
    return opened;
  },
});
export default spec;

function newSource({ id, folder, log, settings: given }: OpenContext<typeof settings>): ListeningSource {
  const eol = given.delimiter === 'eol';
  return new ListeningSource({
    id,
    folder,
    log,
    settings: given,
    json: false,
    datagramLines: false,
    newCutter: () => syslogCutter(given.max_message_bytes, { counts: !eol }),
  });
}

function isZone(name: string): boolean {
  if (/^[+-]/.test(name)) return true;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
