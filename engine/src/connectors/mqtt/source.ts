import { openClientTls } from '../../net/client-tls.ts';
import type { ColumnDeclaration } from '../../spec/column-type.ts';
import { RAW_COLUMN } from '../../spec/plan.ts';
import { source } from '../../spec/source.ts';
import { loadPacketLibrary, requires } from './client.ts';
import { clientIdOf } from './client-id.ts';
import { MqttSource } from './mqtt-source.ts';
import { probeServer } from './probe.ts';
import { addressOf } from './settings.ts';
import { checkSettings, settings } from './source-settings.ts';
import { NamedParts, parseFilter } from './topic-filter.ts';

export default source({
  summary: 'Takes messages from an MQTT server, and acknowledges them when they are delivered.',
  settings,
  codecs: ['json', 'line', 'raw'],
  delivery:
    'At least once with `qos` 1 and 2: PUBACK or PUBREC goes out, in order of arrival, when every required sink has the row, and the session outlives Reef. With 0 what is on its way when Reef stops is gone.',
  security:
    'It connects to `url`: with `mqtts:` and `wss:` the certificate of the server is checked, with `mqtt:` and `ws:` messages and the password stand readable on the way. Whoever may publish to its topics says what its rows are.',
  examples: [
    {
      title: 'Sensors, whose topics say where they are',
      yaml: 'id: in\nkind: source\ntype: mqtt\nsettings:\n  url: mqtt://broker.example\n  topics: ["sensors/{site}/{device}/temp"]\nout:\n  - id: next\n',
      needs: 'a server',
    },
    {
      title: 'Several that share the work, with TLS and a client certificate',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: in\nkind: source\ntype: mqtt\nsettings:\n  url: mqtts://broker.example\n  client_id: "reef-${HOSTNAME}"\n  topics: ["$share/reef/events/#"]\n  tls: { ca_file: authority.pem, certificate_file: reef.pem, key_file: reef.key }\nout:\n  - id: next\n',
      needs: 'a server and certificates',
    },
  ],
  columns: ({ topics }, codec) => (codec?.name === 'raw' ? rawColumns(topics) : undefined),
  metrics: { duplicates_total: 'Messages that the server said it may have sent before.' },
  check: checkSettings,
  requires,
  probe: (context) => probeServer({ ...context, kind: 'source', filters: context.settings.topics.map(parseFilter) }),
  async open(context) {
    const { settings: given, folder, id, log } = context;
    const { secure } = addressOf(given.url);
    return new MqttSource({
      context,
      clientId: clientIdOf(context),
      library: await loadPacketLibrary(),
      tls: secure ? await openClientTls(given.tls, folder, `source "${id}"`, log) : undefined,
    });
  },
});

/** The payload, and what filters name of a topic. */
function rawColumns(topics: readonly string[]): ColumnDeclaration[] {
  const { columns } = new NamedParts(topics.map(parseFilter));
  return [{ name: RAW_COLUMN, type: 'bytes' }, ...columns.map((name): ColumnDeclaration => ({ name, type: 'string' }))];
}
