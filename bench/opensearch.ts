/**
 * A file to OpenSearch in bulks, acknowledgements on: rows a second, and rows per CPU-second of the Reef process; beside a server that
 * takes everything at once, which shows what the sink itself costs, and beside the HTTP client alone.
 *
 *   node bench/opensearch.ts [--rows 200000] [--rounds 3]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { missing } from '../engine/src/testing/servers/needs.ts';
import { opensearch, startOpenSearch } from '../engine/src/testing/servers/opensearch.ts';
import { figures } from './figures.ts';
import { describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { inputWith } from './rows.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '3' } },
});
const rows = Number(values.rows);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'reef-opensearch-'));
const cleanUps: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
try {
  const input = await inputWith(rows);
  console.log(`${describeMachine([])}; ${rows} rows, ${(input.bytes / 1e6).toFixed(0)} MB`);
  const target = spawn(process.execPath, [at('opensearch-target.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanUps.push(() => target.kill('SIGKILL'));
  const [said] = (await once(target.stdout, 'data')) as [Buffer];
  const taking = /http\S+/.exec(said.toString())![0];
  const lack = await missing(...opensearch);
  if (lack !== false) console.log(`without OpenSearch: ${lack}`);
  const server = lack === false ? await startOpenSearch({ after: (cleanUp) => cleanUps.push(cleanUp) }) : undefined;
  for (let round = 0; round < Number(values.rounds); round++) {
    await run('a server that takes all', taking, input.path, round);
    await runLibrary('the HTTP client alone to it', taking, input.path, round);
    if (!server) continue;
    await runLibrary('the HTTP client alone, OpenSearch 3.2', server.url, input.path, round);
    const index = await run('OpenSearch 3.2', server.url, input.path, round);
    await server.ask('POST', `/${index}/_refresh`);
    const { count } = await server.ask<{ readonly count: number }>('GET', `/${index}/_count`);
    if (count !== rows) throw new Error(`${count} documents of ${rows} are there`);
    await server.ask('DELETE', `/${index}`);
  }
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}

async function run(what: string, url: string, path: string, round: number): Promise<string> {
  const index = `bench-${round}`;
  const state = join(folder, `${index}-${url.replace(/\D/g, '')}`);
  const measured = await measure({
    command: [process.execPath, at('../engine/bin/reef.js'), 'run', at('pipelines/opensearch.yaml'), '--state', state],
    env: { REEF_BENCH_PORT: new URL(url).port, REEF_BENCH_INPUT: path, REEF_BENCH_INDEX: index },
  });
  console.log(`${what}: ${figures(rows, measured)}`);
  return index;
}

async function runLibrary(what: string, url: string, path: string, round: number): Promise<void> {
  const command = [process.execPath, at('opensearch-library.ts'), url, `library-${round}`, String(rows), path] as const;
  console.log(`${what}: ${figures(rows, await measure({ command: [...command] }))}`);
}
