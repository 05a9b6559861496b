/** The client's side of control-socket.ts. */
import { ReefError } from '../errors.ts';
import type { Question } from './control-socket.ts';
import { controlSocketPath } from './socket-path.ts';

export interface Asking {
  /** Ends it from this side. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the punchline with this state folder, and yields its answers. Throws a `ReefError` when it does not run, or cannot answer.
 */
export async function* ask(stateFolder: string, question: Question, { signal }: Asking = {}): AsyncGenerator<unknown> {
  const { connect } = process.getBuiltinModule('node:net');
  const { createInterface } = process.getBuiltinModule('node:readline');
  const socket = connect(controlSocketPath(stateFolder));
  const stop = (): void => {
    socket.destroy();
  };
  signal?.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', () => reject(new ReefError('io', `Cannot ask the punchline in ${stateFolder}: it does not run`)));
    });
    socket.on('error', () => {});
    socket.write(`${JSON.stringify(question)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as unknown;
      const { error } = answer as { readonly error?: string };
      if (error !== undefined) throw new ReefError('io', error);
      yield answer;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    socket.destroy();
  }
}
