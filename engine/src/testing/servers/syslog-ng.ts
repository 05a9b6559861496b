/**
 * syslog-ng, of Debian's packages. These exclude rsyslog, so they are not installed but unpacked into the user's cache folder, with
 * those of their libraries that are not there.
 */
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../owner.ts';
import { accepts } from './answers.ts';
import type { Need } from './needs.ts';
import { jsonLinesOf } from './rsyslog.ts';
import { runProgram } from './run-program.ts';
import { type Server, startServer } from './server.ts';

const PACKAGE = 'syslog-ng-core';
const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'reef', 'servers', PACKAGE);
const binary = join(root, 'usr/sbin/syslog-ng');

export const syslogNg: Need = {
  lacks: async () =>
    existsSync(binary)
      ? undefined
      : `syslog-ng is not in ${root}, expected the Debian package ${PACKAGE} there (REEF_SETUP=1 unpacks it)`,
  install: unpack,
};

async function unpack(): Promise<void> {
  const folder = `${root}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    // What would be installed is what is missing, libraries included.
    const plan = await runProgram(['apt-get', '-s', 'install', '--no-install-recommends', PACKAGE]);
    const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name!);
    await runProgram(['apt-get', '-qq', 'download', ...names], { cwd: folder, timeoutMs: 600_000 });
    for (const file of globSync('*.deb', { cwd: folder })) {
      await runProgram(['dpkg', '-x', file, 'root'], { cwd: folder });
    }
    await rename(join(folder, 'root'), root).catch((error) => {
      // Another file of tests was faster.
      if (!existsSync(binary)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface SyslogNgOptions {
  /** Where it gets messages: a driver in its own language, in which `PORT` is its port. Default: RFC 5424 over TCP, counted. */
  readonly source?: string;
  /** Where it sends what it gets: such a driver, `syslog("127.0.0.1" port(1514))`. Default: a file. */
  readonly destination?: string;
  /** Files beside its configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface SyslogNg extends Server<'tcp'> {
  /** What it has received and written: objects of its macros by name. */
  received(): Readonly<Record<string, string>>[];
}

const COUNTED = 'syslog(ip("127.0.0.1") port(PORT) transport("tcp"))';
/** Structured data, of elements that are called `seen@32473`, follows as `.SDATA.seen@32473.NAME`. */
const macros = 'facility=$FACILITY severity=$LEVEL timestamp=$S_ISODATE hostname=$HOST appname=$PROGRAM procid=$PID msgid=$MSGID';
const json = `"$(format-json ${macros} message=$MESSAGE --key .SDATA.*)\n"`;

export async function startSyslogNg(
  owner: Owner,
  { source = COUNTED, destination, files = {} }: SyslogNgOptions = {},
): Promise<SyslogNg> {
  const fileOf = ({ folder }: { readonly folder: string }): string => join(folder, 'received.jsonl');
  const started = await startServer(owner, {
    name: 'syslog-ng',
    ports: ['tcp'],
    prepare(place) {
      const { folder, ports } = place;
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      const lines = [
        '@version: 3.35',
        'options { keep-hostname(yes); log-msg-size(1048576); };',
        `source in { ${source.replace('PORT', String(ports.tcp))}; };`,
        `destination out { ${destination ?? `file("${fileOf(place)}" template(${json}))`}; };`,
        'log { source(in); destination(out); };',
      ];
      writeFileSync(join(folder, 'syslog-ng.conf'), `${lines.join('\n')}\n`);
    },
    command: ({ folder }) => [
      binary,
      ...['-F', '--stderr', '--no-caps', '-f', join(folder, 'syslog-ng.conf'), '-R', join(folder, 'persist')],
      ...['-c', join(folder, 'control'), '-p', join(folder, 'pid')],
      `--module-path=${globSync(join(root, 'usr/lib/syslog-ng/[0-9]*')).join(':')}`,
    ],
    env: { LD_LIBRARY_PATH: globSync(`${root}/{usr/lib/syslog-ng,usr/lib/*-linux-gnu,lib/*-linux-gnu}`).join(':') },
    ready: ({ ports }) => accepts(ports.tcp),
  });
  return Object.assign(started, { received: () => jsonLinesOf(fileOf(started)) });
}
