// Makes a checkout ready to run: installs what package-lock.json lists and builds engine/dist, each only when it is stale.
// npm runs it before `start`, `test`, `check` and `bench`. It must run on the machine's own Node (20 or newer) with nothing
// installed yet, so it is plain JavaScript over Node's own modules. Everything after it runs on the Node of the checkout.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 24;
const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...path) => join(root, ...path);

install();
build(checkedNode());

function install() {
  const lock = at('package-lock.json');
  const installed = at('node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  step('installed dependencies', () => {
    // npm tells its scripts where it lives: the same npm runs again, whatever is on the path.
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
    // Also under NODE_ENV=production: the compiler is a development dependency.
    return run([...npm, 'ci', '--include=dev', '--include=optional', '--loglevel=error']);
  });
}

/** The Node that npm scripts and the `reef` command get: the one of the checkout, else the machine's own. */
function checkedNode() {
  const bundled = at('node_modules', '.bin', 'node');
  if (existsSync(bundled)) {
    if (spawnSync(bundled, ['--version']).status === 0) return bundled;
    // A Linux without glibc cannot run it; while it stands there it hides the machine's own Node from npm scripts.
    rmSync(bundled);
  }
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return process.execPath;
  stop(
    `Cannot run Reef: this is Node ${process.versions.node} on ${process.platform}-${process.arch}, ` +
      `expected Node ${OLDEST_NODE} or newer (a checkout brings its own only for linux-x64 and linux-arm64 with glibc).`,
  );
}

function build(node) {
  const dist = at('engine', 'dist');
  const stamp = join(dist, '.built-from');
  const sources = [
    at('engine', 'tsconfig.json'),
    at('package-lock.json'),
    at('scripts', 'bundle.ts'),
    ...filesIn(at('engine', 'src')),
  ];
  const state = createHash('sha256');
  for (const file of sources) {
    const { mtimeMs, size } = statSync(file);
    state.update(`${file}\n${mtimeMs}\n${size}\n`);
  }
  const wanted = state.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
  const output = step('built engine/dist', () => run([node, tsc, '-p', at('engine'), '--listEmittedFiles']));
  const emitted = Array.from(output.matchAll(/^TSFILE: *(.*)$/gm), (match) => resolve(root, match[1]));
  const bundled = step('bundled the reef command', () => run([node, at('scripts', 'bundle.ts')]));
  removeOthers(dist, new Set([...emitted, ...bundled.trim().split('\n')]));
  writeFileSync(stamp, wanted);
}

/** A source that was deleted or renamed leaves its old output behind, which an import could still find. */
function removeOthers(dist, emitted) {
  for (const file of filesIn(dist)) if (!emitted.has(file)) rmSync(file);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function step(what, action) {
  const started = Date.now();
  const { status, output } = action();
  if (status !== 0) {
    process.stderr.write(output.replace(/^TSFILE: .*\n/gm, ''));
    stop(`Setup failed (${what}): the command ended with ${status}, see above.`);
  }
  console.error(`setup: ${what} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return output;
}

/** Runs a command quietly; its output matters only when it fails. */
function run([command, ...args]) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.error) return { status: result.error.message, output: '' };
  return { status: result.status ?? result.signal, output: result.stdout + result.stderr };
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
