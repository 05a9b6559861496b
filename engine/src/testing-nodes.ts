/**
 * For tests of sources and sinks of one's own (`@reef/engine/testing`): opens a node as the engine does, with checked settings, and
 * feeds it or takes what it feeds. Functions need nothing of it: `reef test` runs them.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReefError } from './errors.ts';
import type { Undelivered } from './spec/bulk-sink.ts';
import type { Feed, PartitionFeed, PartitionOptions, Position } from './spec/feed.ts';
import type { Fields } from './spec/fields.ts';
import type { Log } from './spec/node.ts';
import type { NodeSpec } from './spec/node-spec.ts';
import { type Codec, type Json, type PunchlineKind, RAW_COLUMN } from './spec/plan.ts';
import { readRecords, recordEnd } from './spec/records.ts';
import type { RowTexts, SideColumn } from './spec/row-texts.ts';
import { settingMessage } from './spec/setting-text.ts';
import type { SinkPosition, SinkSpec } from './spec/sink.ts';
import type { SourceSpec } from './spec/source.ts';
import { validateSettings } from './spec/validate.ts';

export { asSecret } from './connectors/testing/conformance/as-secret.ts';
export { type Check, type Exceptions, withoutServer } from './connectors/testing/conformance/checks.ts';
export { type JoinOptions, listenerConforms, sinkConforms, sourceConforms } from './connectors/testing/conformance/conforms.ts';
export type { ReefRun } from './connectors/testing/conformance/reef-run.ts';
export type { Row as SuiteRow } from './connectors/testing/conformance/rows.ts';
export type {
  ConformingListener,
  ConformingSink,
  ConformingSource,
  SettingsOptions as SuiteSettingsOptions,
  SinkSide,
  SourceSide,
} from './connectors/testing/conformance/sides.ts';
export { freePort } from './testing/servers/free-port.ts';
export { missing, program } from './testing/servers/needs.ts';
export { type Server, type ServerOptions, startServer } from './testing/servers/server.ts';
export { TcpProxy } from './testing/tcp-proxy.ts';

export interface NodeOptions {
  /** As they stand in a punchline; defaults are added. */
  readonly settings?: Readonly<Record<string, Json>>;
  /** Where relative paths start from. Default: the working directory. */
  readonly folder?: string;
  /** Default: `BatchPunchline`. */
  readonly punchlineKind?: PunchlineKind;
  /** Default: that of the type. */
  readonly codec?: Codec;
  /** Where log lines go. Default: nowhere. */
  readonly log?: Log;
}

export interface SourceOptions extends NodeOptions {
  /** Positions of an earlier read: it goes on behind them. */
  readonly resume?: Readonly<Record<string, Position>>;
  /** Asks it to stop once it has fed so many rows. Default: waits for its end. */
  readonly stopAfterRows?: number;
}

export interface SourceRead {
  /** What was fed, all partitions one behind the other; with `stopAfterRows` not more than those. */
  readonly text: string;
  /** Its lines as JSON. */
  readonly rows: readonly Readonly<Record<string, Json>>[];
  /** What a checkpoint would hold when all of this is delivered. */
  readonly positions: Readonly<Record<string, Position>>;
}

/** Opens a source, runs it to its end (or until it has fed enough), and closes it. */
export async function readSource<F extends Fields>(spec: SourceSpec<F>, options: SourceOptions = {}): Promise<SourceRead> {
  const source = await spec.open({ ...(await context(spec, options)), declared: undefined, referenced: new Set() });
  const stop = new AbortController();
  const feed = new TestFeed(options, stop);
  try {
    await source.run(feed, stop.signal);
  } finally {
    await source.close();
  }
  const { text, positions } = feed;
  return {
    text,
    positions,
    get rows() {
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, Json>);
    },
  };
}

/** Asks a source or sink what `reef check --connect` asks it. */
export async function probeNode<F extends Fields>(
  spec: SourceSpec<F> | SinkSpec<F>,
  options: NodeOptions = {},
): Promise<readonly string[]> {
  if (!spec.probe) throw new ReefError('config', 'Cannot probe the node: its type has no probe');
  return spec.probe({ ...(await context(spec, options)), signal: new AbortController().signal });
}

export interface TestSink {
  /** Resolves with what the sink answered: its position, or what it did not take of a bulk. */
  write(rows: readonly Readonly<Record<string, Json>>[]): Promise<SinkPosition | Undelivered | undefined>;
  close(outcome?: 'finished' | 'stopped'): Promise<void>;
}

export interface SinkOptions extends NodeOptions {
  /** What {@link TestSink.write} answered before the crash that this start is to follow. */
  readonly resume?: SinkPosition;
  /** Where it may keep what it must remember. Default: a path of its own below the system's temporary folder. */
  readonly memory?: string;
}

/** Opens a sink; what it is given is encoded as JSON lines. */
export async function openSink<F extends Fields>(spec: SinkSpec<F>, options: SinkOptions = {}): Promise<TestSink> {
  const opened = await context(spec, options);
  const memory = options.memory ?? join(tmpdir(), `reef-sink-${randomUUID()}`);
  const sink = await spec.open({ ...opened, resume: options.resume, memory });
  const sideColumns = spec.sideColumns?.(opened.settings) ?? [];
  return {
    write(rows) {
      const side = sideColumns.map((column) => textsOf(rows.map((row) => sideText(row, column))));
      const encoded = opened.codec.name === 'raw' ? bytesOf(rows) : textsOf(rows.map((row) => JSON.stringify(row)));
      const chunk = { ...encoded, rows: rows.length, side };
      return 'send' in sink ? sink.send(chunk, new AbortController().signal) : sink.write({ ...chunk, partition: 'test/rows' });
    },
    close: (outcome = 'finished') => sink.close(outcome),
  };
}

function sideText(row: Readonly<Record<string, Json>>, column: SideColumn): string {
  return typeof column === 'string' ? lineOf(row[column]) : column.map((name) => csvOf(row[name])).join(',');
}

/** A value as the codec `csv` writes it. */
function csvOf(value: Json | undefined): string {
  const text = lineOf(value);
  return value === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A value as the codec `line` writes it. */
function lineOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** As the codec `raw` writes them. */
function bytesOf(rows: readonly Readonly<Record<string, Json>>[]): RowTexts {
  const contents = rows.map((row) => Buffer.from(String(row[RAW_COLUMN] ?? ''), 'base64'));
  const offsets = new Uint32Array(rows.length + 1);
  contents.forEach(({ length }, index) => {
    offsets[index + 1] = offsets[index]! + length;
  });
  return { bytes: shared(Buffer.concat(contents)), offsets };
}

function textsOf(lines: readonly string[]): RowTexts {
  const offsets = new Uint32Array(lines.length + 1);
  lines.forEach((line, index) => {
    offsets[index + 1] = offsets[index]! + Buffer.byteLength(line) + 1;
  });
  return { bytes: shared(Buffer.from(lines.map((line) => `${line}\n`).join(''))), offsets };
}

/** As the engine has it: over shared memory, which some functions of JavaScript refuse. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

async function context<F extends Fields>(spec: NodeSpec | SourceSpec<F> | SinkSpec<F>, options: NodeOptions) {
  const { settings, problems } = await validateSettings(spec.settings, options.settings ?? {});
  const codecs = spec.kind === 'function' ? [] : spec.codecs;
  const codec = options.codec ?? ({ name: codecs[0] ?? 'json' } as Codec);
  const issues = settings ? (spec.check?.(settings as never, codec) ?? []).filter(({ severity }) => severity !== 'warning') : [];
  const wrong = [...problems.map(settingMessage), ...issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim())];
  if (!settings || wrong.length > 0) throw new ReefError('config', `Cannot open the node: ${wrong.join('; ')}`);
  return {
    id: 'test',
    settings: settings as never,
    folder: options.folder ?? process.cwd(),
    punchlineKind: options.punchlineKind ?? ('BatchPunchline' as const),
    codec,
    log: options.log ?? { info() {}, warn() {} },
    count() {},
    hindered() {},
  };
}

const ROOM_BYTES = 64 * 1024;
const NEWLINE = 10;

class TestFeed implements Feed {
  readonly resume: ReadonlyMap<string, Position>;
  readonly maxRowBytes = 16 * 1024 * 1024;
  readonly #partitions = new Map<string, TestPartition>();
  readonly #most: number;
  readonly #stop: AbortController;
  #rows = 0;

  constructor({ resume = {}, stopAfterRows = Number.POSITIVE_INFINITY }: SourceOptions, stop: AbortController) {
    this.resume = new Map(Object.entries(resume));
    this.#most = stopAfterRows;
    this.#stop = stop;
  }

  partition(name: string, options: PartitionOptions = {}): PartitionFeed {
    const take = options.records ? (bytes: Buffer) => this.#takeRecords(bytes) : (bytes: Buffer) => this.#take(bytes);
    const partition = new TestPartition(options, this.#stop.signal, take);
    this.#partitions.set(name, partition);
    return partition;
  }

  get text(): string {
    return [...this.#partitions.values()].map((partition) => partition.text).join('');
  }

  get positions(): Record<string, Position> {
    const read = Array.from(this.#partitions, ([name, partition]): [string, Position] => [name, partition.position]);
    return { ...Object.fromEntries(this.resume), ...Object.fromEntries(read) };
  }

  /** The same for records; of one that goes on nothing has come before. */
  #takeRecords(bytes: Buffer): number {
    let end = 0;
    while (this.#rows < this.#most) {
      const behind = recordEnd(bytes, end, bytes.length);
      if (behind === undefined) return bytes.length;
      end = behind;
      this.#rows++;
    }
    this.#stop.abort();
    return end;
  }

  /** How many of the bytes still count. */
  #take(bytes: Uint8Array): number {
    let end = 0;
    while (this.#rows < this.#most) {
      const newline = bytes.indexOf(NEWLINE, end);
      if (newline < 0) return bytes.length;
      end = newline + 1;
      this.#rows++;
    }
    this.#stop.abort();
    return end;
  }
}

class TestPartition implements PartitionFeed {
  readonly #options: PartitionOptions;
  readonly #signal: AbortSignal;
  readonly #take: (bytes: Buffer) => number;
  readonly #chunks: Uint8Array[] = [];
  #offset: number;
  #room: Uint8Array | undefined;

  constructor(options: PartitionOptions, signal: AbortSignal, take: (bytes: Buffer) => number) {
    this.#options = options;
    this.#signal = signal;
    this.#take = take;
    this.#offset = options.offset ?? 0;
  }

  async room(): Promise<Uint8Array> {
    // In another turn, as when memory is scarce.
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal.throwIfAborted();
    this.#room = new Uint8Array(new SharedArrayBuffer(ROOM_BYTES));
    return this.#room;
  }

  advance(length: number): void {
    if (!this.#room || length > this.#room.length)
      throw new RangeError(`Cannot advance by ${length} bytes: that is beyond the room`);
    const bytes = Buffer.from(this.#room.subarray(0, length));
    this.#room = undefined;
    const counted = this.#signal.aborted ? 0 : this.#take(bytes);
    this.#chunks.push(bytes.subarray(0, counted));
    this.#offset += counted;
  }

  flush(): void {}

  async end(): Promise<void> {}

  async delivered(): Promise<void> {}

  get text(): string {
    const bytes = Buffer.concat(this.#chunks);
    return (this.#options.records ? Buffer.concat(readRecords(bytes).map(({ payload }) => payload)) : bytes).toString('utf8');
  }

  get position(): Position {
    return this.#options.position?.(this.#offset) ?? this.#offset;
  }
}
