/**
 * Syslog over TCP, parsed into columns, to a file: rows per CPU-second of the Reef process, start-up included. The sender is a process
 * of its own. A lost row fails the run. Beside it node:net alone, which reads the same bytes and does nothing with them.
 *
 *   node bench/syslog.ts [--rows 2000000] [--rounds 3]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../engine/src/testing/servers/free-port.ts';
import { figures } from './figures.ts';
import { describeMachine } from './machine.ts';
import { countRows, measure } from './measure.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '2000000' }, rounds: { type: 'string', default: '3' } },
});
const rows = Number(values.rows);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'reef-syslog-'));
try {
  const load = loadavg().map((value) => value.toFixed(1));
  console.log(`${describeMachine([]).join('; ')}; ${rows} rows; load ${load.join(' ')}`);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const standard of ['rfc5424', 'rfc3164']) {
      await run(standard, round);
      await runLibrary(standard);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function run(standard: string, round: number): Promise<void> {
  const port = await freePort();
  const output = join(folder, 'out.jsonl');
  const sender = send(port, standard);
  try {
    const measured = await measure({
      command: [
        process.execPath,
        at('../engine/bin/reef.js'),
        'run',
        at('pipelines/syslog.yaml'),
        '--state',
        join(folder, `${standard}-${round}`),
      ],
      env: { REEF_BENCH_PORT: String(port), REEF_BENCH_OUTPUT: output },
      // All is read then; a stop delivers it.
      done: async () => sender.exitCode !== null,
    });
    const written = await countRows(output);
    if (sender.exitCode !== 0 || written !== rows) throw new Error(`${written} rows of ${rows} are there`);
    console.log(`syslog TCP (${standard}) → file: ${figures(rows, measured)}`);
  } finally {
    sender.kill('SIGKILL');
    rmSync(output, { force: true });
  }
}

async function runLibrary(standard: string): Promise<void> {
  const port = await freePort();
  const sender = send(port, standard);
  try {
    const measured = await measure({ command: [process.execPath, at('syslog-library.ts'), String(port)] });
    console.log(`node:net alone (${standard}): ${figures(rows, measured)}`);
  } finally {
    sender.kill('SIGKILL');
  }
}

function send(port: number, standard: string): ChildProcess {
  return spawn(process.execPath, [at('syslog-sender.ts'), String(port), String(rows), standard], { stdio: 'inherit' });
}
