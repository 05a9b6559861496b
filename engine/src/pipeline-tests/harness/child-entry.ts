/** The process of a pipeline that a test kills in the middle. Its sinks hand over to the test, which outlives it. */
import { ReefError } from '../../errors.ts';
import { runPunchline } from '../../pipeline/run-punchline.ts';
import { failureOf, runOptions } from '../run-pipeline.ts';
import type { FromChild, ToChild } from './child.ts';
import { collectWith } from './collector.ts';

const waiting = new Map<number, PromiseWithResolvers<void>>();
let number = 0;

const send = (message: FromChild): void => {
  process.send?.(message);
};

collectWith((taken) => {
  const answer = Promise.withResolvers<void>();
  waiting.set(++number, answer);
  send({ type: 'took', number, taken });
  return answer.promise;
});

process.on('message', (message: ToChild) => {
  if (message.type === 'run') void run(message);
  else {
    const answer = waiting.get(message.number);
    waiting.delete(message.number);
    if (message.refused === undefined) answer?.resolve();
    else answer?.reject(new ReefError('io', message.refused, { retry: true }));
  }
});
process.once('disconnect', () => process.exit(1));

async function run({ punchline, stateFolder, workers }: ToChild & { readonly type: 'run' }): Promise<void> {
  const log = { info: () => {}, warn: (message: string) => send({ type: 'warned', message }) };
  let failure: string | undefined;
  try {
    const { outcome, error } = await runPunchline(
      punchline,
      runOptions({ stateFolder, workers, log }, new AbortController().signal),
    );
    failure = failureOf(outcome, error);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  process.send?.({ type: 'ended', failure } satisfies FromChild, () => process.exit(0));
}
