import type { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerData } from '../worker/protocol.ts';
import { endThread, watchThread } from './end-threads.ts';
import type { Job } from './job.ts';

export interface WorkerEvents {
  message(handle: WorkerHandle, message: FromWorker): void;
  /** The thread is gone. `reason` is one clause for people. */
  gone(handle: WorkerHandle, reason: string): void;
}

/** One worker thread as main sees it. */
export class WorkerHandle {
  readonly index: number;
  /** Jobs it was given and has not answered, in the order in which it computes them. */
  readonly jobs: Job[] = [];
  ready = false;
  /** Seconds, counted by main, since it last said something while it had work. */
  silentSecs = 0;
  readonly #worker: Worker;
  #error: Error | undefined;
  #stopping = false;

  /** `worker` knows nothing yet: it is told by `data`. */
  constructor(index: number, worker: Worker, data: WorkerData, events: WorkerEvents) {
    this.index = index;
    this.#worker = worker;
    watchThread(worker);
    this.#worker.on('message', (message: FromWorker) => {
      this.silentSecs = 0;
      if (message.type === 'ready') this.ready = true;
      events.message(this, message);
    });
    this.#worker.on('error', (error: Error) => {
      this.#error = error;
    });
    this.#worker.on('exit', (code) => {
      this.ready = false;
      if (!this.#stopping) events.gone(this, this.#error ? `it failed: ${this.#error.message}` : `it exited with code ${code}`);
    });
    this.send({ type: 'begin', data });
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Ends the thread on purpose: no `gone` follows. False when it cannot be ended. */
  stop(): Promise<boolean> {
    this.#stopping = true;
    return endThread(this.#worker);
  }

  /** Ends a thread that hangs: `gone` follows, unless the thread cannot be ended. */
  kill(reason: string): void {
    this.#error = new Error(reason);
    void this.#worker.terminate();
  }
}
