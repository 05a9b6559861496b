/**
 * MQTT → moment → MQTT at QoS 1 both ways, over a real mosquitto: rows per CPU-second of the Reef process. The publisher and the
 * subscriber are small clients of their own. Beside it the client library alone.
 *
 *   node bench/mqtt.ts [--rows 100000]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generate, type Packet, parser } from 'mqtt-packet';
import { startMosquitto } from '../engine/src/testing/servers/mosquitto.ts';
import { chunks } from './rows.ts';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '100000' } } });
const rows = Number(values.rows);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TICKS_PER_SECOND = 100;
/** The publisher has so many unacknowledged. */
const WINDOW = 2000;

const folder = mkdtempSync(join(tmpdir(), 'reef-mqtt-'));
const cleanUps: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
try {
  const server = await startMosquitto({ after: (cleanUp) => cleanUps.push(cleanUp) });
  const port = server.ports.mqtt;
  const env = { ...process.env, REEF_BENCH_URL: `mqtt://127.0.0.1:${port}` };
  const reef = [at('../engine/bin/reef.js'), 'run', at('pipelines/mqtt.yaml'), '--state', join(folder, 'state')];
  await measure('MQTT 5 → moment → MQTT 5, QoS 1', { port, program: reef, env });
  await measure('the library alone, MQTT 5 → MQTT 5, QoS 1', { port, program: [at('mqtt-library.ts'), String(port)], env });
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}

interface Relay {
  readonly port: number;
  /** Moves messages from `in` to `out`, once it has said that it reads. */
  readonly program: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

async function measure(name: string, { port, program, env }: Relay): Promise<void> {
  let arrived = 0;
  let wanted: (() => void) | undefined;
  const reader = await client(port, (packet, socket) => {
    if (packet.cmd === 'suback') wanted?.();
    if (packet.cmd !== 'publish') return;
    socket.write(generate({ cmd: 'puback', messageId: packet.messageId!, reasonCode: 0 }, { protocolVersion: 5 }));
    if (++arrived >= rows) wanted?.();
  });
  const subscribed = new Promise<void>((resolve) => {
    wanted = resolve;
  });
  reader.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'out', qos: 1 }] }, { protocolVersion: 5 }));
  await subscribed;
  const relay = spawn(process.execPath, program, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  cleanUps.push(() => relay.kill('SIGKILL'));
  await new Promise<void>((resolve) => {
    relay.stderr.on('data', (text) => {
      if (/reads from/.test(String(text))) resolve();
    });
  });
  const all = new Promise<void>((resolve) => {
    wanted = resolve;
  });
  const before = ticks(relay.pid!);
  const started = performance.now();
  const publisher = await publish(port);
  await all;
  const seconds = (performance.now() - started) / 1000;
  const cpu = (ticks(relay.pid!) - before) / TICKS_PER_SECOND;
  console.log(
    `${name}: ${(rows / cpu / 1000).toFixed(1)} k rows/CPU-s, ${(rows / seconds / 1000).toFixed(1)} k rows/s, ${arrived} of ${rows} arrived`,
  );
  relay.kill('SIGKILL');
  for (const socket of [reader, publisher]) socket.destroy();
}

async function client(port: number, take: (packet: Packet, socket: Socket) => void): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  const packets = parser({ protocolVersion: 5 });
  const accepted = new Promise((resolve) => packets.once('packet', resolve));
  packets.on('packet', (packet) => take(packet, socket));
  socket.on('data', (bytes: Buffer) => void packets.parse(bytes));
  socket.write(
    generate({
      cmd: 'connect',
      clientId: `bench-${Math.random()}`,
      clean: true,
      protocolVersion: 5,
      keepalive: 0,
      properties: { receiveMaximum: 65_535 },
    }),
  );
  await accepted;
  return socket;
}

async function publish(port: number): Promise<Socket> {
  let acknowledged = 0;
  let more: (() => void) | undefined;
  const socket = await client(port, (packet) => {
    if (packet.cmd !== 'puback') return;
    acknowledged++;
    more?.();
  });
  let sent = 0;
  for (const chunk of chunks(rows)) {
    for (const line of chunk.toString().split('\n')) {
      if (line === '' || sent >= rows) continue;
      while (sent - acknowledged >= WINDOW)
        await new Promise<void>((resolve) => {
          more = resolve;
        });
      const messageId = (sent++ % 65_535) + 1;
      socket.write(
        generate(
          { cmd: 'publish', topic: 'in', payload: line, qos: 1, dup: false, retain: false, messageId },
          { protocolVersion: 5 },
        ),
      );
    }
  }
  return socket;
}

/** User and system. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
