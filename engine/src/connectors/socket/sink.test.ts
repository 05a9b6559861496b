import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from '../../testing/certificates.ts';
import { temporaryFolder } from '../../testing/reef-process.ts';
import { openSink } from '../../testing-nodes.ts';
import sink from './sink.ts';

interface Receiver {
  readonly port: number;
  readonly sockets: Socket[];
  /** Resolves when what was received has the text. */
  has(text: string): Promise<void>;
  received(): string;
}

async function receive(t: TestContext, server: Server = createServer()): Promise<Receiver> {
  const sockets: Socket[] = [];
  let text = '';
  const waiting = new Set<() => void>();
  server.on(
    server instanceof createServer().constructor && 'setSecureContext' in server ? 'secureConnection' : 'connection',
    (socket: Socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        for (const look of waiting) look();
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    received: () => text,
    has: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (text.includes(wanted)) resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

test('rows are lines, or have the frame that is asked for', async (t) => {
  const cases = [
    [{ by: 'line' }, '{"n":1}\n{"n":22}\n'],
    [{ by: 'length', length_bytes: '2', byte_order: 'little' }, '\x07\0{"n":1}\x08\0{"n":22}'],
    [{ by: 'delimiter', delimiter: '\\x1f;' }, '{"n":1}\x1f;{"n":22}\x1f;'],
    [{ by: 'octets' }, '7 {"n":1}8 {"n":22}'],
  ] as const;
  for (const [framing, expected] of cases) {
    const receiver = await receive(t);
    const out = await openSink(sink, { settings: { port: receiver.port, framing } });
    await out.write([{ n: 1 }, { n: 22 }]);
    await receiver.has(expected);
    assert.equal(receiver.received(), expected);
    await out.close();
  }
});

test('a row that is longer than its length can say is refused, the others go', async (t) => {
  const receiver = await receive(t);
  const out = await openSink(sink, { settings: { port: receiver.port, framing: { by: 'length', length_bytes: '1' } } });
  const answer = await out.write([{ n: 1 }, { text: 'x'.repeat(300) }, { n: 2 }]);
  assert.deepEqual(answer, {
    refused: [{ row: 1, reason: 'the row has 311 bytes, of which the length before it can say 255 at most' }],
  });
  await receiver.has('\x07{"n":1}\x07{"n":2}');
  await out.close();
});

test('what was sent shortly before a cut is sent again on the next connection', async (t) => {
  const receiver = await receive(t);
  const out = await openSink(sink, { settings: { port: receiver.port } });
  await out.write([{ n: 1 }]);
  await receiver.has('{"n":1}\n');
  const [first] = receiver.sockets;
  first!.destroy();
  // The end of the first connection is seen some time.
  for (let n = 2; receiver.sockets.length < 2; n++) {
    await out.write([{ n }]).catch((error: { retry?: boolean }) => assert.ok(error.retry));
    // A write that the system takes at once never comes back to the event loop.
    await new Promise(setImmediate);
  }
  await receiver.has('{"n":1}\n{"n":1}\n');
  await out.close();
});

test('nobody there is said in words, and may pass', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const out = await openSink(sink, { settings: { port } });
  await assert.rejects(out.write([{ n: 1 }]), (error: Error & { retry?: boolean }) => {
    assert.equal(
      error.message,
      `Cannot send rows of sink "test" to 127.0.0.1:${port}: the connection was refused: nothing listens there`,
    );
    return error.retry === true;
  });
  await out.close();
});

test('the server must have a certificate that is known, for its name', async (t) => {
  const folder = temporaryFolder(t);
  const authority = makeCertificate({ name: 'authority', authority: true });
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  const good = makeCertificate({ name: 'server', issuer: authority });
  const elsewhere = makeCertificate({ name: 'server', issuer: authority, hosts: ['elsewhere.example'] });
  const stranger = makeCertificate({ name: 'server' });
  const send = async ({ certificate, key }: typeof good): Promise<string> => {
    const receiver = await receive(t, createTlsServer({ cert: certificate, key }));
    const out = await openSink(sink, { folder, settings: { port: receiver.port, tls: { ca_file: 'ca.pem' } } });
    try {
      await out.write([{ n: 1 }]);
      await receiver.has('{"n":1}\n');
      return receiver.received();
    } finally {
      await out.close();
    }
  };
  assert.equal(await send(good), '{"n":1}\n');
  await assert.rejects(send(elsewhere), /its certificate is for another name/);
  await assert.rejects(send(stranger), /its certificate is signed by itself/);
});

test('each row is a datagram, and one that is too large is refused', async (t) => {
  const server = createSocket('udp4');
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const got: string[] = [];
  const both = new Promise<void>((resolve) => {
    server.on('message', (bytes) => {
      if (got.push(bytes.toString()) === 2) resolve();
    });
  });
  const out = await openSink(sink, { settings: { proto: 'udp', port: server.address().port, max_datagram_bytes: 100 } });
  const answer = await out.write([{ n: 1 }, { text: 'x'.repeat(100) }, { n: 2 }]);
  await both;
  assert.deepEqual(got, ['{"n":1}', '{"n":2}']);
  assert.match(JSON.stringify(answer), /"row":1.*would have 111 bytes, at most 100/);
  await out.close();
});

test('with encoding raw the bytes of a row go as they are, and those that would end a message early are refused', async (t) => {
  const rows = [Buffer.from([0, 255, 13]), Buffer.from('a\nb'), Buffer.from([254])];
  const contents = rows.map((bytes) => ({ content: bytes.toString('base64') }));
  const counted = await receive(t);
  const byLength = { port: counted.port, framing: { by: 'length', length_bytes: '1' } };
  const out = await openSink(sink, { settings: byLength, codec: { name: 'raw' } });
  assert.equal(await out.write(contents), undefined);
  const expected = '\x03\x00\xff\r\x03a\nb\x01\xfe';
  await counted.has(expected);
  assert.equal(counted.received(), expected);
  await out.close();

  const lined = await receive(t);
  const lines = await openSink(sink, { settings: { port: lined.port }, codec: { name: 'raw' } });
  const reason = 'the row holds what ends a message, expected framing.by "length" or "octets" for such rows';
  assert.deepEqual(await lines.write(contents), { refused: [{ row: 1, reason }] });
  await lined.has('\x00\xff\r\n\xfe\n');
  await lines.close();
});
