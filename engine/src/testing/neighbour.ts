/**
 * Two punchlines in one process: one is fed at a pace and knows how long each of its rows took, the other one runs poison. For the test
 * that neither is a matter to the other, and for the bench that measures how little.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { assemble } from '../../kernel/build-shim.ts';
import { type Feed, type SinkChunk, sink, source } from '../index.ts';
import { writePunchline } from './reef-process.ts';
import { runInProcess } from './run-in-process.ts';

const ROW = Buffer.from(`{"creation_timestamp":1700006400,"pad":"${'p'.repeat(100)}"}\n`);

export interface Window {
  /** Delivered in it, as a share of what was due. */
  readonly share: number;
  readonly p99: number;
}

/** Feeds rows at a pace and knows how long each took to the sink. Main's side of both is in this thread: no clock is compared with another. */
export class Probe {
  readonly #sent: { readonly rows: number; readonly at: number }[] = [];
  #fed = 0;
  delivered = 0;
  #latencies: number[] = [];
  /** Rows a second; `Infinity`: as fast as they are taken. */
  pace = Number.POSITIVE_INFINITY;

  async feed(feed: Feed, signal: AbortSignal): Promise<void> {
    const partition = feed.partition('probe', { replayable: false });
    for (let last = performance.now(); !signal.aborted; ) {
      const now = performance.now();
      let due = this.pace === Number.POSITIVE_INFINITY ? 4096 : Math.round(((now - last) / 1000) * this.pace);
      last = now;
      while (due > 0) {
        const room = await partition.room();
        const rows = Math.min(due, Math.floor(room.length / ROW.length));
        if (rows === 0) {
          // A slot's end: what does not fit goes into the next one, in two pieces.
          const head = ROW.subarray(0, room.length);
          room.set(head);
          partition.advance(head.length);
          const rest = await partition.room();
          rest.set(ROW.subarray(head.length));
          this.#note(1);
          partition.advance(ROW.length - head.length, { flush: due === 1 });
          due--;
          continue;
        }
        for (let i = 0; i < rows; i++) room.set(ROW, i * ROW.length);
        this.#note(rows);
        due -= rows;
        partition.advance(rows * ROW.length, { flush: due === 0 });
      }
      if (this.pace !== Number.POSITIVE_INFINITY) await pause(5);
    }
  }

  #note(rows: number): void {
    this.#fed += rows;
    this.#sent.push({ rows: this.#fed, at: performance.now() });
  }

  take(rows: number): void {
    this.delivered += rows;
    const now = performance.now();
    while (this.#sent.length > 0 && this.#sent[0]!.rows <= this.delivered) this.#latencies.push(now - this.#sent.shift()!.at);
  }

  /** Waits for so long, and says what came out meanwhile. */
  async window(windowMs: number): Promise<Window> {
    this.#latencies = [];
    const [from, before] = [performance.now(), this.delivered];
    await pause(windowMs);
    const due = (this.pace * (performance.now() - from)) / 1000;
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    // Nothing came out at all: as long as the window at least.
    const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? windowMs;
    return { share: (this.delivered - before) / due, p99 };
  }

  /** The medians of several windows. */
  async windows(windowMs: number, count: number): Promise<Window> {
    const all: Window[] = [];
    for (let i = 0; i < count; i++) all.push(await this.window(windowMs));
    return { share: median(all.map(({ share }) => share)), p99: median(all.map(({ p99 }) => p99)) };
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** User modules run in this thread, so they can be given the probe by a global. */
function nodeTypes(folder: string, probe: Probe): { readonly source: string; readonly sink: string } {
  const key = `reefNeighbour${Math.random()}`;
  (globalThis as Record<string, unknown>)[key] = {
    source: source({
      summary: 'A test.',
      settings: {},
      examples: [],
      codecs: ['json'],
      delivery: 'None.',
      open: () => ({ run: (feed, signal) => probe.feed(feed, signal), close: async () => {} }),
    }),
    sink: sink({
      summary: 'A test.',
      settings: {},
      examples: [],
      codecs: ['json'],
      delivery: 'None.',
      open: () => ({
        write: async (chunk: SinkChunk) => {
          probe.take(chunk.rows);
          return undefined;
        },
        close: async () => {},
      }),
    }),
  };
  const [sourceFile, sinkFile] = ['source.mjs', 'sink.mjs'];
  writeFileSync(join(folder, sourceFile), `export default globalThis[${JSON.stringify(key)}].source;\n`);
  writeFileSync(join(folder, sinkFile), `export default globalThis[${JSON.stringify(key)}].sink;\n`);
  return { source: `./${sourceFile}`, sink: `./${sinkFile}` };
}

/** A punchline that runs until `stop`; resolves when rows flow. */
export async function startBeside(file: string, stateFolder: string, workers: number) {
  const stop = new AbortController();
  const started = Promise.withResolvers<void>();
  const ended = runInProcess(file, { stateFolder, workers, stop: stop.signal, started: () => started.resolve(), drainMs: 0 });
  await Promise.race([started.promise, ended]);
  return {
    async stop() {
      const from = performance.now();
      stop.abort();
      const { result } = await ended;
      return { outcome: result.outcome, ms: performance.now() - from };
    },
  };
}

/** Each row loops until its limit. */
export function poisonPunchline(folder: string, cpuMs: number): string {
  writeFileSync(
    join(folder, 'poison.wasm'),
    assemble('(module (memory (export "memory") 1) (func (export "f") (loop $l (br $l))))', false),
  );
  writeFileSync(join(folder, 'poison.jsonl'), '{"a":1}\n'.repeat(10_000));
  const settings = { path: 'poison.wasm', limits: { cpu_ms_per_row: cpuMs } };
  return writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'poison.jsonl' }, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: 'wasm', settings, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'blackhole' },
  ]);
}

/** The probe's rows through `moment`. */
export function probePunchline(folder: string, probe: Probe): string {
  const types = nodeTypes(folder, probe);
  copyFileSync(new URL('../../../examples/moment/moment.wasm', import.meta.url), join(folder, 'moment.wasm'));
  const settings = { path: 'moment.wasm', input_columns: ['creation_timestamp'] };
  return writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: types.source, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: 'wasm', settings, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: types.sink },
  ]);
}
