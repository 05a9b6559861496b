import type { ProbeContext } from '../../spec/node.ts';
import { type SourceSpec, source } from '../../spec/source.ts';
import { cutterFor } from './cutter-for.ts';
import { checkFraming, type Framing, framing } from './framing.ts';
import { checkListen, listenSettings } from './listen-settings.ts';
import { ListeningSource } from './listening-source.ts';
import { probeListening } from './probe.ts';

const settings = { ...listenSettings, framing };

const spec: SourceSpec<typeof settings> = source({
  summary: 'Takes rows that others send over TCP, UDP or a Unix socket.',
  settings,
  codecs: ['json', 'line', 'raw'],
  delivery:
    'A socket has no acknowledgement: who sends cannot know what was delivered. What was read and not delivered when the process is killed is lost; a stop reads what has arrived (for up to 0.8 s) and delivers it. While sinks are slow nothing is read, so senders over TCP and Unix sockets wait; datagrams are dropped and counted.',
  security:
    'It listens on this machine only unless `host` says otherwise. Over TCP, `tls` encrypts, and its `ca_file` lets in only who has a certificate of that authority; a Unix socket has the rights of `path_mode`; UDP has nothing, and its senders can be forged. Messages, connections and times are bounded.',
  examples: [
    {
      title: 'JSON lines over TCP, from this machine',
      yaml: 'id: in\nkind: source\ntype: socket\nsettings:\n  port: 9000\nout:\n  - id: next\n',
      needs: 'a free port and somebody who sends',
    },
    {
      title: 'Messages with their length before them, over TLS; who sent them stands beside the row',
      yaml: `id: in
kind: source
type: socket
settings:
  host: 0.0.0.0
  port: 9443
  framing: {by: length, length_bytes: "4"}
  tls:
    certificate_file: server.pem
    key_file: server.key
    ca_file: clients.pem
out:
  - id: next
    columns:
      - {name: event, type: string}
      - {name: _ppf_remote_host, type: string}
`,
      needs: 'a certificate, a key and somebody who sends',
    },
    {
      title: 'Lines of text over a Unix socket',
      yaml: 'id: in\nkind: source\ntype: socket\nsettings:\n  proto: unix\n  path: in.sock\n  encoding: line\nout:\n  - id: next\n',
      needs: 'somebody who sends',
    },
  ],
  check: (given) => [...checkFraming(given.framing), ...checkListen(given)],
  probe: (context) => probeListening(newSource(context)),
  open: async (context) => {
    const opened = newSource(context);
    await opened.listen();
    return opened;
  },
});
export default spec;

function newSource({ id, folder, log, settings: given, codec }: Omit<ProbeContext<typeof settings>, 'signal'>): ListeningSource {
  const raw = codec.name === 'raw';
  // Each line by itself, whatever bytes it holds.
  const cut: Framing =
    raw && given.framing.by === 'line' ? { ...given.framing, by: 'delimiter', delimiter: '\\n' } : given.framing;
  return new ListeningSource({
    id,
    folder,
    log,
    settings: given,
    json: codec.name === 'json',
    raw,
    datagramLines: given.framing.by === 'line' && !raw,
    newCutter: () => cutterFor(cut, given.max_message_bytes),
  });
}
