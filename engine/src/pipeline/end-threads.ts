/**
 * The end of threads, which is not certain: a function that loops in machine code without ever asking whether it may go on (tail
 * calls, filling much memory) outlives `terminate`, and then `process.exit` too, which waits for it.
 */
import type { Worker } from 'node:worker_threads';

/** A thread that has not ended by then does not. */
const LONGEST_MS = 2000;
const TICKS = 8;

const threads = new Set<Worker>();

/** From now on the end of the process waits for this thread. */
export function watchThread(worker: Worker): void {
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
}

/** Ends a thread; false when it cannot be ended. */
export function endThread(worker: Worker): Promise<boolean> {
  return new Promise((resolve) => {
    let ticks = 0;
    // Time that this process did not get itself (it was stopped, the machine was busy) convicts nobody.
    const timer = setInterval(() => {
      if (++ticks === TICKS) end(false);
    }, LONGEST_MS / TICKS);
    const end = (ended: boolean): void => {
      clearInterval(timer);
      resolve(ended);
    };
    worker.terminate().then(
      () => end(true),
      () => end(true),
    );
  });
}

/** Ends the process at once, or by SIGKILL when a thread cannot be ended: the next start finds the rows that it hangs on. */
export async function endProcess(code: number): Promise<void> {
  const ended = await Promise.all(Array.from(threads, endThread));
  if (ended.every(Boolean)) process.exit(code);
  process.kill(process.pid, 'SIGKILL');
}
