import { openClientTls } from '../../net/client-tls.ts';
import { bulkLimits } from '../../spec/bulk-settings.ts';
import { bulkSink } from '../../spec/sink.ts';
import { loadPacketLibrary, requires } from './client.ts';
import { clientIdOf } from './client-id.ts';
import { MqttSink } from './mqtt-sink.ts';
import { probeServer } from './probe.ts';
import { addressOf } from './settings.ts';
import { checkSettings, settings } from './sink-settings.ts';
import { templateColumns } from './topic-template.ts';

export default bulkSink({
  summary: 'Sends each row as a message to an MQTT server.',
  settings,
  check: checkSettings,
  requires,
  probe: (context) => probeServer({ ...context, kind: 'sink', filters: [] }),
  codecs: ['json', 'line', 'raw'],
  delivery:
    'At least once with `qos` 1 and 2: rows count as delivered when the server has acknowledged them, and in order; while it is away they wait, and what is before the sink waits with them. With 0 a row that is lost on the way is lost.',
  security:
    'It connects to `url`: with `mqtts:` and `wss:` the certificate of the server is checked, with `mqtt:` and `ws:` rows and the password stand readable on the way. What a row adds to its topic is judged: it stays below what the setting says.',
  examples: [
    {
      title: 'A topic for each device',
      yaml: 'id: out\nkind: sink\ntype: mqtt\nsettings:\n  url: mqtt://broker.example\n  topic: devices/{id}/out\n',
      needs: 'a server',
    },
    {
      title: 'The last state of each device is kept, with TLS and a password',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: out\nkind: sink\ntype: mqtt\nsettings:\n  url: mqtts://broker.example\n  topic: state/{id}\n  retain: true\n  content_type: application/json\n  user_properties: [site]\n  auth: { username: reef, password: "${MQTT_PASSWORD}" }\n',
      needs: 'a server',
    },
  ],
  sideColumns: ({ topic, user_properties }) => [...templateColumns(topic), ...user_properties],
  async open(context) {
    const { settings: given, folder, id, log } = context;
    const { secure } = addressOf(given.url);
    return new MqttSink({
      context,
      clientId: clientIdOf(context),
      limits: bulkLimits(given),
      library: await loadPacketLibrary(),
      tls: secure ? await openClientTls(given.tls, folder, `sink "${id}"`, log) : undefined,
    });
  },
});
