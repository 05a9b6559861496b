/** PostgreSQL, of Debian's packages: one database `reef`, a user of that name with a password, over TCP with or without TLS. */
import { chownSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../owner.ts';
import { findProgram, type Need, program } from './needs.ts';
import { runProgram, userIds } from './run-program.ts';
import { type Server, startServer } from './server.ts';

export interface PostgresOptions {
  /** PEM; with it clients must speak TLS. `clientAuthority`: the user must show a certificate signed by it, and needs no password. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  /** Lines for the end of postgresql.conf. */
  readonly more?: readonly string[];
}

export interface Postgres extends Server<'postgres'> {
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Runs SQL as an administrator, over the Unix socket; resolves with lines, values with `|` between them. */
  sql(text: string): Promise<string[]>;
}

/** It refuses to run as root. */
const USER = process.getuid?.() === 0 ? 'postgres' : undefined;
const PASSWORD = 'correct horse';

const server = program('/usr/lib/postgresql/*/bin/postgres', 'postgresql');

export const postgres: Need = {
  lacks: async () => (binFolder() === undefined ? server.lacks() : program('psql', 'postgresql-client').lacks()),
  install: () => server.install(),
};

function binFolder(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin').sort().at(-1);
}

export async function startPostgres(owner: Owner, { tls, more = [] }: PostgresOptions = {}): Promise<Postgres> {
  const bin = binFolder()!;
  const started = await startServer(owner, {
    name: 'postgres',
    ports: ['postgres'],
    ...(USER === undefined ? {} : { user: USER }),
    async prepare({ folder, ports }) {
      const data = join(folder, 'data');
      const make = [join(bin, 'initdb'), '-D', data, '-A', 'trust', '-U', 'admin', '--no-sync', '-E', 'UTF8'];
      await runProgram(make, { user: USER });
      const ids = USER === undefined ? undefined : await userIds(USER);
      const put = (name: string, text: string): void => {
        writeFileSync(join(data, name), text, { mode: 0o600 });
        if (ids?.uid !== undefined && ids.gid !== undefined) chownSync(join(data, name), ids.uid, ids.gid);
      };
      const lines = [`port = ${ports.postgres}`, "listen_addresses = '127.0.0.1'", `unix_socket_directories = '${folder}'`];
      // In its folder, so that nothing stays behind of a server that is killed.
      lines.push('dynamic_shared_memory_type = mmap');
      if (tls) {
        put('server.crt', tls.certificate);
        put('server.key', tls.key);
        if (tls.clientAuthority !== undefined) put('clients.crt', tls.clientAuthority);
        lines.push('ssl = on', ...(tls.clientAuthority === undefined ? [] : ["ssl_ca_file = 'clients.crt'"]));
      }
      put('postgresql.auto.conf', `${[...lines, 'password_encryption = scram-sha-256', ...more].join('\n')}\n`);
      const kind = tls ? 'hostssl' : 'host';
      const proof = tls?.clientAuthority === undefined ? 'scram-sha-256' : 'cert';
      put('pg_hba.conf', `local all admin trust\n${kind} reef reef 127.0.0.1/32 ${proof}\n`);
    },
    command: ({ folder }) => [join(bin, 'postgres'), '-D', join(folder, 'data')],
    ready: async ({ folder, ports }) => {
      await runProgram([join(bin, 'pg_isready'), '-h', folder, '-p', String(ports.postgres)]);
      return true;
    },
    // Fast: connections are cut, what is committed is kept.
    stopSignal: 'SIGINT',
  });
  const sql = async (text: string, database = 'reef'): Promise<string[]> => {
    const args = [
      '-h',
      started.folder,
      '-p',
      String(started.ports.postgres),
      '-U',
      'admin',
      '-d',
      database,
      '-XqAt',
      '-v',
      'ON_ERROR_STOP=1',
    ];
    const out = await runProgram([findProgram('psql') ?? 'psql', ...args, '-c', text]);
    return out === '' ? [] : out.trimEnd().split('\n');
  };
  await sql(`CREATE ROLE reef LOGIN PASSWORD '${PASSWORD}'`, 'postgres');
  await sql('CREATE DATABASE reef OWNER reef', 'postgres');
  return Object.assign(started, { database: 'reef', user: 'reef', password: PASSWORD, sql: (text: string) => sql(text) });
}
