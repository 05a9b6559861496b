import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { withoutRights } from '../connectors/testing/without-rights.ts';
import { ReefError } from '../errors.ts';
import { InFlight, type Range, readInFlight } from './inflight.ts';
import { openState, type State } from './state.ts';
import { defaultStateFolder } from './state-folder.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reef-state-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'state');
}

/** Runs statements in a process of its own that then waits to be killed. */
async function holdInChild(t: TestContext, folder: string, statements = ''): Promise<{ pid: number; kill(): Promise<void> }> {
  const module = new URL('./state.ts', import.meta.url).href;
  const script = `const { openState } = await import(${JSON.stringify(module)});
    const state = await openState(${JSON.stringify(folder)});
    ${statements}
    process.stdout.write('ready');
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  t.after(kill);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the child ended')));
  });
  return { pid: child.pid!, kill };
}

describe('default state folder', () => {
  test('lies below XDG_STATE_HOME and carries a hash of the path', () => {
    const folder = defaultStateFolder('/srv/a/moment.yaml', 'moment', { XDG_STATE_HOME: '/var/state', HOME: '/home/u' });
    assert.match(folder, /^\/var\/state\/reef\/moment-[0-9a-f]{8}$/);
    assert.notEqual(folder, defaultStateFolder('/srv/b/moment.yaml', 'moment', { XDG_STATE_HOME: '/var/state' }));
  });
  test('falls back to ~/.local/state, and a relative XDG_STATE_HOME is ignored', () => {
    assert.equal(defaultStateFolder('-', 'm', { HOME: '/home/u', XDG_STATE_HOME: 'x' }), '/home/u/.local/state/reef/m');
  });
  test('REEF_STATE_HOME goes before both', () => {
    assert.equal(defaultStateFolder('-', 'm', { REEF_STATE_HOME: '/s', XDG_STATE_HOME: '/x', HOME: '/h' }), '/s/m');
  });
  test('a name cannot lead out of the folder', () => {
    assert.equal(defaultStateFolder('-', '../../etc', { REEF_STATE_HOME: '/s' }), '/s/__.._etc');
    assert.equal(defaultStateFolder('-', '..', { REEF_STATE_HOME: '/s' }), '/s/_');
  });
});

describe('state folder', () => {
  test('is made for its owner alone and keeps a checkpoint over a restart', async (t) => {
    const folder = await folderFor(t);
    const first = await openState(folder);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal(first.checkpoint, undefined);
    assert.equal(first.clean, true);
    await first.save({ positions: { in: { 'a.log': 10 } }, sinks: { out: { length: 5 } } });
    await first.markClean();
    await first.close();

    const second = await openState(folder);
    assert.deepEqual(second.checkpoint?.positions, { in: { 'a.log': 10 } });
    assert.deepEqual(second.checkpoint?.sinks, { out: { length: 5 } });
    assert.equal(second.clean, true);
    await second.close();
  });

  test('saves in the order of the calls and leaves no other file behind', async (t) => {
    const folder = await folderFor(t);
    const state = await openState(folder);
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => state.save({ positions: { in: { p: n } }, sinks: {} }, { sync: n % 2 === 0 })),
    );
    await state.markClean();
    await state.close();
    assert.deepEqual(await readdir(folder), ['checkpoint.json']);
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'checkpoint.json'), 'utf8')).positions, { in: { p: 19 } });
  });

  test('keeps what did not wait for the disk over a kill, and forgets it over a restart of the machine', async (t) => {
    const folder = await folderFor(t);
    const checkpoint = { positions: { in: { a: 1 } }, sinks: {} };
    const killed = await openState(folder, { boot: 'one' });
    await killed.save(checkpoint, { sync: false });
    await killed.close();
    const again = await openState(folder, { boot: 'one' });
    assert.deepEqual(again.checkpoint?.positions, checkpoint.positions);
    await again.close();
    const restarted = await openState(folder, { boot: 'two' });
    assert.equal(restarted.checkpoint, undefined);
    await restarted.save(checkpoint);
    await restarted.markClean();
    await restarted.close();
    const ordered = await openState(folder, { boot: 'three' });
    assert.deepEqual(ordered.checkpoint?.positions, checkpoint.positions, 'a run that ended in order has all on disk');
    await ordered.close();
  });

  test('forgets the positions when a batch is done', async (t) => {
    const folder = await folderFor(t);
    const state = await openState(folder);
    await state.save({ positions: { in: { p: 1 } }, sinks: {} });
    await state.remove();
    await state.markClean();
    await state.close();
    assert.deepEqual(await readdir(folder), []);
  });

  test('is refused while another process uses it, by pid and folder', async (t) => {
    const folder = await folderFor(t);
    const child = await holdInChild(t, folder);
    await assert.rejects(openState(folder), (error: ReefError) => {
      assert.equal(error.code, 'state');
      assert.match(error.message, new RegExp(`process ${child.pid} `));
      assert.ok(error.message.includes(folder));
      return true;
    });
  });

  test('is refused to a second open in the same process until the first is closed', async (t) => {
    const folder = await folderFor(t);
    const state = await openState(folder);
    await assert.rejects(openState(folder), { code: 'state' });
    await state.close();
    await (await openState(folder)).close();
  });

  test('is taken over after kill -9, which is told and leaves the ranges that were being computed', async (t) => {
    const folder = await folderFor(t);
    const child = await holdInChild(
      t,
      folder,
      `state.inFlight.begin(0, { source: 'in', partition: 'a.log', from: 0, to: 100 });
       state.inFlight.begin(3, { source: 'in', partition: 'b.log', from: 2 ** 40, to: 2 ** 40 + 7 });
       state.inFlight.begin(1, { source: 'in', partition: 'a.log', from: 100, to: 200 });
       state.inFlight.end(0);`,
    );
    await child.kill();
    const state = await openState(folder);
    assert.equal(state.clean, false);
    assert.deepEqual(state.interrupted, [
      { source: 'in', partition: 'a.log', from: 100, to: 200 },
      { source: 'in', partition: 'b.log', from: 2 ** 40, to: 2 ** 40 + 7 },
    ]);
    await state.markClean();
    await state.close();
    assert.equal((await readdir(folder)).includes('lock'), false);
  });

  test('a pid that another process has now does not keep the lock', async (t) => {
    const folder = await folderFor(t);
    const child = await holdInChild(t, folder);
    await child.kill();
    const lock = JSON.parse(await readFile(join(folder, 'lock'), 'utf8'));
    // The pid of this very process, but another start time.
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...lock, pid: process.pid }));
    await (await openState(folder)).close();
  });

  test('many at once: one gets a stale lock, also when another died while it took it over', async (t) => {
    const folder = await folderFor(t);
    const child = await holdInChild(t, folder);
    await child.kill();
    const stale = await readFile(join(folder, 'lock'), 'utf8');
    for (let round = 0; round < 10; round++) {
      await writeFile(join(folder, 'lock'), stale);
      const hash = createHash('sha256').update(stale).digest('hex').slice(0, 16);
      await writeFile(join(folder, `lock.from-${hash}`), stale.replace('{', '{ '));
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => openState(folder)));
      const won = results.filter((result) => result.status === 'fulfilled');
      assert.equal(won.length, 1);
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'state');
      for (const result of won) await result.value.close();
      assert.deepEqual(await readdir(folder), ['running']);
    }
  });

  test('many processes at once: one gets a stale lock, every time', { timeout: 60_000 }, async (t) => {
    const folder = await folderFor(t);
    const module = new URL('./lock.ts', import.meta.url).href;
    const script = `const { acquireLock } = await import(${JSON.stringify(module)});
      process.on('message', (path) => acquireLock(path, '').then(() => process.send('won'), ({ code }) => process.send(code)));
      process.send('ready');`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
    t.after(() => {
      for (const child of children) child.kill('SIGKILL');
    });
    const answers = (): Promise<unknown[]> =>
      Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))));
    await answers();
    await mkdir(folder);
    for (let round = 0; round < 60; round++) {
      const path = join(folder, `lock-${round}`);
      await writeFile(path, JSON.stringify({ pid: 1, started: -1, boot: 'another', namespace: '' }));
      const answered = answers();
      for (const child of children) child.send(path);
      assert.deepEqual((await answered).sort(), ['state', 'state', 'state', 'won']);
    }
    assert.equal((await readdir(folder)).length, 60);
  });

  for (const [title, text, expected] of [
    ['half a checkpoint', '{"version":1,"posit', /not JSON/],
    ['a checkpoint of another version', '{"version":2,"positions":{},"sinks":{}}', /version is 2/],
    ['a checkpoint of another shape', '{"version":1,"positions":{"in":3},"sinks":{}}', /"positions"/],
    ['an empty checkpoint', '', /not JSON/],
  ] as const) {
    test(`${title} is an error that names the file, and the folder is not left locked`, async (t) => {
      const folder = await folderFor(t);
      await mkdir(folder);
      await writeFile(join(folder, 'checkpoint.json'), text);
      await assert.rejects(openState(folder), (error: ReefError) => {
        assert.ok(error instanceof ReefError);
        assert.match(error.message, expected);
        assert.ok(error.message.includes(join(folder, 'checkpoint.json')));
        return true;
      });
      await rm(join(folder, 'checkpoint.json'));
      await (await openState(folder)).close();
    });
  }

  test('that is a file is an error that says what is expected', async (t) => {
    const folder = await folderFor(t);
    await writeFile(folder, '');
    await assert.rejects(
      openState(folder),
      /Cannot use state folder [^:]*: (file already exists|not a directory), expected .*--state DIR/,
    );
  });

  test('that cannot be made is an error at once that names what is missing', { timeout: 10_000 }, async () => {
    // Of a folder that stands there, the system says that it is missing.
    const folder = existsSync('/proc/self') ? '/proc/nope/deep/state' : '/dev/null/deep/state';
    await assert.rejects(
      openState(folder),
      /^ReefError: Cannot use state folder [^:]*: no.* (directory|permitted)( \(\/proc\/nope\))?, expected a folder that can be written to/,
    );
  });

  test('without rights to it is an error that says so, and above it too', async (t) => {
    const folder = await folderFor(t);
    await withoutRights(dirname(folder), async () => {
      await mkdir(folder, { mode: 0o500 });
      const refused = /Cannot use state folder [^:]*: permission denied, expected/;
      await assert.rejects(openState(folder), refused);
      await assert.rejects(openState(join(folder, 'state')), refused);
    });
    assert.deepEqual(await readdir(folder), []);
  });

  test('on a full disk is an error that says so and leaves nothing behind', async (t) => {
    const folder = await folderFor(t);
    const module = new URL('./state.ts', import.meta.url).href;
    const script = `const { openState } = await import(${JSON.stringify(module)});
      await openState(process.argv[1]).catch((error) => console.log(error.message));`;
    const command = 'ulimit -f 0 && exec "$0" --input-type=module -e "$1" "$2"';
    const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script, folder]);
    assert.match(stdout, /^Cannot use state folder [^:]*: file too large, expected a folder that can be written to/);
    assert.deepEqual(await readdir(folder), []);
  });

  test('a checkpoint that cannot be written may be retried and leaves the one before', async (t) => {
    const folder = await folderFor(t);
    const state = await openState(folder);
    t.after(() => state.close());
    await state.save({ positions: { in: { p: 1 } }, sinks: {} });
    await mkdir(join(folder, 'checkpoint.json.new'));
    await assert.rejects(state.save({ positions: { in: { p: 2 } }, sinks: {} }), { code: 'state', retry: true });
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'checkpoint.json'), 'utf8')).positions, { in: { p: 1 } });
    await rm(join(folder, 'checkpoint.json.new'), { recursive: true });
    await state.save({ positions: { in: { p: 3 } }, sinks: {} });
  });
});

test('a full disk does not stop the record of what is being computed', async (t) => {
  const folder = await folderFor(t);
  await mkdir(folder);
  const module = new URL('./inflight.ts', import.meta.url).href;
  const script = `const { InFlight, readInFlight } = await import(${JSON.stringify(module)});
    const record = new InFlight(process.argv[1]);
    const range = (partition) => ({ source: 'in', partition, from: 1, to: 2 });
    record.begin(0, range('a'));
    record.begin(1, range('b'.repeat(5000)));
    record.begin(2, range('c'));
    record.begin(5000, range('a'));
    record.end(5000);
    console.log(JSON.stringify(readInFlight(process.argv[1]).map(({ partition }) => partition)));`;
  // A file may grow to 4 KiB (8 blocks of 512 bytes, or 4 of 1024 in some shells), then every write fails.
  const command = 'ulimit -f 8 && exec "$0" --input-type=module -e "$1" "$2"';
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script, join(folder, 'inflight')]);
  const noted = JSON.parse(stdout);
  assert.equal(noted[0], 'a');
  assert.ok(noted.length <= 3);
});

test('names of partitions do not pile up, and what is being computed keeps its own', async (t) => {
  const folder = await folderFor(t);
  await mkdir(folder);
  const path = join(folder, 'inflight');
  const record = new InFlight(path);
  t.after(() => record.close());
  const range = (partition: string): Range => ({ source: 'in', partition, from: 1, to: 2 });
  record.begin(0, range('first.log'));
  let largest = 0;
  for (let n = 0; n < 20_000; n++) {
    record.begin(1, range(`${n}.log`));
    record.end(1);
    if (n % 1000 === 0) largest = Math.max(largest, (await stat(`${path}.names`)).size);
  }
  record.begin(2, range('0.log'));
  record.begin(3, range('first.log'));
  assert.ok(largest < 200_000, `the names took ${largest} bytes`);
  assert.deepEqual(readInFlight(path), [range('first.log'), range('0.log'), range('first.log')]);
  record.end(0);
  record.end(3);
  for (let n = 0; n < 5000; n++) record.begin(1, range(`again-${n}.log`));
  assert.deepEqual(readInFlight(path), [range('again-4999.log'), range('0.log')]);
  assert.deepEqual(await readdir(folder), ['inflight', 'inflight.names']);
});

describe('suspects', () => {
  test('outlive the process, without repeats, and can be narrowed', async (t) => {
    const folder = await folderFor(t);
    const range = { source: 'in', partition: 'a.log', from: 0, to: 100 };
    const first = await openState(folder);
    await first.suspects.add({ kind: 'range', range }, { kind: 'digest', digest: 'sha256:00' });
    await first.suspects.add({ kind: 'range', range });
    await first.close();
    const second = await openState(folder);
    assert.deepEqual(second.suspects.list, [
      { kind: 'range', range },
      { kind: 'digest', digest: 'sha256:00' },
    ]);
    await second.suspects.replace([]);
    await second.close();
    const third = await openState(folder);
    assert.deepEqual(third.suspects.list, []);
    await third.close();
  });

  test('that cannot be read are an error that names the file', async (t) => {
    const folder = await folderFor(t);
    await mkdir(folder);
    await writeFile(join(folder, 'suspects.json'), '{');
    await assert.rejects(openState(folder), /Cannot use suspects .*suspects\.json/);
  });
});

test('a run that is killed before all is open is told from one that is killed later', async (t) => {
  const folder = await folderFor(t);
  const ends: ((state: State) => Promise<void>)[] = [
    async () => {},
    (state) => state.markStarted(),
    async (state) => {
      await state.markStarted();
      await state.markClean();
    },
    (state) => state.markClean(),
  ];
  const told: boolean[] = [];
  for (const end of [...ends, ends[0]!]) {
    const state = await openState(folder);
    told.push(state.killedAtStart);
    await end(state);
    await state.close();
  }
  assert.deepEqual(told, [false, true, false, false, false]);
});
