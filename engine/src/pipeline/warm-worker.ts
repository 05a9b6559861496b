/**
 * Worker threads before they know what they are for. A thread takes longer to start than a small punchline to run, so the
 * command starts the first one before it has read anything; what it is to compute is sent to it later.
 */
import { Worker } from 'node:worker_threads';
import { workerEntry } from '../assets.ts';

let warm: Worker | undefined;

/** Starts a thread for whoever needs one first. It does not keep the process alive. */
export function warmUp(): void {
  warm = boot();
  warm.unref();
  // Told again, or not at all, by the next one that is started.
  warm.on('error', () => {});
}

/** The thread that was started ahead, or a new one. */
export function takeWorker(): Worker {
  const worker = warm;
  warm = undefined;
  // A thread that has ended has no number any more.
  if (!worker || worker.threadId < 0) return boot();
  worker.removeAllListeners('error');
  worker.ref();
  return worker;
}

function boot(): Worker {
  return new Worker(workerEntry(), {
    name: 'reef',
    stdout: false,
    stderr: false,
    // Batches live outside V8's heap: a small nursery keeps the process small.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
}
