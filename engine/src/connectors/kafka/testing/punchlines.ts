/** Punchlines around a Kafka node, run by the real command. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { type ReefProcess, startReef, temporaryFolder, writePunchline } from '../../../testing/reef-process.ts';

export const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ n: from + i }));
export const columns = (types: Readonly<Record<string, string>>) => Object.entries(types).map(([name, type]) => ({ name, type }));

export interface Nodes {
  readonly source: object;
  readonly out?: object;
  readonly sink: object;
  readonly errors?: string;
}

export function punchline(
  t: TestContext,
  kind: 'BatchPunchline' | 'StreamPunchline',
  { source, out = {}, sink, errors }: Nodes,
): string {
  const folder = temporaryFolder(t);
  const error = { id: 'errors', table: '_ppf_errors', columns: columns({ _ppf_error_document: 'string' }) };
  return writePunchline(folder, kind, [
    { id: 'in', kind: 'source', out: [{ id: 'out', ...out }, ...(errors === undefined ? [] : [error])], ...source },
    { id: 'out', kind: 'sink', ...sink },
    ...(errors === undefined ? [] : [{ id: 'errors', kind: 'sink', type: 'file', settings: { path: errors } }]),
  ]);
}

export function start(t: TestContext, file: string, env?: Readonly<Record<string, string>>): ReefProcess {
  const process = startReef(t, ['run', file], env);
  t.signal.addEventListener('abort', () => process.child.kill('SIGKILL'));
  return process;
}

export async function stop({ child, ended }: ReefProcess): Promise<void> {
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
}

export const rowsOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

export async function said({ child }: ReefProcess, what: RegExp): Promise<void> {
  let text = '';
  while (!what.test(text)) text += String((await once(child.stderr, 'data'))[0]);
}
