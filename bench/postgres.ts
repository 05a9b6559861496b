/**
 * A file to PostgreSQL by COPY, into a table with types: rows a second, and rows per CPU-second of the Reef process; beside psql's
 * `\copy`, which sends the same rows as lines that are ready for COPY and looks at none of them.
 *
 *   node bench/postgres.ts [--rows 1000000] [--rounds 3]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { missing } from '../engine/src/testing/servers/needs.ts';
import { type Postgres, postgres, startPostgres } from '../engine/src/testing/servers/postgres.ts';
import { runProgram } from '../engine/src/testing/servers/run-program.ts';
import { figures } from './figures.ts';
import { describeMachine } from './machine.ts';
import { measure, type Run } from './measure.ts';
import { inputWith } from './rows.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
});
const rows = Number(values.rows);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'reef-postgres-'));
const cleanUps: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
try {
  const lack = await missing(postgres);
  if (lack !== false) throw new Error(`Cannot run without PostgreSQL: ${lack}`);
  const input = await inputWith(rows);
  // A checkpoint in the middle of one run and not of another would be seen in its wall time.
  const server = await startPostgres({ after: (cleanUp) => cleanUps.push(cleanUp) }, { more: ['max_wal_size = 8GB'] });
  const [version] = await server.sql('SHOW server_version');
  console.log(`${describeMachine([`PostgreSQL ${version}`]).join('; ')}; ${rows} rows, ${(input.bytes / 1e6).toFixed(0)} MB`);
  await server.sql(
    `CREATE TABLE rows (id text, creation_timestamp bigint, host text, level text, path text, bytes int, latency_ms float8, cached bool);
     ALTER TABLE rows OWNER TO reef`,
  );
  const lines = join(folder, 'rows.tsv');
  for (let round = 0; round < Number(values.rounds); round++) {
    await server.sql('TRUNCATE rows');
    await report('reef', server, await reef(server, input.path, join(folder, `state-${round}`)));
    if (round === 0) await runProgram(psql(server, `\\copy rows to '${lines}'`));
    await server.sql('TRUNCATE rows');
    await report('psql \\copy', server, await measure({ command: psql(server, `\\copy rows from '${lines}'`) }));
  }
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}

function reef(server: Postgres, path: string, state: string): Promise<Run> {
  return measure({
    command: [process.execPath, at('../engine/bin/reef.js'), 'run', at('pipelines/postgres.yaml'), '--state', state],
    env: {
      REEF_BENCH_PORT: String(server.ports.postgres),
      REEF_BENCH_PASSWORD: server.password,
      REEF_BENCH_INPUT: path,
    },
  });
}

function psql({ folder: socket, ports }: Postgres, command: string): [string, ...string[]] {
  return [
    'psql',
    '-h',
    socket,
    '-p',
    String(ports.postgres),
    '-U',
    'admin',
    '-d',
    'reef',
    '-Xq',
    '-v',
    'ON_ERROR_STOP=1',
    '-c',
    command,
  ];
}

async function report(what: string, server: Postgres, run: Run): Promise<void> {
  const [count] = await server.sql('SELECT count(*) FROM rows');
  if (Number(count) !== rows) throw new Error(`${what}: ${count} rows of ${rows} are there`);
  console.log(`${what}: ${figures(rows, run)}`);
}
