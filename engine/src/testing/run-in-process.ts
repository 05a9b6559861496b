/** Runs a punchline in the test's own process, as built, with slots and times of the test's choice. */
import assert from 'node:assert/strict';
import type { RunOptions, RunResult } from '../pipeline/run-punchline.ts';
import type { Loaded } from '../punchline/load.ts';

const built = (path: string): Promise<Record<string, unknown>> => import(new URL(`../../dist/${path}.js`, import.meta.url).href);

export interface InProcess {
  readonly result: RunResult;
  /** Warnings of the engine. */
  readonly warnings: readonly string[];
}

export async function runInProcess(
  file: string,
  options: Pick<RunOptions, 'stateFolder' | 'workers'> & Partial<Omit<RunOptions, 'log'>>,
): Promise<InProcess> {
  const { loadPunchlines } = (await built('punchline/load')) as { loadPunchlines(file: string): Promise<Loaded> };
  const { runPunchline } = (await built('pipeline/run-punchline')) as {
    runPunchline(punchline: unknown, options: RunOptions): Promise<RunResult>;
  };
  const { punchlines, problems } = await loadPunchlines(file);
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (message: string) => warnings.push(message) };
  const result = await runPunchline(punchlines[0]!, { stop: new AbortController().signal, ...options, log });
  return { result, warnings };
}
