import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Owner } from '../owner.ts';
import { accepts, firstAnswer } from './answers.ts';
import { missing, type Need, program } from './needs.ts';
import { type Server, type ServerOptions, startServer } from './server.ts';

/** Answers with its process id; refuses to end in order when told so. */
const SERVER = `
  const [port, stubborn] = process.argv.slice(1);
  if (stubborn === 'yes') process.on('SIGTERM', () => {});
  console.log('it starts');
  require('node:net').createServer((socket) => { socket.on('error', () => {}); socket.end(String(process.pid)); })
    .listen(Number(port), '127.0.0.1');
`;

const options: ServerOptions<'main'> = {
  name: 'pid-server',
  ports: ['main'],
  prepare: ({ folder }) => writeFileSync(join(folder, 'prepared'), ''),
  command: ({ ports }) => [process.execPath, '-e', SERVER, String(ports.main)],
  ready: ({ ports }) => accepts(ports.main),
};

const pidOf = async (server: Server<'main'>): Promise<number> => Number(await firstAnswer(server.ports.main, ''));

/** An owner whose end comes when the test says so. */
function ownerThatEnds(): Owner & { end(): Promise<void> } {
  const ends: (() => void | Promise<void>)[] = [];
  return {
    after: (fn) => ends.push(fn),
    async end() {
      for (const fn of ends) await fn();
    },
  };
}

test('a server is there when its start resolves, and gone with its folder when its owner ends', async () => {
  const owner = ownerThatEnds();
  const server = await startServer(owner, options);
  assert.equal(await pidOf(server), server.pid);
  assert.ok(existsSync(join(server.folder, 'prepared')));
  assert.match(server.log, /it starts/);
  await owner.end();
  assert.equal(await accepts(server.ports.main), false);
  assert.equal(existsSync(server.folder), false);
});

test('a server comes back on its port after a stop, and after a kill', async (t) => {
  const server = await startServer(t, options);
  const first = await pidOf(server);
  await server.restart();
  const second = await pidOf(server);
  await server.kill();
  assert.equal(await accepts(server.ports.main), false);
  await server.start();
  assert.equal(new Set([first, second, await pidOf(server)]).size, 3);
});

test('a server that ends at its start fails with what it wrote', async (t) => {
  const wrong = { ...options, command: () => [process.execPath, '-e', 'console.error("no such port"); process.exit(3)'] };
  await assert.rejects(startServer(t, wrong), /Cannot start pid-server: it ended; its log:\nno such port/);
});

test('a server that does not serve in time is ended and fails with what it wrote', async (t) => {
  const wrong = { ...options, ready: async () => false, readyMs: 300 };
  await assert.rejects(startServer(t, wrong), /Cannot start pid-server: it does not serve within 0.3 s; its log:/);
});

test('a frozen server accepts and answers nothing until it is resumed', async (t) => {
  const server = await startServer(t, options);
  server.freeze();
  let answered = false;
  const answer = pidOf(server).then((pid) => {
    answered = true;
    return pid;
  });
  await accepts(server.ports.main);
  assert.equal(answered, false);
  server.resume();
  assert.equal(await answer, server.pid);
});

test('a server does not outlive the process that started it, even a killed one', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const module = new URL('./server.ts', import.meta.url).href;
  const text = `
    const { startServer } = await import(${JSON.stringify(module)});
    const server = await startServer({ after() {} }, {
      name: 'orphan', ports: ['main'], ready: async () => true,
      command: () => [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
    });
    process.stdout.write(String(server.pid), () => process.kill(process.pid, 'SIGKILL'));`;
  let pid = 0;
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    pid = Number((error as { stdout: Buffer }).stdout);
  }
  assert.ok(pid > 0);
  await untilGone(t, pid);
});

async function untilGone(t: TestContext, pid: number): Promise<void> {
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {}
  });
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what is missing is named, and installed only where that was asked for', async (t) => {
  const before = { CI: process.env.CI, REEF_SETUP: process.env.REEF_SETUP };
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  delete process.env.CI;
  delete process.env.REEF_SETUP;
  let installed = 0;
  const need: Need = {
    lacks: async () => (installed > 0 ? undefined : 'a thing is not there'),
    install: async () => {
      installed++;
    },
  };
  assert.equal(await missing(need), 'a thing is not there');
  assert.match(String(await missing(program('no-such-program', 'nothing'))), /Debian package nothing/);
  process.env.REEF_SETUP = '1';
  assert.equal(await missing(need), false);
  assert.equal(installed, 1);
});
