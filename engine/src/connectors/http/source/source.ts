import { source } from '../../../spec/source.ts';
import { HttpSource } from './http-source.ts';
import { checkSettings, settings, tablesOf } from './settings.ts';

export default source({
  summary: 'Takes rows that are posted to it by HTTP, and answers when they are delivered.',
  settings,
  codecs: ['json', 'line', 'csv', 'raw'],
  documents: true,
  delivery:
    'At least once for whoever repeats a request until it is answered with 200: that is sent when every required sink has its rows. Nothing is replayed after a kill.',
  security:
    'It listens on this machine only unless `host` says otherwise. Senders are not asked who they are unless `auth` or client certificates (`tls`) say so; without TLS all is readable on the way. Bodies, headers, connections and times are bounded.',
  examples: [
    {
      title: 'On this machine only',
      yaml: 'id: in\nkind: source\ntype: http\nsettings:\n  port: 8090\nout:\n  - id: next\n',
      needs: 'a free port and somebody who sends',
    },
    {
      title: 'For others, with TLS and an API key, two tables',
      yaml: `id: in
kind: source
type: http
settings:
  host: 0.0.0.0
  port: 8443
  paths:
    /logs: logs
    /events: events
  tls:
    certificate_file: server.pem
    key_file: server.key
  auth:
    type: api_key
    keys: ["\${REEF_API_KEY}"]
out:
  - id: next
    table: logs
  - id: other
    table: events
`,
      needs: 'a certificate, a key and somebody who sends',
    },
  ],
  metrics: {
    requests_accepted_total: 'Requests that were answered with 200: their rows are delivered, or in an error table.',
    requests_refused_total: 'Requests that got another answer.',
  },
  check: checkSettings,
  tables: tablesOf,
  /** Takes the port for a moment: that it is free, and may be had. */
  async probe(context) {
    const probed = new HttpSource({ ...context, declared: undefined, referenced: new Set(), hindered() {} });
    await probed.listen();
    try {
      return [`may listen on port ${probed.port}`];
    } finally {
      await probed.close();
    }
  },
  open: async (context) => {
    const opened = new HttpSource(context);
    await opened.listen();
    return opened;
  },
});
