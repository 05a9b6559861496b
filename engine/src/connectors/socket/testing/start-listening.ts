/** For tests of sources that listen: a whole punchline, run by the built command, with the port that its source got. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../../../spec/plan.ts';
import { type ReefProcess, startReef, temporaryFolder, writePunchline } from '../../../testing/reef-process.ts';

const POLL_MS = 20;

type Row = Readonly<Record<string, Json>>;

export interface Listening extends ReefProcess {
  readonly folder: string;
  readonly port: number;
  /** Resolves when so many rows have been written. */
  written(count: number): Promise<void>;
  /** Stops it; resolves with what stands in `out.ndjson` and `errors.ndjson`, and the log. */
  stop(): Promise<{ readonly rows: Row[]; readonly errors: Row[]; readonly log: string }>;
}

export interface ListeningOptions {
  readonly files?: Readonly<Record<string, string>>;
  /** What the edge to the sink declares. */
  readonly columns?: readonly { readonly name: string; readonly type: string }[];
  /** Nodes behind the source, in place of a file sink. */
  readonly nodes?: readonly object[];
}

export async function startListening(
  t: TestContext,
  source: { readonly type: string; readonly settings: object },
  { files = {}, columns, nodes }: ListeningOptions = {},
): Promise<Listening> {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = writePunchline(folder, 'StreamPunchline', [
    {
      id: 'in',
      kind: 'source',
      ...source,
      out: [
        { id: 'out', ...(columns ? { columns } : {}) },
        { id: 'errors', table: '_ppf_errors' },
      ],
    },
    ...(nodes ?? [{ id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } }]),
    { id: 'errors', kind: 'sink', type: 'file', settings: { path: 'errors.ndjson' } },
  ]);
  const started = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  const port = await listens(started);
  return {
    ...started,
    folder,
    port,
    async written(count) {
      while (readRows(join(folder, 'out.ndjson')).length < count) await pause(POLL_MS);
    },
    async stop() {
      started.child.kill('SIGTERM');
      const { stderr } = await started.ended;
      return { rows: readRows(join(folder, 'out.ndjson')), errors: readRows(join(folder, 'errors.ndjson')), log: stderr };
    },
  };
}

function readRows(path: string): Row[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}

function listens({ child, ended }: ReefProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (piece: string) => {
      text += piece;
      const found = /listens on (?:\S+:(\d+) \(|\/)/.exec(text);
      if (found) resolve(Number(found[1] ?? 0));
    });
    void ended.then(({ stderr }) => reject(new Error(`reef ended: ${stderr}`)));
  });
}

/** Sends the bytes, piece by piece, and ends; resolves when the other side has them all. */
export async function sendAll(socket: Socket, ...pieces: readonly (string | Uint8Array)[]): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('close', () => resolve());
    socket.once('error', reject);
  });
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  socket.end();
  socket.resume();
  await closed;
}

export const connectTo = (port: number): Socket => connect({ port, host: '127.0.0.1' });
