/** What every check of a source that listens has in its hands: Reef with that source before a gate, and clients of all kinds. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Certificate } from '../../../testing/certificates.ts';
import { temporaryFolder } from '../../../testing/reef-process.ts';
import { freePort } from '../../../testing/servers/free-port.ts';
import { Gate } from './gate.ts';
import { patienceMs } from './patience.ts';
import { ReefRun } from './reef-run.ts';
import type { ConformingListener, NodeSettings } from './sides.ts';

/** What a client that must be refused has so long for: a refusal is a matter of milliseconds. */
const REFUSED_MS = 10_000;
/** A row that has not come after so long is sent again. */
const AGAIN_MS = 2000;
const HOST = '127.0.0.1';

export class ListenerBench {
  readonly t: TestContext;
  readonly listener: ConformingListener;
  readonly folder: string;
  readonly port: number;
  readonly #gate: Gate;
  /** Number of the next row: each is told from all others. */
  #next = 0;

  private constructor(t: TestContext, listener: ConformingListener, gate: Gate, port: number) {
    this.t = t;
    this.listener = listener;
    this.folder = temporaryFolder(t);
    this.port = port;
    this.#gate = gate;
  }

  static async open(t: TestContext, listener: ConformingListener): Promise<ListenerBench> {
    return new ListenerBench(t, listener, await Gate.start(t), await freePort());
  }

  get transport(): 'tcp' | 'udp' | 'unix' {
    return this.listener.transport ?? 'tcp';
  }

  /** Starts Reef with these settings beside those that say where; resolves when it listens. */
  async start(more: NodeSettings = {}): Promise<ReefRun> {
    const { listener, transport, port, folder } = this;
    const at = transport === 'tcp' ? { port } : transport === 'udp' ? { proto: 'udp', port } : { proto: 'unix', path: 'in.sock' };
    const settings = { ...at, ...more };
    const reef = new ReefRun(this.t, folder, [
      {
        id: 'in',
        kind: 'source',
        type: listener.type,
        settings: listener.alter?.(settings) ?? settings,
        out: [{ id: 'out' }, { id: 'errors', table: '_ppf_errors', columns: [{ name: '_ppf_error_document', type: 'string' }] }],
      },
      ...this.#gate.sinks,
    ]).start();
    await reef.says(/source "in" listens on/);
    return reef;
  }

  /** The setting `tls`, over files that it writes. */
  tls({ certificate, key }: Certificate, { ca }: { readonly ca?: Certificate } = {}): NodeSettings {
    writeFileSync(join(this.folder, 'server.pem'), certificate);
    writeFileSync(join(this.folder, 'server.key'), key);
    if (ca) writeFileSync(join(this.folder, 'clients.pem'), ca.certificate);
    return { certificate_file: 'server.pem', key_file: 'server.key', ...(ca ? { ca_file: 'clients.pem' } : {}) };
  }

  /** A client that does all that is asked for: its row arrives. */
  async comesThrough(tls?: ConnectionOptions, credentials?: string): Promise<void> {
    const n = this.#next++;
    const message = this.#message(n, credentials);
    const deadline = performance.now() + patienceMs();
    let arrived = false;
    // It may have come a moment too early, when who was there before was not yet seen to be gone.
    while (!arrived && performance.now() < deadline) {
      if (this.transport === 'udp') await this.sendDatagram(message, HOST);
      else (await this.connected(tls)).resume().end(message);
      arrived = await this.#gate.until(() => this.#has(n), AGAIN_MS);
    }
    assert.ok(arrived, 'the row of a client that does what is asked for does not arrive');
  }

  /** A client that must not get in: its connection is closed and its row does not arrive. Resolves with its port. */
  async isRefused(tls: ConnectionOptions | undefined, who: string, credentials?: string): Promise<number | undefined> {
    const n = this.#next++;
    const socket = this.#connect(tls);
    let port: number | undefined;
    socket.once('connect', () => {
      port = socket.localPort;
    });
    const opened = tls === undefined ? 'connect' : 'secureConnect';
    socket.on(opened, () => socket.write(this.#message(n, credentials)));
    await this.closed(socket, `a client ${who}`);
    assert.ok(!this.#has(n), `the row of a client ${who} has arrived`);
    return port;
  }

  /** Whether a client that uses this address of the machine gets a row through. */
  async reaches(host: string): Promise<boolean> {
    const n = this.#next++;
    if (this.transport === 'udp') {
      await this.sendDatagram(this.#message(n), host);
      // What is sent later arrives later.
      await this.comesThrough();
      return this.#has(n);
    }
    const socket = connect({ port: this.port, host });
    this.t.after(() => socket.destroy());
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  }

  /** A connection on which nothing is sent yet. */
  async connected(tls?: ConnectionOptions): Promise<Socket> {
    const socket = this.#connect(tls);
    await new Promise<void>((resolve, reject) => {
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve());
      socket.once('error', reject);
    });
    return socket;
  }

  async sendDatagram(bytes: Uint8Array, host: string): Promise<void> {
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.send(bytes, this.port, host, resolve));
    socket.close();
  }

  /** Resolves when the other side has closed it; rejects when that takes too long. */
  async closed(socket: Socket, who: string): Promise<void> {
    socket.resume();
    const late = new AbortController();
    const closed = new Promise((resolve) => socket.once('close', resolve)).then(() => true);
    const open = pause(Math.min(REFUSED_MS, patienceMs()), false, { signal: late.signal }).catch(() => true);
    const done = await Promise.race([closed, open]);
    late.abort();
    assert.ok(done, `${who} still has its connection`);
  }

  #connect(tls: ConnectionOptions | undefined): Socket | TLSSocket {
    const at = this.transport === 'unix' ? { path: join(this.folder, 'in.sock') } : { port: this.port, host: HOST };
    const socket = tls === undefined ? connect(at) : connectTls({ ...at, ...tls });
    // Being cut off is one way to be refused.
    socket.on('error', () => {});
    this.t.after(() => socket.destroy());
    return socket;
  }

  #message(n: number, credentials?: string): Buffer {
    return this.listener.message({ n, text: 'text' }, credentials);
  }

  #has(n: number): boolean {
    const { read } = this.listener;
    return this.#gate.rows.some((row) => (read ? read(row).n : row.n) === n);
  }
}
