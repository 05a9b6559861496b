/** mosquitto, an MQTT broker: plain and WebSocket listeners, both also with TLS, with a user where asked for. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../owner.ts';
import { firstAnswer } from './answers.ts';
import { program } from './needs.ts';
import { runProgram } from './run-program.ts';
import { type Server, startServer } from './server.ts';

export const mosquitto = program('mosquitto', 'mosquitto');

export interface MosquittoOptions {
  /** Only this user may connect. Default: anybody. */
  readonly user?: { readonly name: string; readonly password: string };
  /** PEM; with it the ports `tls` and `wss` serve. `clientAuthority`: clients must show a certificate signed by it. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  /** Lines for the end of its configuration. */
  readonly more?: readonly string[];
}

export type Mosquitto = Server<'mqtt' | 'websocket' | 'tls' | 'wss'>;

/** Sessions and what is queued for them survive a restart. */
export function startMosquitto(owner: Owner, { user, tls, more = [] }: MosquittoOptions = {}): Promise<Mosquitto> {
  return startServer(owner, {
    name: 'mosquitto',
    ports: ['mqtt', 'websocket', 'tls', 'wss'],
    async prepare({ folder, ports }) {
      const lines = [
        'per_listener_settings false',
        `allow_anonymous ${user === undefined}`,
        `persistence true\npersistence_location ${folder}/\nautosave_interval 1`,
        'max_queued_messages 0\nmax_inflight_messages 0',
        `listener ${ports.mqtt} 127.0.0.1`,
        `listener ${ports.websocket} 127.0.0.1\nprotocol websockets`,
        // It would give its rights away, and with them its folder.
        'user root',
      ];
      if (user) {
        const file = join(folder, 'passwords');
        await runProgram(['mosquitto_passwd', '-c', '-b', file, user.name, user.password]);
        lines.push(`password_file ${file}`);
      }
      if (tls) {
        const write = (name: string, text: string): string => {
          writeFileSync(join(folder, name), text);
          return join(folder, name);
        };
        const files = [`certfile ${write('server.pem', tls.certificate)}`, `keyfile ${write('server.key', tls.key)}`];
        if (tls.clientAuthority) files.push(`cafile ${write('clients.pem', tls.clientAuthority)}`, 'require_certificate true');
        lines.push(`listener ${ports.tls} 127.0.0.1`, ...files);
        lines.push(`listener ${ports.wss} 127.0.0.1\nprotocol websockets`, ...files);
      }
      writeFileSync(join(folder, 'mosquitto.conf'), `${[...lines, ...more].join('\n')}\n`);
    },
    command: ({ folder }) => ['mosquitto', '-c', join(folder, 'mosquitto.conf')],
    // A connection, answered with CONNACK whatever its return code.
    ready: async ({ ports }) => (await firstAnswer(ports.mqtt, CONNECT))[0] === 0x20,
  });
}

/** CONNECT of MQTT 3.1.1: clean session, client id "ready". */
const CONNECT = Buffer.from([0x10, 17, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 30, 0, 5, 0x72, 0x65, 0x61, 0x64, 0x79]);
