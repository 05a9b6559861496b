/** The checks of sinks. Rows come by HTTP, whose answers say what Reef takes to be delivered. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serverCertificates } from './bad-certificates.ts';
import type { Check } from './checks.ts';
import { patienceMs } from './patience.ts';
import type { ReefRun } from './reef-run.ts';
import { numberedRows, oddRows } from './rows.ts';
import type { SinkBench } from './sink-bench.ts';
import { openTlsDoor } from './tls-door.ts';
import { certificateWords, growthOf, kills, passwordWords } from './words.ts';

export const sinkChecks: Readonly<Record<Check, (bench: SinkBench) => Promise<void>>> = {
  async once(bench) {
    const rows = numberedRows(10_000);
    const reef = bench.reef().start();
    await bench.feed(rows);
    await reef.stop();
    await bench.expect(rows, reef, { once: true, ordered: true });
  },

  async rows(bench) {
    const rows = oddRows(bench.sink.longestText);
    const reef = bench.reef().start();
    await bench.feed(rows, 1);
    await reef.stop();
    await bench.expect(rows, reef, { ordered: true });
  },

  /** Whatever was confirmed is there, also when all else is gone a moment later. */
  async acks(bench) {
    const { proxy, side } = bench;
    const rows = numberedRows(100);
    const reef = bench.reef().start();
    const first = numberedRows(1, { from: 1000 });
    await bench.feed(first);
    await bench.expect(first, reef);
    proxy.hold();
    const feeding = bench.feed(rows);
    // Rows are on their way, and nobody has them: so long a silence is what is tested here.
    await pause(500);
    assert.equal(bench.confirmed, 1, 'rows were confirmed that the server does not have');
    proxy.release();
    await feeding;
    await bench.expect([...first, ...rows], reef);
    assert.ok((await side.read(reef)).length >= 101);
  },

  async outage(bench) {
    const { proxy, side } = bench;
    const rows = numberedRows(200);
    await proxy.refuse();
    const reef = bench.reef(side.settings({ port: proxy.port, impatient: true })).start();
    const feeding = bench.feed(rows, 20);
    await reef.says(/\bout\b.*(ECONNREFUSED|refused|again|connect)/i);
    await reef.kill();
    await proxy.accept();
    reef.start();
    await feeding;
    await bench.expect(rows, reef, { ordered: true });
  },

  kill: (bench) => interrupted(bench, kills(), (reef) => reef.kill()),
  stop: (bench) => interrupted(bench, 2, (reef) => reef.stop()),

  async restart(bench) {
    const { side } = bench;
    assert.ok(side.server, 'the sink names no `server`: expected it, or an exception to this check');
    const rows = numberedRows(3000);
    const reef = bench.reef().start();
    await bench.feed(rows.slice(0, 1000), 100);
    const feeding = bench.feed(rows.slice(1000), 100);
    await side.server.restart();
    await feeding;
    await bench.expect(rows, reef);
  },

  async cut(bench) {
    const { proxy } = bench;
    const rows = numberedRows(3000, { text: 'x'.repeat(200) });
    const reef = bench.reef().start();
    for (const [index, bytes] of [50_000, 20_001, 777].entries()) {
      proxy.cutAfter(bytes);
      await bench.feed(rows.slice(index * 1000, (index + 1) * 1000), 400);
    }
    await bench.expect(rows, reef);
  },

  async pressure(bench) {
    const { proxy } = bench;
    const text = 'x'.repeat(64 * 1024);
    const rows = numberedRows(Math.ceil((bench.sink.pressureBytes ?? 96_000_000) / text.length), { from: 1, text });
    const reef = bench.reef().start();
    const first = numberedRows(1);
    await bench.feed(first);
    await bench.expect(first, reef);
    proxy.hold();
    const before = reef.residentBytes();
    // Each in a request of its own and many at once: what Reef takes in is its own choice.
    const feeding = Promise.all(
      Array.from({ length: 48 }, (_, lane) =>
        bench.feed(
          rows.filter((_, index) => index % 48 === lane),
          16,
        ),
      ),
    );
    const grown = await growthOf(reef, before);
    assert.ok(
      grown < 120_000_000,
      `memory grew by ${Math.round(grown / 1e6)} MB, expected less than 120 MB, while ${Math.round((rows.length * text.length) / 1e6)} MB were offered and nothing was taken`,
    );
    proxy.release();
    await feeding;
    await bench.expect([...first, ...rows], reef);
  },

  async absent(bench) {
    const { side, proxy } = bench;
    await proxy.refuse();
    const reef = bench.reef(side.settings({ port: proxy.port, impatient: true }));
    await reef.failsToStart(/\bout\b.*(ECONNREFUSED|refused|connect|no such socket)/i);
    reef.start();
    const rows = numberedRows(10);
    const feeding = bench.feed(rows);
    await reef.says(/\bout\b.*(ECONNREFUSED|refused|again|connect)/i);
    assert.ok(reef.running, `reef has ended, expected it to wait for the server:\n${reef.said}`);
    await proxy.accept();
    await feeding;
    await bench.expect(rows, reef);
  },

  async silent(bench) {
    const { side, proxy } = bench;
    proxy.hold();
    const reef = bench.reef(side.settings({ port: proxy.port, impatient: true })).start();
    const rows = numberedRows(10);
    const feeding = bench.feed(rows);
    await reef.says(/\bout\b.*(time|answer|silent|again|within)/i);
    await reef.stop();
    reef.start();
    proxy.release();
    await feeding;
    await bench.expect(rows, reef);
  },

  async drain(bench) {
    const { proxy } = bench;
    const rows = numberedRows(100);
    const reef = bench.reef().start();
    const first = numberedRows(1, { from: 1000 });
    await bench.feed(first);
    proxy.hold();
    const feeding = bench.feed(rows);
    await pause(200);
    await reef.stop();
    proxy.release();
    reef.start();
    await feeding;
    await bench.expect([...first, ...rows], reef);
  },

  async password(bench) {
    const { side } = bench;
    assert.ok(side.wrongPassword, 'the sink has no `wrongPassword`: expected it, or an exception to this check');
    const reef = bench.reef(side.wrongPassword({ port: bench.proxy.port, impatient: true })).start();
    const pattern = side.refusal ?? passwordWords;
    const told = reef.says(pattern);
    // Where the server's word is final, the rows are in the dead-letter file, with that word.
    const refused = bench.feed(numberedRows(10)).then(() => bench.deadLetters());
    const word = await Promise.race([told.then(() => undefined), refused]);
    if (word !== undefined) assert.match(word, pattern, 'rows were refused, but not for the password');
    assert.deepEqual(await side.read(reef), [], 'rows arrived without the right password');
    // Where no later try can be better it has ended by itself.
    if (reef.running) await reef.stop();
  },

  async certificates(bench) {
    const { side, folder, t } = bench;
    assert.ok(
      side.tls && (side.serverPort !== undefined || side.tlsServer),
      'the sink has no `tls`: expected it, or an exception',
    );
    const { authority, right, wrong } = serverCertificates();
    const caFile = join(folder, 'authority.pem');
    writeFileSync(caFile, authority.certificate);
    const rows = numberedRows(10);
    const settingsFor = async (certificate: typeof right) => {
      const port = side.tlsServer ? await side.tlsServer(t, certificate) : await openTlsDoor(t, certificate, side.serverPort!);
      return side.tls!({ port, impatient: true, caFile, folder });
    };
    let feeding: Promise<void> | undefined;
    for (const [name, certificate] of Object.entries(wrong)) {
      const reef = bench.reef(await settingsFor(certificate)).start();
      feeding ??= bench.feed(rows);
      const told = reef.says(certificateWords);
      await Promise.race([told, feeding]).catch((error: Error) => assert.fail(`a certificate that is ${name}: ${error.message}`));
      assert.deepEqual(await side.read(reef), [], `rows arrived at a server whose certificate is ${name}`);
      assert.equal(bench.confirmed, 0, `rows were confirmed that a server refused whose certificate is ${name}`);
      await reef.kill();
    }
    const reef = bench.reef(await settingsFor(right)).start();
    await feeding;
    await bench.expect(rows, reef);
  },

  async handles(bench) {
    const rows = numberedRows(10);
    const reef = bench.reef().start();
    await bench.feed(rows);
    // The command ends by itself once nothing is open any more; `stop` waits no longer than the drain, and some.
    await reef.stop();
    await bench.expect(rows, reef);
  },
};

/** Ends Reef with rows in flight, several times, and looks whether all that was confirmed is there in the end. */
async function interrupted(bench: SinkBench, times: number, end: (reef: ReefRun) => Promise<unknown>): Promise<void> {
  const rows = numberedRows(1000 * times);
  const reef = bench.reef();
  const feeding: Promise<void>[] = [];
  for (let time = 0; time < times; time++) {
    const before = bench.confirmed;
    reef.start();
    feeding.push(bench.feed(rows.slice(time * 1000, (time + 1) * 1000), 20));
    await reef.up();
    const deadline = performance.now() + patienceMs();
    while (bench.confirmed === before) {
      assert.ok(performance.now() < deadline, `nothing was confirmed\n${bench.context(reef)}`);
      await pause(2);
    }
    await pause(Math.random() * 30);
    await end(reef);
  }
  reef.start();
  await Promise.all(feeding);
  await bench.expect(rows, reef);
}
