/** What the bench runs: the rivals and Reef's own pipelines, each as one command line. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measured } from './measure.ts';

export interface Workload {
  readonly name: string;
  readonly what: string;
  /** Input rows are divided by this: for rivals that would take hours otherwise. */
  readonly divisor?: number;
  readonly output: boolean;
  /** Share of the rows that must be in the output at least: less than all where rows are made to fail. Default 1. */
  readonly keeps?: number;
  /** Says what is missing, with what provides it; undefined: ready. */
  readonly missing: () => string | undefined;
  readonly version?: () => string;
  readonly prepare: (files: Files) => Measured;
}

export interface Files {
  readonly input: string;
  readonly rows: number;
  readonly output: string;
  readonly folder: string;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const reef = here('../engine/bin/reef.js');
const simdjson = join(tmpdir(), `reef-bench-simdjson-${process.getuid?.() ?? 0}`);

export const workloads: readonly Workload[] = [
  {
    name: 'node-loop',
    what: '(a) Node: readline, JSON.parse, one more field, JSON.stringify, write stream',
    output: true,
    missing: () => undefined,
    prepare: ({ input, output }) => ({ command: [process.execPath, here('rivals/node-loop.mjs'), input, output] }),
  },
  {
    name: 'indexof',
    what: '(b) Node: Buffer.indexOf for newlines, nothing parsed or written',
    output: false,
    missing: () => undefined,
    prepare: ({ input }) => ({ command: [process.execPath, here('rivals/indexof.mjs'), input] }),
  },
  {
    name: 'simdjson',
    what: '(c) simdjson (C++): every document validated, one field, nothing written',
    output: false,
    missing: () => (existsSync('/usr/include/simdjson.h') && onPath('g++') ? undefined : 'libsimdjson-dev and g++'),
    version: () => packageVersion('libsimdjson-dev'),
    prepare: ({ input }) => {
      execFileSync('g++', ['-O3', '-march=native', here('rivals/simdjson.cpp'), '-o', simdjson, '-lsimdjson']);
      return { command: [simdjson, input] };
    },
  },
  {
    name: 'rsyslog',
    what: '(d) rsyslog: imfile → mmjsonparse → one field more → omfile',
    divisor: 10,
    output: true,
    missing: () => (onPath('rsyslogd') ? undefined : 'rsyslog'),
    version: () => packageVersion('rsyslog'),
    prepare: prepareRsyslog,
  },
  reefWorkload('reef-copy', 'Reef: file → file', 'copy', 1),
  reefWorkload('reef-copy-2', 'Reef: file → file, 2 workers', 'copy', 2),
  reefWorkload('reef-moment', 'Reef: file → native function moment → file', 'moment', 1),
  reefWorkload('reef-moment-2', 'Reef: file → native function moment → file, 2 workers', 'moment', 2),
  {
    ...reefWorkload('reef-moment-noop', 'the same, 1 worker, tracker, checkpoint and sink confirmation as no-ops', 'moment', 1),
    prepare: (files) => ({ ...reefCommand('moment', 1, files), env: { ...reefFiles(files), REEF_BENCH_NOOP: '1' } }),
  },
  wasmWorkload('reef-wasm', 'Reef: file → wasm function moment, sent one column → file', 'moment-wasm', 'tuned'),
  wasmWorkload('reef-wasm-2', 'the same, 2 workers', 'moment-wasm', 'tuned', 2),
  wasmWorkload('reef-wasm-row', 'the same, 1 worker, sent the whole row', 'moment-wasm-row', 'tuned'),
  wasmWorkload('reef-wasm-plain', 'a plain --release build of it, sent one column', 'moment-wasm', 'plain'),
  wasmWorkload('reef-wasm-plain-row', 'a plain --release build, sent the whole row', 'moment-wasm-row', 'plain'),
  {
    ...wasmWorkload('reef-wasm-traps', 'the tuned build, sent one column, 1 % of the rows trap', 'moment-wasm', 'traps'),
    keeps: 0.98,
  },
  reefWorkload('reef-heavy', 'Reef: file → a heavier function → file', 'heavy', 1, 10),
  reefWorkload('reef-heavy-2', 'Reef: file → a heavier function → file, 2 workers', 'heavy', 2, 10),
  {
    name: 'kernel-scan',
    what: "Reef's kernel alone: scan, every byte validated, one field found, nothing written",
    output: false,
    missing: () => undefined,
    prepare: ({ input }) => ({ command: [process.execPath, here('kernel-file.ts'), input] }),
  },
];

function reefWorkload(name: string, what: string, pipeline: string, workers: number, divisor = 1): Workload {
  return {
    name,
    what,
    divisor,
    output: true,
    missing: () => (existsSync(here('../engine/dist/reef.cjs')) ? undefined : 'a build: npm run build'),
    prepare: (files) => reefCommand(pipeline, workers, files),
  };
}

type Build = 'tuned' | 'plain' | 'traps';

/** The tuned build is the committed one; the others are made when they are first needed, where a compiler is. */
function wasmWorkload(name: string, what: string, pipeline: string, build: Build, workers = 1): Workload {
  const base = reefWorkload(name, what, pipeline, workers);
  return {
    ...base,
    missing: () => base.missing() ?? (moduleOf(build) ? undefined : 'a Rust compiler for wasm (examples/moment/rust/build.sh)'),
    prepare: (files) => {
      const { command, env } = reefCommand(pipeline, workers, files);
      return { command, env: { ...env, REEF_BENCH_MODULE: moduleOf(build)! } };
    },
  };
}

const built = new Map<Build, string | undefined>();

function moduleOf(build: Build): string | undefined {
  if (build === 'tuned') return here('../examples/moment/moment.wasm');
  if (!built.has(build)) {
    const path = join(mkdtempSync(join(tmpdir(), 'reef-bench-')), 'moment.wasm');
    const { status, stderr } = spawnSync('bash', [here('../examples/moment/rust/build.sh'), path, `--${build}`], {
      encoding: 'utf8',
    });
    if (status !== 0 && status !== 69) throw new Error(`Cannot build moment --${build}:\n${stderr}`);
    built.set(build, status === 0 ? path : undefined);
  }
  return built.get(build);
}

function reefCommand(pipeline: string, workers: number, files: Files): Measured {
  const state = join(files.folder, 'state');
  const args = ['run', here(`pipelines/${pipeline}.yaml`), '--workers', String(workers), '--state', state];
  return { command: [process.execPath, reef, ...args], env: reefFiles(files) };
}

function reefFiles({ input, output }: Files): Record<string, string> {
  return { REEF_BENCH_INPUT: input, REEF_BENCH_OUTPUT: output };
}

/** rsyslog is a daemon: it is done when the last row stands in its output, and is then asked to end. */
function prepareRsyslog({ input, output, rows, folder }: Files): Measured {
  const work = join(folder, 'rsyslog');
  mkdirSync(work, { recursive: true });
  const config = join(work, 'rsyslog.conf');
  const values: Record<string, string> = { INPUT: input, OUTPUT: output, WORK: work };
  writeFileSync(
    config,
    readFileSync(here('rivals/rsyslog.conf.in'), 'utf8').replace(/@([A-Z]+)@/g, (_, name: string) => values[name]!),
  );
  return {
    command: ['rsyslogd', '-n', '-f', config, '-i', join(work, 'pid')],
    done: async () => (await lastBytes(output)).includes(`"id":"${String(rows - 1).padStart(9, '0')}"`),
  };
}

async function lastBytes(path: string): Promise<string> {
  if (!existsSync(path)) return '';
  await using file = await open(path);
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(400), 0, 400, Math.max(0, size - 400));
  return buffer.toString('latin1', 0, bytesRead);
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

function packageVersion(name: string): string {
  try {
    return execFileSync('dpkg-query', ['-W', '-f', `${name} \${Version}`, name], { encoding: 'utf8' });
  } catch {
    return name;
  }
}

/** For messages about what REEF_SETUP=1 installs. */
export const debianPackages = ['libsimdjson-dev', 'g++', 'rsyslog'] as const;
