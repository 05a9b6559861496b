/** The checks of sources. Each begins with a source of which nothing has been read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serverCertificates } from './bad-certificates.ts';
import type { Check } from './checks.ts';
import { patienceMs } from './patience.ts';
import type { ReefRun } from './reef-run.ts';
import { numberedRows, oddRows, type Row } from './rows.ts';
import type { SourceBench } from './source-bench.ts';
import { openTlsDoor } from './tls-door.ts';
import { certificateWords, growthOf, kills, passwordWords } from './words.ts';

export const sourceChecks: Readonly<Record<Check, (bench: SourceBench) => Promise<void>>> = {
  async once(bench) {
    const rows = numberedRows(10_000);
    const reef = bench.reef().start();
    await bench.side.write(rows, reef);
    await bench.expect(rows, reef);
    // What would come twice has then come.
    await reef.stop();
    await bench.expect(rows, reef, { once: true, ordered: true });
  },

  async rows(bench) {
    const rows = oddRows(bench.source.longestText);
    const reef = bench.reef().start();
    await bench.side.write(rows, reef);
    await bench.expect(rows, reef, { ordered: true });
  },

  async acks(bench) {
    const { side, gate } = bench;
    assert.ok(side.acknowledged, 'the source has no `acknowledged`: expected it, or an exception to this check');
    const rows = numberedRows(100);
    const reef = bench.reef();
    gate.hold();
    reef.start();
    const writing = side.write(rows, reef);
    await bench.untilOffered(reef);
    // An early word is on its way by then: so long a silence is what is tested here.
    await pause(300);
    assert.equal(await side.acknowledged(reef), 0, 'rows were acknowledged before they were delivered');
    gate.open();
    await writing;
    await bench.expect(rows, reef);
    const deadline = performance.now() + patienceMs();
    for (let known = 0; known < rows.length; ) {
      known = await side.acknowledged(reef);
      assert.ok(
        performance.now() < deadline,
        `${known} of ${rows.length} delivered rows are acknowledged\n${bench.context(reef)}`,
      );
      await pause(50);
    }
  },

  async outage(bench) {
    const { gate, side } = bench;
    const rows = numberedRows(200);
    const reef = bench.reef();
    gate.away();
    reef.start();
    const writing = side.write(rows, reef);
    await bench.untilOffered(reef);
    await pause(200);
    await reef.kill();
    gate.open();
    reef.start();
    await writing;
    await bench.expect(rows, reef, { ordered: true });
  },

  kill: (bench) => interrupted(bench, kills(), (reef) => reef.kill()),
  stop: (bench) => interrupted(bench, 2, (reef) => reef.stop()),

  async restart(bench) {
    const { side, gate } = bench;
    assert.ok(side.server, 'the source names no `server`: expected it, or an exception to this check');
    const rows = numberedRows(3000);
    const reef = bench.reef().start();
    gate.delayMs = 10;
    await side.write(rows.slice(0, 1500), reef);
    await bench.until(reef, ({ rows }) => rows.length > 0);
    await side.server.restart();
    await side.write(rows.slice(1500), reef);
    await bench.expect(rows, reef);
  },

  async cut(bench) {
    const { side, gate, proxy } = bench;
    const rows = numberedRows(3000, { text: 'x'.repeat(200) });
    const reef = bench.reef().start();
    gate.delayMs = 10;
    await proxy.until(({ connections }) => connections > 0);
    for (const [index, bytes] of [50_000, 20_001, 777].entries()) {
      const before = proxy.accepted;
      proxy.cutAfter(bytes, 'received');
      await side.write(rows.slice(index * 1000, (index + 1) * 1000), reef);
      const through = bench.until(reef, ({ rows }) => rows.length >= (index + 1) * 1000);
      const again = proxy.until(({ accepted }) => accepted > before).then(() => true);
      // It does not come again: what follows says what is missing.
      if (!(await Promise.race([again, through]))) break;
      // Where less than that had passed, the cut comes between rows.
      if (proxy.accepted === before) proxy.cut();
    }
    await bench.expect(rows, reef);
  },

  async pressure(bench) {
    const { side, gate, source } = bench;
    const text = 'x'.repeat(Math.min(64 * 1024, source.longestText ?? Number.POSITIVE_INFINITY));
    const rows = numberedRows(Math.ceil((source.pressureBytes ?? 96_000_000) / text.length), { from: 1, text });
    const reef = bench.reef().start();
    const first = numberedRows(1);
    await side.write(first, reef);
    await bench.expect(first, reef);
    gate.hold();
    const before = reef.residentBytes();
    const writing = side.write(rows, reef);
    // What is dropped is garbage for a while, so it takes more of it to see that it is not kept.
    const grown = source.lossy ? (await growthOf(reef, before, writing)) / 2 : await growthOf(reef, before);
    assert.ok(
      grown < 80_000_000,
      `memory grew by ${Math.round(grown / 1e6)} MB, expected less than 80 MB, while ${Math.round((rows.length * text.length) / 1e6)} MB were offered and nothing was taken`,
    );
    gate.open();
    if (source.lossy) {
      await goesOn(bench, reef, rows.length + 1);
      return;
    }
    await writing;
    await bench.expect([...first, ...rows], reef);
  },

  async absent(bench) {
    const { side, proxy } = bench;
    await proxy.refuse();
    const reef = bench.reef(side.settings({ port: proxy.port, impatient: true }));
    await reef.failsToStart(/\bin\b.*(ECONNREFUSED|refused|connect)/i);
    reef.start();
    await reef.says(/\bin\b.*(ECONNREFUSED|refused|again|connect)/i);
    assert.ok(reef.running, `reef has ended, expected it to wait for the server:\n${reef.said}`);
    await proxy.accept();
    const rows = numberedRows(10);
    await side.write(rows, reef);
    await bench.expect(rows, reef);
  },

  async silent(bench) {
    const { side, proxy } = bench;
    proxy.hold();
    const reef = bench.reef(side.settings({ port: proxy.port, impatient: true })).start();
    await reef.says(/\bin\b.*(time|answer|silent|again|within)/i);
    await reef.stop();
    reef.start();
    await proxy.until(({ connections }) => connections > 0);
    proxy.release();
    const rows = numberedRows(10);
    await side.write(rows, reef);
    await bench.expect(rows, reef);
  },

  async drain(bench) {
    const { side, gate } = bench;
    const rows = numberedRows(100);
    const reef = bench.reef();
    gate.hold();
    reef.start();
    const writing = side.write(rows, reef);
    await bench.untilOffered(reef);
    await reef.stop();
    gate.open();
    reef.start();
    await writing;
    await bench.expect(rows, reef);
  },

  async password(bench) {
    const { side } = bench;
    assert.ok(side.wrongPassword, 'the source has no `wrongPassword`: expected it, or an exception to this check');
    const reef = bench.reef(side.wrongPassword({ port: bench.proxy.port, impatient: true })).start();
    await side.write(numberedRows(10), reef);
    await bench.refuses(reef, side.refusal ?? passwordWords);
    assert.deepEqual(bench.arrived, [], 'rows came without the right password');
    // Where no later try can be better it has ended by itself.
    if (reef.running) await reef.stop();
  },

  async certificates(bench) {
    const { side, folder, t } = bench;
    assert.ok(
      side.tls && (side.serverPort !== undefined || side.tlsServer),
      'the source has no `tls`: expected it, or an exception',
    );
    const { authority, right, wrong } = serverCertificates();
    const caFile = join(folder, 'authority.pem');
    writeFileSync(caFile, authority.certificate);
    const rows: Row[] = numberedRows(10);
    const settingsFor = async (certificate: typeof right) => {
      const port = side.tlsServer ? await side.tlsServer(t, certificate) : await openTlsDoor(t, certificate, side.serverPort!);
      return side.tls!({ port, impatient: true, caFile, folder });
    };
    for (const [index, [name, certificate]] of Object.entries(wrong).entries()) {
      const reef = bench.reef(await settingsFor(certificate)).start();
      if (index === 0) await side.write(rows, reef);
      await bench
        .refuses(reef, certificateWords)
        .catch((error: Error) => assert.fail(`a certificate that is ${name}: ${error.message}`));
      assert.deepEqual(bench.arrived, [], `rows came from a server whose certificate is ${name}`);
      await reef.stop();
    }
    const reef = bench.reef(await settingsFor(right)).start();
    await bench.expect(rows, reef);
  },

  async handles(bench) {
    const rows = numberedRows(10);
    const reef = bench.reef().start();
    await bench.side.write(rows, reef);
    await bench.expect(rows, reef);
    // The command ends by itself once nothing is open any more; `stop` waits no longer than the drain, and some.
    await reef.stop();
  },
};

/** Some of what was offered has been dropped; what comes later arrives, and in the end the log says how much is missing. */
async function goesOn(bench: SourceBench, reef: ReefRun, n: number): Promise<void> {
  const came = (): boolean => bench.arrived.some((row) => row.n === n);
  // It may find no room itself, at first.
  const deadline = performance.now() + patienceMs();
  while (!came()) {
    assert.ok(performance.now() < deadline, `nothing comes any more\n${bench.context(reef)}`);
    await bench.side.write(numberedRows(1, { from: n }), reef);
    await bench.gate.until(came, 200);
  }
  await reef.stop();
  const [, dropped] =
    /(\d+) datagrams were dropped/.exec(reef.said) ?? assert.fail(`nothing was dropped\n${bench.context(reef)}`);
  const offered = new Set(bench.arrived.map((row) => row.n)).size + Number(dropped);
  assert.ok(offered >= n, `${offered} rows have arrived or were counted as dropped, ${n} were sent\n${bench.context(reef)}`);
}

/** Ends Reef with rows in flight, several times, and looks whether all arrive in the end. */
async function interrupted(
  bench: SourceBench,
  times: number,
  end: (reef: ReturnType<SourceBench['reef']>) => Promise<unknown>,
): Promise<void> {
  const { side, gate } = bench;
  const rows = numberedRows(1000 * times);
  const reef = bench.reef();
  gate.delayMs = 5;
  const writing: Promise<void>[] = [];
  for (let time = 0; time < times; time++) {
    const before = gate.rows.length;
    reef.start();
    writing.push(side.write(rows.slice(time * 1000, (time + 1) * 1000), reef));
    if (!(await bench.until(reef, ({ rows }) => rows.length > before))) break;
    await pause(Math.random() * 30);
    await end(reef);
  }
  reef.start();
  await Promise.all(writing);
  await bench.expect(rows, reef);
}
