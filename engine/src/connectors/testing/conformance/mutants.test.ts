/**
 * Each check is seen to fail: the connectors of examples/custom-nodes, which pass all of them, are broken in one place at a time.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PASSWORD, PostboxServer } from '../../../../../examples/custom-nodes/postbox-server.ts';
import { temporaryFolder } from '../../../testing/reef-process.ts';
import { freePort } from '../../../testing/servers/free-port.ts';
import { asSecret } from './as-secret.ts';
import type { Check } from './checks.ts';
import { ListenerBench } from './listener-bench.ts';
import { type ListenerCheck, listenerCheckRuns } from './listener-checks.ts';
import type { Row } from './rows.ts';
import type { ConformingListener, NodeSettings, SettingsOptions } from './sides.ts';
import { SinkBench } from './sink-bench.ts';
import { sinkChecks } from './sink-checks.ts';
import { SourceBench } from './source-bench.ts';
import { sourceChecks } from './source-checks.ts';

const exampleFolder = fileURLToPath(new URL('../../../../../examples/custom-nodes', import.meta.url));

interface Mutant {
  readonly fault: string;
  readonly file: 'postbox.ts' | 'postbox-source.ts' | 'postbox-sink.ts';
  readonly from: string;
  readonly to: string;
  /** Checks that it must not pass, and what they say: a check that fails for another reason proves nothing. */
  readonly fails: Readonly<Partial<Record<Check, RegExp>>>;
}

const words = {
  again: /10000 rows came again/,
  early: /rows were (acknowledged before they were delivered|confirmed that the server does not have)/,
  grown: /memory grew by \d+ MB/,
  late: /reef has not ended/,
  lost: /rows are lost/,
  spoilt: /rows are spoilt/,
  untold: /reef did not say/,
};

const sourceMutants: readonly Mutant[] = [
  {
    fault: 'feeds rows twice',
    file: 'postbox-source.ts',
    from: 'await feedBytes(partition, row, { flush: true });',
    to: 'await feedBytes(partition, Buffer.concat([row, row]), { flush: true });',
    fails: { once: words.again },
  },
  {
    fault: 'takes bytes for characters',
    file: 'postbox-source.ts',
    from: "next.value.subarray(space + 1), Buffer.from('\\n')",
    to: "Buffer.from(next.value.toString('latin1', space + 1)), Buffer.from('\\n')",
    fails: { rows: words.spoilt },
  },
  {
    fault: 'acknowledges what it has read',
    file: 'postbox-source.ts',
    from: 'await feedBytes(partition, row, { flush: true });',
    to: 'await feedBytes(partition, row, { flush: true }); this.#settled(this.#fed);',
    fails: { acks: words.early, outage: words.lost, kill: words.lost, drain: words.lost },
  },
  {
    fault: 'never acknowledges',
    file: 'postbox-source.ts',
    from: 'this.#box?.send(`ACK ',
    to: 'String(`ACK ',
    fails: { acks: /0 of 100 delivered rows are acknowledged/ },
  },
  {
    fault: 'gives up when the connection fails',
    file: 'postbox-source.ts',
    from: 'if (error instanceof ReefError) throw error;',
    to: "if (error instanceof ReefError) throw new ReefError('io', error.message);",
    fails: { absent: /are lost|reef has ended/ },
  },
  {
    fault: 'does not come back when it is cut off',
    file: 'postbox-source.ts',
    from: 'const reason =',
    to: 'if (this.#fed > 0) return; const reason =',
    fails: { cut: words.lost, restart: words.lost },
  },
  {
    fault: 'reads more than there is room for',
    file: 'postbox-source.ts',
    from: 'await feedBytes(partition, row, { flush: true });',
    to: 'this.feeding = (this.feeding ?? Promise.resolve()).then(() => feedBytes(partition, row, { flush: true }));',
    fails: { pressure: words.grown },
  },
  {
    fault: 'waits for an answer for ever',
    file: 'postbox.ts',
    from: 'this.#socket.setTimeout(settings.timeout_secs * 1000, late);',
    to: 'void late;',
    fails: { silent: words.untold },
  },
  {
    fault: 'does not hear that it is refused',
    file: 'postbox.ts',
    from: "if (answer === 'OK') return box;",
    to: 'return box;',
    fails: { password: words.untold },
  },
  {
    fault: 'trusts everybody',
    file: 'postbox.ts',
    from: 'servername: host }',
    to: 'servername: host, rejectUnauthorized: false }',
    fails: { certificates: /a server whose certificate is expired/ },
  },
  {
    fault: 'leaves something running',
    file: 'postbox-source.ts',
    from: 'this.#address = address;',
    to: 'this.#address = address; setInterval(() => {}, 1000);',
    fails: { handles: words.late, stop: words.late },
  },
];

const sinkMutants: readonly Mutant[] = [
  {
    fault: 'puts rows in twice',
    file: 'postbox-sink.ts',
    from: 'this.#box ??=',
    to: 'const open = () => Postbox.open("WRITE", { ...this.#address, signal: this.#stop.signal }); this.#box ??= await open(); await this.#box.ask("PUT " + rows + "\\n", bytes); this.#box ??=',
    fails: { once: words.again },
  },
  {
    fault: 'takes bytes for characters',
    file: 'postbox-sink.ts',
    from: '\\n`, bytes)',
    to: "\\n`, Buffer.from(Buffer.from(bytes).toString('latin1')))",
    fails: { rows: words.spoilt },
  },
  {
    fault: 'confirms what it has sent',
    file: 'postbox-sink.ts',
    from: 'const answer = await this.#box.ask(',
    to: 'const answer = "TAKEN " + rows; bytes = Buffer.from(bytes); process.on("unhandledRejection", () => {}); void this.#box.ask(',
    fails: { acks: words.early, cut: words.lost },
  },
  {
    fault: 'confirms what it could not send',
    file: 'postbox-sink.ts',
    from: '      throw error;',
    to: '      return undefined;',
    fails: {
      outage: words.untold,
      restart: words.lost,
      absent: words.untold,
      silent: words.untold,
      password: /not for the password/,
    },
  },
  {
    fault: 'keeps rows in memory for later',
    file: 'postbox-sink.ts',
    from: 'const stop = (): void => this.#stop.abort();',
    to: '(this.kept ??= []).push(Buffer.concat([bytes, bytes])); if (this.kept.length > 1) return undefined; const stop = (): void => this.#stop.abort();',
    fails: { pressure: words.grown, kill: words.lost },
  },
  {
    fault: 'does not say why it is refused',
    file: 'postbox.ts',
    from: "throw new ReefError('config',",
    to: "if (answer) throw new ReefError('config', 'Cannot open it'); throw new ReefError('config',",
    fails: { password: words.untold },
  },
  {
    fault: 'trusts everybody',
    file: 'postbox.ts',
    from: 'servername: host }',
    to: 'servername: host, rejectUnauthorized: false }',
    fails: { certificates: /a server whose certificate is expired/ },
  },
  {
    fault: 'leaves something running',
    file: 'postbox-sink.ts',
    from: 'this.#address = address;',
    to: 'this.#address = address; setInterval(() => {}, 1000);',
    fails: { handles: words.late, stop: words.late, drain: words.late },
  },
];

/** A folder with the nodes of the example, one of them broken. */
function mutate(t: TestContext, { file, from, to }: Mutant): string {
  const folder = join(temporaryFolder(t), 'nodes');
  mkdirSync(folder);
  for (const name of ['postbox.ts', 'postbox-source.ts', 'postbox-sink.ts']) {
    const original = join(exampleFolder, name);
    copyFileSync(original, join(folder, name));
    if (name !== file) continue;
    const text = readFileSync(original, 'utf8');
    assert.ok(text.includes(from), `the example has no ${from}`);
    // What it breaks needs no types.
    writeFileSync(join(folder, name), `// @ts-nocheck\n${text.replace(from, () => to)}`);
  }
  return folder;
}

const settings = ({ port, impatient }: SettingsOptions) => ({
  port,
  password: asSecret(PASSWORD),
  ...(impatient && { timeout_secs: 1 }),
});
const wrongPassword = (options: SettingsOptions) => ({ ...settings(options), password: asSecret('open barley') });
const tls = (options: SettingsOptions & { readonly caFile: string }) => ({
  ...settings(options),
  host: 'localhost',
  ca_file: options.caFile,
});

/** `type`: the source's file. */
function openSource(t: TestContext, type: string): Promise<SourceBench> {
  return SourceBench.open(t, {
    type,
    async open() {
      const server = await PostboxServer.start(t, await freePort());
      const write = async (rows: readonly Row[]) => server.offer(rows);
      const acknowledged = async () => server.acknowledged;
      return { settings, tls, wrongPassword, serverPort: server.port, server, write, acknowledged };
    },
  });
}

function openSink(t: TestContext, type: string): Promise<SinkBench> {
  return SinkBench.open(t, {
    type,
    async open() {
      const server = await PostboxServer.start(t, await freePort());
      return { settings, tls, wrongPassword, serverPort: server.port, server, read: async () => server.taken as Row[] };
    },
  });
}

/** What a listener that lacks a protection would do, brought about by taking its settings away. */
const listenerMutants: readonly {
  readonly fault: string;
  readonly check: ListenerCheck;
  readonly message: RegExp;
  alter(settings: NodeSettings): NodeSettings;
}[] = [
  {
    fault: 'listens for everybody',
    check: 'loopback',
    message: /it answers at 127\.0\.0\.2/,
    alter: (settings) => ({ ...settings, host: '0.0.0.0' }),
  },
  {
    fault: 'asks for no certificates',
    check: 'clients',
    message: /a client that shows no certificate still has its connection/,
    alter: (settings) => altered(settings, { ca_file: undefined }),
  },
  {
    fault: 'speaks old versions of TLS',
    check: 'version',
    message: /a client that speaks TLS 1\.2 still has its connection/,
    alter: (settings) => altered(settings, { min_version: '1.2' }),
  },
  {
    fault: 'speaks without TLS',
    check: 'plain',
    message: /a client without TLS still has its connection/,
    alter: ({ tls: _, ...settings }) => settings,
  },
  {
    fault: 'takes connections without end',
    check: 'connections',
    message: /a client beyond the bound still has its connection/,
    alter: (settings) => ({ ...settings, max_connections: 1000 }),
  },
  {
    fault: 'waits for messages without end',
    check: 'time',
    message: /a client that does not end its message still has its connection/,
    alter: (settings) => ({ ...settings, message_timeout_secs: 60 }),
  },
  {
    fault: 'waits for handshakes without end',
    check: 'time',
    message: /a client that shakes no hands still has its connection/,
    alter: (settings) => ({ ...settings, handshake_timeout_secs: 60 }),
  },
];

/** Lines of JSON over TCP. */
const plainListener: ConformingListener = {
  type: 'socket',
  message: (row) => Buffer.from(`${JSON.stringify(row)}\n`),
  limits: { size: {}, time: { message_timeout_secs: 0.3, handshake_timeout_secs: 0.3 } },
  begun: '{"n":',
  endless: { head: '', piece: Buffer.alloc(1024 * 1024, 'x') },
};

/** Listens, and keeps what comes over a connection until that ends. */
const greedySource = `
import { createServer } from 'node:net';
import { feedBytes, integer, source } from '@reef/engine';

export default source({
  summary: 'Listens.',
  settings: { port: integer('Where.') },
  codecs: ['json'],
  delivery: 'At most once.',
  security: 'None.',
  examples: [],
  open: ({ id, settings, log }) => ({
    async run(feed, signal) {
      const partition = feed.partition('all', { replayable: false });
      const server = createServer(async (socket) => {
        const pieces = [];
        socket.on('error', () => {});
        for await (const piece of socket) pieces.push(Buffer.from(piece));
        await feedBytes(partition, Buffer.concat(pieces), { flush: true });
      });
      server.listen(settings.port, '127.0.0.1', () => log.info('source "' + id + '" listens on 127.0.0.1'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      server.close();
    },
    async close() {},
  }),
});
`;

function altered({ tls, ...settings }: NodeSettings, changes: NodeSettings): NodeSettings {
  return tls === undefined ? settings : { ...settings, tls: { ...(tls as NodeSettings), ...changes } };
}

const TIMEOUT_MS = 120_000;

test('a source that is as it should be passes "handles"', { timeout: TIMEOUT_MS }, async (t) => {
  const bench = await openSource(t, join(exampleFolder, 'postbox-source.ts'));
  const since = performance.now();
  await sourceChecks.handles(bench);
  // What a broken one does not do is waited for some times as long as that took, on this machine and as busy as it is.
  const patience = Math.min(Math.max(10 * (performance.now() - since), 8000), 30_000);
  process.env.REEF_SUITE_PATIENCE_MS ??= String(patience);
});

// They mostly wait for what does not come: several at the same time.
describe('broken connectors', { concurrency: 4 }, () => {
  for (const mutant of sourceMutants) {
    for (const [check, message] of Object.entries(mutant.fails) as [Check, RegExp][]) {
      test(`a source that ${mutant.fault} does not pass "${check}"`, { timeout: TIMEOUT_MS }, async (t) => {
        const bench = await openSource(t, join(mutate(t, mutant), 'postbox-source.ts'));
        await assert.rejects(sourceChecks[check](bench), { message });
      });
    }
  }

  for (const mutant of sinkMutants) {
    for (const [check, message] of Object.entries(mutant.fails) as [Check, RegExp][]) {
      test(`a sink that ${mutant.fault} does not pass "${check}"`, { timeout: TIMEOUT_MS }, async (t) => {
        const bench = await openSink(t, join(mutate(t, mutant), 'postbox-sink.ts'));
        await assert.rejects(sinkChecks[check](bench), { message });
      });
    }
  }

  for (const { fault, check, message, alter } of listenerMutants) {
    test(`a listener that ${fault} does not pass "${check}"`, { timeout: TIMEOUT_MS }, async (t) => {
      const bench = await ListenerBench.open(t, { ...plainListener, alter });
      await assert.rejects(listenerCheckRuns[check](bench), { message });
    });
  }

  test('a listener that lets everybody in does not pass "password"', { timeout: TIMEOUT_MS }, async (t) => {
    const bench = await ListenerBench.open(t, {
      ...plainListener,
      // It asks nobody: what clients show instead of a row or before it makes no difference.
      auth: { settings: {}, right: '', wrong: ['open barley'] },
    });
    await assert.rejects(listenerCheckRuns.password(bench), {
      message: /a client with wrong credentials still has its connection/,
    });
  });

  test('a listener that keeps messages of any length does not pass "size"', { timeout: TIMEOUT_MS }, async (t) => {
    const type = join(temporaryFolder(t), 'greedy.ts');
    writeFileSync(type, greedySource);
    const bench = await ListenerBench.open(t, { ...plainListener, type });
    await assert.rejects(listenerCheckRuns.size(bench), { message: words.grown });
  });
});
