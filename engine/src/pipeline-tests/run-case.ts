/** One case: its pipeline, and what came of it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Punchline } from '../spec/plan.ts';
import type { Case, Fault } from './case.ts';
import { checkCase, type Failure } from './check-case.ts';
import { rewire } from './rewire.ts';
import { type PipelineRun, runPipeline } from './run-pipeline.ts';

export interface CaseResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  readonly reason?: string;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

export async function runCase(punchline: Punchline, test: Case, workers: number): Promise<CaseResult> {
  const { name, skip } = test;
  if (skip !== undefined) return { name, outcome: 'skipped', reason: skip, failures: [], seconds: 0 };
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'reef-test-'));
  try {
    const run = (faults: readonly Fault[], part: string): Promise<PipelineRun> =>
      runOnce(punchline, test, faults, join(folder, part), workers);
    const compared = [...test.expect.values()].some(({ out, tables }) =>
      [out, ...tables.values()].some((rows) => rows?.how.kind === 'nothing_lost'),
    );
    const baseline = compared ? await run([], 'baseline') : undefined;
    const result = await run(test.faults, 'run');
    const sinks = new Set(punchline.nodes.filter(({ kind }) => kind === 'sink').map(({ id }) => id));
    const failures = checkCase(test, result, sinks, baseline);
    const seconds = (performance.now() - started) / 1000;
    return { name, outcome: failures.length === 0 ? 'passed' : 'failed', failures, seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runOnce(
  punchline: Punchline,
  test: Case,
  faults: readonly Fault[],
  folder: string,
  workers: number,
): Promise<PipelineRun> {
  await mkdir(folder);
  const rewired = await rewire(punchline, test, faults, folder);
  return runPipeline(rewired, test, faults, { stateFolder: join(folder, 'state'), workers });
}
