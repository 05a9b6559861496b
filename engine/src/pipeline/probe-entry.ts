/** The child process of a probe: runs the punchline over the given ranges, delivers nothing, ends with code 0 if it still lives. */
import { loadKernelModule } from '../batch/kernel-module.ts';
import type { Log } from '../spec/node.ts';
import { InFlight } from '../state/inflight.ts';
import { noSinks } from './open-sinks.ts';
import { defaultTuning, type PipelineState } from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { ProbeRequest } from './probe.ts';
import { specify } from './specify.ts';

/** When nothing has come for so long, what is missing does not come: a file that is followed has gone. */
const SILENT_SECS = 5;

const quiet: Log = { info: () => {}, warn: () => {} };

process.once('message', (request: ProbeRequest) => {
  probe(request).then(
    () => process.exit(0),
    () => process.exit(0),
  );
});
// Nobody waits for the answer any more. An exit would wait for threads that hang.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C goes to all processes of the terminal: it is the parent's to say what follows from it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

async function probe(request: ProbeRequest): Promise<void> {
  const { punchline, checkpoint, suspects, ranges, rowsAtOnce, record, folder } = request;
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
    kernel: loadKernelModule(),
    workers: 1,
    log: quiet,
    tracking: false,
    durable: false,
    openSinks: noSinks,
    probe: { ranges, open: new Set(ranges), rowsAtOnce, done: () => pipeline.stop() },
    unkillable: () => process.kill(process.pid, 'SIGKILL'),
  });
  await pipeline.open();
  let batches = 0;
  let silentSecs = 0;
  setInterval(() => {
    silentSecs = pipeline.metrics.batches === batches ? silentSecs + 1 : 0;
    batches = pipeline.metrics.batches;
    if (silentSecs === SILENT_SECS) pipeline.stop();
  }, 1000).unref();
  await pipeline.run();
}
