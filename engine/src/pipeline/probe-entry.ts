/** The child process of a probe: runs the punchline over the given ranges, delivers nothing, ends with code 0 if it still lives. */
import type { Log } from '../spec/node.ts';
import { InFlight } from '../state/inflight.ts';
import { engineFiles } from './engine-files.ts';
import { noSinks } from './open-sinks.ts';
import { defaultTuning, type PipelineState } from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { ProbeRequest } from './probe.ts';
import { specify } from './specify.ts';

const quiet: Log = { info: () => {}, warn: () => {} };

process.once('message', (request: ProbeRequest) => {
  probe(request).then(
    () => process.exit(0),
    () => process.exit(0),
  );
});
process.once('disconnect', () => process.exit(0));

async function probe(request: ProbeRequest): Promise<void> {
  const { punchline, checkpoint, suspects, ranges, singly, record, folder } = request;
  const state = {
    checkpoint,
    suspects: { list: suspects },
    inFlight: new InFlight(record),
    save: async () => {},
    folder,
    deadLetters: '',
  } as unknown as PipelineState;
  const pipeline: Pipeline = new Pipeline(punchline, await specify(punchline), state, {
    ...defaultTuning,
    ...engineFiles(),
    workers: 1,
    log: quiet,
    tracking: false,
    openSinks: noSinks,
    probe: { ranges, singly, done: () => pipeline.stop() },
    unkillable: () => process.kill(process.pid, 'SIGKILL'),
  });
  await pipeline.open();
  await pipeline.run();
}
