/**
 * What a function costs for each row: the rows go in turn through a worker's steps with the function (decode, function, encode) and
 * without it, so that both see the same machine at the same time. CPU time of this thread, medians.
 */
import { createDecoder } from '../../batch/decoder.ts';
import { loadKernelModule } from '../../batch/kernel-module.ts';
import type { Decoder, Encoder, RowView } from '../../batch/row-batch.ts';
import { ReefError } from '../../errors.ts';
import type { Log } from '../../spec/node.ts';
import { CpuLimit } from '../cpu-limit.ts';
import { FunctionLog } from '../function-log.ts';
import { loadFunctionModule } from '../function-module.ts';
import { RlineFunction } from '../rline-function.ts';
import type { RlineFormat } from '../rline-kernel.ts';
import { startGuest, tryStart } from '../start-guest.ts';

export interface MeasureOptions {
  /** Stands in messages. */
  readonly name: string;
  readonly function?: string | undefined;
  readonly format: RlineFormat;
  /** Only these columns are sent; `undefined`: the whole row. */
  readonly columns?: readonly string[] | undefined;
  /** NDJSON; ends with a newline. */
  readonly rows: Uint8Array;
  /** Each is 100 ms of CPU time with the function and as long without it; medians count. */
  readonly samples: number;
}

export interface Measurement {
  readonly function: string;
  /** Rows in the file, and those of them that the function failed on. */
  readonly rows: number;
  readonly failed: number;
  readonly firstReason: string | undefined;
  /** Nanoseconds of CPU time per row: all with the function, and the pass-through of the same rows. */
  readonly withFunctionNs: number;
  readonly passThroughNs: number;
  readonly guestMemoryBytes: number;
}

const MIB = 2 ** 20;
const CHUNK_BYTES = MIB / 2;
const MAX_ROWS = 4096;
const MAX_ROW_BYTES = 16 * MIB;
const NEWLINE = 10;
/** The CPU time of a thread advances in steps of some milliseconds: a sample is many of them. */
const SAMPLE_MS = 100;
const OUTPUT_BYTES = 64 * MIB;
/** Pages that nobody touches cost nothing. */
const ARENA_BYTES = 512 * MIB;
const INPUT = MIB;

export async function measureFunction(module: Uint8Array, options: MeasureOptions): Promise<Measurement> {
  const { name, columns, rows } = options;
  const chunks = chunksOf(rows);
  const loaded = await loadFunctionModule(module, { name, function: options.function });
  const bench = new Steps(Math.max(...chunks.map(({ length }) => length)), columns ?? []);
  const cpu = new CpuLimit({ msPerRow: 30_000 });
  const made = { ...loaded, cpu, outputBytesPerRow: 16 * MIB };
  tryStart(loaded.function, made);
  const guest = startGuest(loaded.function, { ...made, kernelMemory: bench.memory });
  const run = new RlineFunction({
    guest,
    name: loaded.function,
    format: options.format,
    columns,
    types: new Map(),
    log: new FunctionLog(silent, 0),
    strictIntegers: false,
    onWide: () => {},
  });
  const pass = (apply?: (view: RowView) => void) => {
    const before = cpuMs();
    const seen = { rows: 0, failed: 0, firstReason: undefined as string | undefined };
    for (const chunk of chunks) bench.run(chunk, seen, apply);
    return { ...seen, ms: cpuMs() - before };
  };
  const apply = (view: RowView): void => run.apply(view);
  // The first pass finds what the rows are like and lets the machine code settle; it is not measured.
  const first = pass(apply);
  if (first.rows === 0) throw new ReefError('config', 'Cannot measure: there is no row, expected JSON objects, one on each line');
  pass();
  const nsPerRow = (by?: (view: RowView) => void): number => {
    let passes = 0;
    let ms = 0;
    for (; ms < SAMPLE_MS; passes++) ms += pass(by).ms;
    return (ms * 1e6) / (passes * first.rows);
  };
  const withFunction: number[] = [];
  const passThrough: number[] = [];
  for (let sample = 0; sample < options.samples; sample++) {
    withFunction.push(nsPerRow(apply));
    passThrough.push(nsPerRow());
  }
  return {
    function: loaded.function,
    rows: first.rows,
    failed: first.failed,
    firstReason: first.firstReason,
    withFunctionNs: median(withFunction),
    passThroughNs: median(passThrough),
    guestMemoryBytes: guest.memoryBytes,
  };
}

/** A worker's steps over memory of their own. */
class Steps {
  readonly memory: WebAssembly.Memory;
  readonly #bytes: Uint8Array;
  readonly #decoder: Decoder & Encoder;
  readonly #out: number;

  constructor(inputBytes: number, columns: readonly string[]) {
    const out = INPUT + Math.ceil((inputBytes + 64) / MIB) * MIB;
    const arena = { start: out + OUTPUT_BYTES, end: out + OUTPUT_BYTES + ARENA_BYTES };
    const pages = arena.end / 65_536;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#bytes = new Uint8Array(this.memory.buffer as unknown as ArrayBuffer);
    this.#decoder = createDecoder({ memory: this.memory, kernel: loadKernelModule(), arena, maxRows: MAX_ROWS });
    this.#decoder.setColumns(columns);
    this.#out = out;
  }

  run(
    chunk: Uint8Array,
    seen: { rows: number; failed: number; firstReason: string | undefined },
    apply?: (view: RowView) => void,
  ) {
    this.#bytes.set(chunk, INPUT);
    const to = INPUT + chunk.length;
    for (let from = INPUT; from < to; ) {
      const request = { from, to, last: true, codec: { name: 'json' }, offset: 0, idPrefix: 'bench:', timestamp: 0 } as const;
      const { view, consumed, rows } = this.#decoder.decode(request);
      seen.rows += view.rows.length;
      apply?.(view);
      const rejections = view.takeRejections();
      seen.failed += rejections.length;
      seen.firstReason ??= rejections[0]?.reason;
      this.#encode(view);
      if (rows === 0 && consumed === from) break;
      from = consumed;
    }
  }

  #encode(view: RowView): void {
    for (let at = 0; at < view.rows.length; ) {
      const { rows } = this.#decoder.encode(view, { name: 'json' }, at, MAX_ROWS, this.#out, this.#out + OUTPUT_BYTES, 0);
      if (rows === 0) throw new ReefError('limit', `Cannot measure: row ${at} of a batch is longer than ${OUTPUT_BYTES} bytes`);
      at += rows;
    }
  }
}

/** Whole rows, as many as a worker gets at once. */
function chunksOf(rows: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < rows.length; ) {
    const wanted = Math.min(from + CHUNK_BYTES, rows.length);
    let cut = wanted === rows.length ? wanted - 1 : rows.lastIndexOf(NEWLINE, wanted - 1);
    if (cut < from) cut = rows.indexOf(NEWLINE, wanted);
    if (cut < 0) cut = rows.length - 1;
    if (cut - from > MAX_ROW_BYTES) {
      throw new ReefError(
        'config',
        `Cannot measure: the row at byte ${from} has ${cut - from} bytes, expected at most ${MAX_ROW_BYTES}`,
      );
    }
    chunks.push(rows.subarray(from, cut + 1));
    from = cut + 1;
  }
  if (chunks.length === 0)
    throw new ReefError('config', 'Cannot measure: there is no row, expected JSON objects, one on each line');
  return chunks;
}

const silent: Log = { info: () => {}, warn: () => {} };

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
