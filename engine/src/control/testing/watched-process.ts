/** A punchline that runs with its endpoint for Prometheus, for tests. */
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ReefProcess, startReef } from '../../testing/reef-process.ts';

export interface WatchedProcess extends ReefProcess {
  /** What its first source that listens says. */
  readonly listening: Promise<{ readonly port: number }>;
}

export function startWatched(t: TestContext, file: string): WatchedProcess {
  const process = startReef(t, ['run', file, '--state', join(dirname(file), 'state'), '--metrics', '0']);
  const listening = said(process, /source "\w+" listens on \S+:(\d+)/).then(([, port]) => ({ port: Number(port) }));
  listening.catch(() => {});
  return { ...process, listening };
}

/** The address that the log names. */
export async function metricsUrl(process: ReefProcess): Promise<string> {
  return (await said(process, /metrics: (https?:\/\/[^/]+)\/metrics/))[1]!;
}

/** Asks again and again until the text is as wanted: counters follow the rows. */
export async function until(url: string, wanted: (text: string, status: number) => boolean): Promise<string> {
  for (;;) {
    const response = await fetch(url);
    const text = await response.text();
    if (wanted(text, response.status)) return text;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function said({ child, ended }: ReefProcess, words: RegExp): Promise<RegExpExecArray> {
  let text = '';
  const over = ended.then(({ stderr }) => Promise.reject(new Error(`reef ended: ${stderr}`)));
  over.catch(() => {});
  for (;;) {
    const [piece] = (await Promise.race([once(child.stderr, 'data'), over])) as [string];
    text += piece;
    const found = words.exec(text);
    if (found) return found;
  }
}
