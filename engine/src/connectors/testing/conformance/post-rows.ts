/** Sends rows by HTTP to a source that listens, as a client does that must not lose any. */
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { jsonLines, type Row } from './rows.ts';

export interface PostOptions {
  readonly port: number;
  readonly rowsAtOnce: number;
  /** Nobody wants the rows any more. */
  over(): boolean;
  /** So many more rows are confirmed. */
  confirmed(rows: number): void;
}

/** Resolves once all are confirmed: what a request holds is sent again until it is answered with 200. */
export async function postRows(rows: readonly Row[], { port, rowsAtOnce, over, confirmed }: PostOptions): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const piece = rows.slice(from, from + rowsAtOnce);
    const body = jsonLines(piece);
    while ((await post(port, body)) !== 200) {
      if (over()) return;
      await pause(20);
    }
    confirmed(piece.length);
  }
}

/** The status; `undefined` when there was no answer. */
function post(port: number, body: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST', agent: false }, (response) => {
      response.resume();
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode));
    });
    sent.on('error', () => resolve(undefined));
    sent.end(body);
  });
}
