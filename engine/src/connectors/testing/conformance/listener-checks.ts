/**
 * The checks of sources that listen: who gets in, and what those cost who do not behave. Each starts Reef anew, and ends with a
 * well-behaved client that gets through all the same.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { clientCertificates } from './bad-certificates.ts';
import type { ListenerBench } from './listener-bench.ts';

export const listenerChecks = {
  loopback: 'it listens on this machine only, and warns when it is told to listen for others without protection',
  clients:
    'where clients need a certificate, who shows none, or one that is expired, not valid yet, of another authority or signed by itself, is refused, and the log says who and why',
  version: 'who speaks only a version of TLS that is older than allowed is refused, and the log says who and why',
  plain: 'who does not speak TLS where it is wanted is refused, and the log says who and why',
  password: 'who shows no password or a wrong one is refused, and the log says who and why',
  connections: 'more connections than allowed are closed, and the log says whose',
  size: 'of a message that is longer than allowed no more than that is kept: memory stays bounded, and others go on',
  time: 'whoever connects and does not go on is let go in time, and the log says who',
} as const;

export type ListenerCheck = keyof typeof listenerChecks;

/** Another address of this machine than 127.0.0.1, which only who listens on all of them answers. */
const OTHER_LOCAL = '127.0.0.2';
const MOST_CONNECTIONS = 3;
/** What is read and dropped is garbage for a while; what is kept would be all of it. */
const FLOOD_BYTES = 512 * 1024 * 1024;
const MOST_GROWTH = 160_000_000;

export const listenerCheckRuns: Readonly<Record<ListenerCheck, (bench: ListenerBench) => Promise<void>>> = {
  async loopback(bench) {
    const reef = await bench.start();
    await bench.comesThrough();
    assert.equal(await bench.reaches(OTHER_LOCAL), false, `it answers at ${OTHER_LOCAL}`);
    await reef.stop();
    const open = await bench.start({ host: '0.0.0.0' });
    assert.match(open.said, /warning: .*"0\.0\.0\.0", so anyone who reaches this machine/);
    assert.equal(await bench.reaches(OTHER_LOCAL), true);
    await bench.comesThrough();
  },

  async clients(bench) {
    const { server, authority, right, wrong } = clientCertificates();
    const tls = bench.tls(server, { ca: authority });
    const reef = await bench.start({ tls });
    for (const [name, { certificate, expected }] of Object.entries(wrong)) {
      const from = await bench.isRefused({ ca: authority.certificate, ...certificate }, name);
      await reef.says(new RegExp(`127\\.0\\.0\\.1 port ${from} is refused: ${expected.source}`));
    }
    await bench.comesThrough({ ca: authority.certificate, cert: right.certificate, key: right.key });
  },

  async version(bench) {
    const { server, authority } = clientCertificates();
    const reef = await bench.start({ tls: { ...bench.tls(server), min_version: '1.3' } });
    const from = await bench.isRefused({ ca: authority.certificate, maxVersion: 'TLSv1.2' }, 'that speaks TLS 1.2');
    await reef.says(new RegExp(`127\\.0\\.0\\.1 port ${from} is refused: it speaks an old version of TLS, expected 1\\.3`));
    await bench.comesThrough({ ca: authority.certificate });
    await reef.stop();
    // The default lets 1.2 in and nothing older.
    await bench.start({ tls: bench.tls(server) });
    await bench.isRefused(
      { ca: authority.certificate, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
      '1.1',
    );
    await bench.comesThrough({ ca: authority.certificate, maxVersion: 'TLSv1.2' });
  },

  async plain(bench) {
    const { server, authority } = clientCertificates();
    const reef = await bench.start({ tls: bench.tls(server) });
    const from = await bench.isRefused(undefined, 'without TLS');
    await reef.says(new RegExp(`127\\.0\\.0\\.1 port ${from} is refused: it does not speak TLS`));
    await bench.comesThrough({ ca: authority.certificate });
  },

  async password(bench) {
    const { auth } = bench.listener;
    assert.ok(auth, 'the listener has no `auth`: expected it, or an exception to this check');
    const reef = await bench.start(auth.settings);
    for (const wrong of auth.wrong) {
      const from = await bench.isRefused(undefined, 'with wrong credentials', wrong);
      await reef.says(new RegExp(`127\\.0\\.0\\.1 port ${from} is refused: .*credentials`));
    }
    await bench.comesThrough(undefined, auth.right);
  },

  async connections(bench) {
    const reef = await bench.start({ max_connections: MOST_CONNECTIONS });
    const held = [];
    for (let count = 0; count < MOST_CONNECTIONS; count++) held.push(await bench.connected());
    const from = await bench.isRefused(undefined, 'beyond the bound');
    const peer = bench.transport === 'tcp' ? `127\\.0\\.0\\.1 port ${from}` : 'a local process';
    await reef.says(new RegExp(`${peer} is refused: there are ${MOST_CONNECTIONS} connections already`));
    // Those that were there first are still there.
    for (const socket of held) assert.equal(socket.readyState, 'open');
    held.pop()!.destroy();
    await bench.comesThrough();
  },

  async size(bench) {
    const reef = await bench.start(bench.listener.limits.size);
    await bench.comesThrough();
    const before = reef.residentBytes();
    let most = 0;
    const socket = await bench.connected();
    socket.resume();
    socket.write(bench.listener.endless.head);
    const { piece } = bench.listener.endless;
    for (let sent = 0; sent < FLOOD_BYTES && !socket.destroyed; sent += piece.length) {
      if (!socket.write(piece) && !socket.destroyed) await writable(socket);
      most = Math.max(most, reef.residentBytes() - before);
    }
    assert.ok(most < MOST_GROWTH, `memory grew by ${Math.round(most / 1e6)} MB, expected less than ${MOST_GROWTH / 1e6} MB`);
    socket.destroy();
    await bench.comesThrough();
  },

  async time(bench) {
    const { limits, begun } = bench.listener;
    const reef = await bench.start(limits.time);
    const slow = await bench.connected();
    slow.write(begun);
    await bench.closed(slow, 'a client that does not end its message');
    if (limits.said) await reef.says(limits.said);
    await bench.comesThrough();
    await reef.stop();
    if (bench.transport !== 'tcp') return;
    // The same for who begins no handshake.
    const { server, authority } = clientCertificates();
    const secure = await bench.start({ ...limits.time, tls: bench.tls(server) });
    const silent = await bench.connected();
    const from = silent.localPort;
    await bench.closed(silent, 'a client that shakes no hands');
    await secure.says(new RegExp(`127\\.0\\.0\\.1 port ${from} is refused: it has not shaken hands`));
    await bench.comesThrough({ ca: authority.certificate });
  },
};

/** Resolves when there is room for more, or nobody reads any more. */
function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
  });
}
