/**
 * How other processes of the same user ask a running punchline how it does: a Unix socket in the state folder, for its owner alone.
 * A client sends one line of JSON, `{"ask":"metrics"}`, and gets lines of JSON until the other side closes; what cannot be answered
 * gets `{"error":"…"}`. Nobody has to ask, and then it costs nothing; it does not keep the process alive.
 */
import { chmodSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { controlSocketPath } from './socket-path.ts';

export interface Question {
  readonly ask: string;
  readonly [key: string]: unknown;
}

/** Answers a question, by one line or many; `signal` aborts when nobody listens any more. What it throws is told. */
export type Answer = (question: Question, say: (line: object) => void, signal: AbortSignal) => Promise<void> | void;

export interface ControlSocket {
  close(): void;
}

/** A question is short. */
const MOST_QUESTION_BYTES = 65_536;
/** A client that does not read is left after so many bytes. */
const MOST_WAITING_BYTES = 1 << 20;

/** Rejects when there can be no socket. `answers`: by what is asked. */
export function openControlSocket(stateFolder: string, answers: Readonly<Record<string, Answer>>): Promise<ControlSocket> {
  const { createServer } = process.getBuiltinModule('node:net');
  const path = controlSocketPath(stateFolder);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.unref();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, answers);
  });
  // What a killed process has left: the lock of the state folder says that it is ours.
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      server.unref();
      resolve({
        close() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}

function serve(socket: Socket, answers: Readonly<Record<string, Answer>>): void {
  const gone = new AbortController();
  let text = '';
  socket.setEncoding('utf8');
  socket.on('close', () => gone.abort());
  // The other side has gone: that is told by `close`.
  socket.on('error', () => {});
  const say = (line: object): void => {
    socket.write(`${JSON.stringify(line)}\n`);
    if (socket.writableLength > MOST_WAITING_BYTES) socket.destroy();
  };
  const read = (piece: string): void => {
    text += piece;
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= MOST_QUESTION_BYTES) return;
    socket.off('data', read);
    socket.resume();
    void answer(text.slice(0, Math.max(end, 0)), answers, say, gone.signal).finally(() => socket.end());
  };
  socket.on('data', read);
}

async function answer(
  line: string,
  answers: Readonly<Record<string, Answer>>,
  say: (line: object) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const question = JSON.parse(line) as Question;
    if (!Object.hasOwn(answers, question.ask)) {
      throw new TypeError(`Cannot answer "${question.ask}": expected one of ${Object.keys(answers).join(', ')}`);
    }
    await answers[question.ask]!(question, say, signal);
  } catch (error) {
    say({ error: (error as Error).message });
  }
}
