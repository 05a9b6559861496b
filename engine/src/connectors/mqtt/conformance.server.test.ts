import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { type Mosquitto, mosquitto, startMosquitto } from '../../testing/servers/mosquitto.ts';
import { missing } from '../../testing/servers/needs.ts';
import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions } from '../testing/conformance/sides.ts';
import { TestClient } from './testing/test-client.ts';

const skip = await missing(mosquitto);
const user = { name: 'reef', password: 'right' };
process.env.REEF_TEST_MQTT_PASSWORD = user.password;
process.env.REEF_TEST_MQTT_WRONG = 'wrong';

const cleanUps: (() => unknown)[] = [];
const owner = { after: (cleanUp: () => unknown) => void cleanUps.push(cleanUp) };
let server: Mosquitto;
before(async () => {
  if (skip === false) server = await startMosquitto(owner, { user });
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of the punchline.
const right = { username: user.name, password: '${REEF_TEST_MQTT_PASSWORD}' };
const wrong = { username: user.name, password: '${REEF_TEST_MQTT_WRONG}' };
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above.

function common({ port, impatient }: SettingsOptions) {
  const times = impatient ? { connect_timeout_secs: 1, keep_alive_secs: 2 } : {};
  return { url: `mqtt://127.0.0.1:${port}`, auth: right, ...times };
}

sourceConforms(
  {
    type: 'mqtt',
    async open(t) {
      const id = randomUUID();
      const topic = `in/${id}`;
      // The session must be there before anything is published.
      const session = await TestClient.connect(t, server.ports.mqtt, { clientId: id, clean: false, user });
      await session.subscribe(topic);
      session.end();
      const settings = (options: SettingsOptions) => ({ ...common(options), topics: [topic], client_id: id });
      return {
        settings,
        serverPort: server.ports.mqtt,
        server,
        async write(rows) {
          const client = await TestClient.connect(t, server.ports.mqtt, { user });
          await Promise.all(rows.map((row) => client.publish(topic, JSON.stringify(row))));
          client.end();
        },
        wrongPassword: (options) => ({ ...settings(options), auth: wrong }),
        tls: ({ caFile, ...options }) => ({
          ...settings(options),
          url: `mqtts://localhost:${options.port}`,
          tls: { ca_file: caFile },
        }),
      };
    },
    except: { acks: 'mosquitto does not say what is acknowledged: the tests of the connector look at the packets.' },
  },
  { skip },
);

sinkConforms(
  {
    type: 'mqtt',
    async open(t) {
      const id = randomUUID();
      const topic = `out/${id}`;
      const rows: Row[] = [];
      const subscriber = { clientId: `reader-${id}`, clean: false, user };
      let reader = await TestClient.connect(t, server.ports.mqtt, subscriber);
      await reader.subscribe(topic);
      let read = 0;
      const settings = (options: SettingsOptions) => ({
        ...common(options),
        topic,
        client_id: id,
        ...(options.impatient ? { response_timeout_secs: 1 } : {}),
        retry: { initial_ms: 20, max_ms: 500 },
      });
      const collect = (): void => {
        for (; read < reader.messages.length; read++) rows.push(JSON.parse(reader.messages[read]!.payload.toString()) as Row);
      };
      return {
        settings,
        serverPort: server.ports.mqtt,
        server: {
          log: server.log,
          async restart() {
            collect();
            await server.restart();
            collect();
            reader = await TestClient.connect(t, server.ports.mqtt, subscriber);
            read = 0;
          },
        },
        read: async () => {
          collect();
          return rows;
        },
        wrongPassword: (options) => ({ ...settings(options), auth: wrong }),
        tls: ({ caFile, ...options }) => ({
          ...settings(options),
          url: `mqtts://localhost:${options.port}`,
          tls: { ca_file: caFile },
        }),
      };
    },
  },
  { skip },
);
