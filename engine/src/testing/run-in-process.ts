/** Runs a punchline in the test's own process, from the sources, with slots and times of the test's choice. */
import assert from 'node:assert/strict';
import { type RunOptions, type RunResult, runPunchline } from '../pipeline/run-punchline.ts';
import { loadPunchlines } from '../punchline/load.ts';

export interface InProcess {
  readonly result: RunResult;
  /** Warnings of the engine. */
  readonly warnings: readonly string[];
}

export async function runInProcess(
  file: string,
  options: Pick<RunOptions, 'stateFolder' | 'workers'> & Partial<Omit<RunOptions, 'log'>>,
): Promise<InProcess> {
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
