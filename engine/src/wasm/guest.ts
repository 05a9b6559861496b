/**
 * One instance of a function in one worker: the guest, the shim around it, the memory between them, and how it gets a clean
 * state after a row that went wrong. Rows go in and out through ranges of the kernel's memory; this file never looks at them.
 */
import { ReefError } from '../errors.ts';
import type { CpuLimit } from './cpu-limit.ts';
import { type Grants, grantedFunctions } from './grants.ts';
import { type ModuleInfo, REEF } from './rewriter/index.ts';
import { RESULT_BYTES, RowStatus, type ShimExports, shimModule, WASI_MODULE } from './shim.ts';

export interface GuestOptions {
  /** The rewritten module, and what the rewriter says of it. */
  readonly module: WebAssembly.Module;
  readonly info: ModuleInfo;
  /** The export that is called for each row. */
  readonly function: string;
  readonly kernelMemory: WebAssembly.Memory;
  readonly cpu: CpuLimit;
  readonly outputBytesPerRow: number;
  readonly logBytesPerRow?: number;
  /** Where in the kernel's memory there is room for what it prints while it starts; without it that is dropped. */
  readonly startLog?: { readonly start: number; readonly end: number };
  readonly grants?: Grants;
  /** Default: the build for this machine. */
  readonly shim?: WebAssembly.Module;
}

/** Where rows and results of one run lie in the kernel's memory. */
export interface RunRequest {
  /** Pairs of u32: start and end of each row's bytes. */
  readonly inputs: number;
  readonly rows: number;
  /** {@link RESULT_BYTES} for each row. */
  readonly results: number;
  readonly out: number;
  readonly outEnd: number;
  readonly log: number;
  readonly logEnd: number;
}

/** A row that ended before its function returned. */
export interface Interruption {
  readonly row: number;
  /** What happened, as the rest of a sentence that starts with the function. */
  readonly what: string;
}

export interface RunOutcome {
  /** Rows that have a result now: all, unless the last of them has a large answer. */
  readonly done: number;
  /** An answer that had no room in the kernel's memory: a view, good until the next run. */
  readonly large: Uint8Array | undefined;
  readonly interruptions: readonly Interruption[];
}

/** Memory that grew by more than this is given back instead of being cleaned. */
const KEPT_GROWTH_PAGES = 1024;
const PAGE_BYTES = 65_536;

export class Guest {
  readonly #options: GuestOptions;
  #memory!: WebAssembly.Memory;
  #shim!: ShimExports;
  #exports!: Readonly<Record<string, unknown>>;
  #imports!: WebAssembly.Imports;
  #timeNs = 0n;
  /** Clean states that were made; for tests and metrics. */
  resets = 0;

  constructor(options: GuestOptions) {
    this.#options = options;
    this.#create();
  }

  /** Bytes of the guest's memory, as large as it has been. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Where the answers of the last run end in the kernel's memory. */
  get outputEnd(): number {
    return this.#shim.out.value >>> 0;
  }

  /** Milliseconds since 1970 that the guest's wall clock shows from now on. */
  setTime(milliseconds: number): void {
    this.#timeNs = BigInt(Math.trunc(milliseconds)) * 1_000_000n;
    this.#shim.now.value = this.#timeNs;
  }

  /** Runs rows; each has a result afterwards, whatever it did. Throws only when no clean state can be had any more. */
  run(request: RunRequest): RunOutcome {
    const { cpu } = this.#options;
    const interruptions: Interruption[] = [];
    const { results, out, outEnd, log, logEnd } = request;
    this.#shim.begin(results, out, outEnd, log, logEnd);
    cpu.begin();
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      let done = 0;
      while (done < request.rows) {
        const from = done;
        try {
          done = this.#shim.run(request.rows, request.inputs);
          cpu.passed(done - from, false);
          if (this.#shim.status.value === RowStatus.endedLarge) break;
        } catch (error) {
          const row = this.#shim.row.value;
          cpu.passed(row - from, false);
          interruptions.push(this.#interrupted(request, row, error));
          done = row + 1;
          this.#recover(request, done);
        }
      }
      return { done, large: this.#large(request, done), interruptions };
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /** Gives back memory that rows have made grow; for between two batches. */
  trim(): void {
    const pages = this.memoryBytes / PAGE_BYTES - (this.#options.info.memory?.minPages ?? 0);
    if (pages > KEPT_GROWTH_PAGES) this.#create();
  }

  #large(request: RunRequest, done: number): Uint8Array | undefined {
    if (done === 0 || this.#shim.status.value !== RowStatus.endedLarge) return undefined;
    const length = new DataView(this.#options.kernelMemory.buffer).getUint32(
      request.results + (done - 1) * RESULT_BYTES + 8,
      true,
    );
    return new Uint8Array(this.#shim.own.buffer as ArrayBuffer, this.#shim.largeAt.value, length);
  }

  #interrupted({ results }: RunRequest, row: number, error: unknown): Interruption {
    const { cpu, kernelMemory } = this.#options;
    const { limitMs, hasFallen } = cpu;
    const status = this.#shim.abandon(RowStatus.trapped);
    const stopped = cpu.takeStopped();
    cpu.passed(1, stopped === 'cpu');
    if (stopped === 'cancel')
      throw new ReefError('stop', `Cannot go on with function "${this.#options.function}": it was cancelled`);
    if (stopped === 'cpu') {
      const why = hasFallen ? ', which fell when a row before ran into it' : '';
      return { row, what: `used more than ${Math.round(limitMs)} ms of CPU time (limits.cpu_ms_per_row${why})` };
    }
    if (status === RowStatus.exited || status === RowStatus.tooMuchOutput) {
      const at = results + row * RESULT_BYTES;
      const detail = new DataView(kernelMemory.buffer).getUint32(at + 12, true);
      const what =
        status === RowStatus.exited
          ? `ended itself with exit code ${detail}`
          : `answered with more than ${detail} bytes (limits.output_bytes_per_row)`;
      return { row, what };
    }
    if (error instanceof RangeError) return { row, what: 'recursed too deep' };
    return { row, what: `trapped: ${error instanceof Error ? error.message : String(error)}` };
  }

  /** A state as if no row had run, to go on at `row`. In place where that is possible: zeros and the first picture instead of a new instance. */
  #recover(request: RunRequest, row: number): void {
    this.resets++;
    const { info } = this.#options;
    const grown = this.memoryBytes / PAGE_BYTES - (info.memory?.minPages ?? 0);
    if (grown > KEPT_GROWTH_PAGES || (!info.reset.inPlace && grown > 0)) {
      const { out, log } = this.#shim;
      this.#create();
      this.#shim.begin(request.results, out.value, request.outEnd, log.value, request.logEnd);
      this.#shim.row.value = row;
    } else if (info.reset.inPlace) {
      this.#shim.reset();
      (this.#exports[REEF.restore] as () => void)();
    } else {
      this.#shim.zero();
      this.#instantiate();
    }
  }

  #create(): void {
    const { info, kernelMemory, cpu, outputBytesPerRow, logBytesPerRow = 2048 } = this.#options;
    const { minPages = 0, maxPages = 0 } = info.memory ?? {};
    const look = () => cpu.look(this.#shim?.row.value ?? 0);
    this.#memory = new WebAssembly.Memory({ initial: minPages, maximum: maxPages });
    const shim = new WebAssembly.Instance(this.#options.shim ?? shimModule(), {
      reef: { memory: this.#memory, fuel_out: look },
      kernel: { memory: kernelMemory },
    });
    this.#shim = shim.exports as unknown as ShimExports;
    this.#shim.maxOutput.value = outputBytesPerRow;
    this.#shim.maxRowLog.value = logBytesPerRow;
    this.#shim.now.value = this.#timeNs;
    const stopWhenTold = (): void => {
      if (look() !== 0) throw new WebAssembly.RuntimeError('stopped');
    };
    const granted = this.#options.grants ? grantedFunctions(this.#options.grants, this.#memory, stopWhenTold) : {};
    this.#imports = {
      [WASI_MODULE]: { ...shim.exports, ...granted },
      [REEF.importModule]: { [REEF.memory]: this.#memory, [REEF.fuelOut]: look },
    };
    const { start = 0, end = 0 } = this.#options.startLog ?? {};
    this.#shim.begin(0, 0, 0, start, end);
    try {
      this.#instantiate();
    } catch (cause) {
      throw new Error(this.#whyNotStarted(cause), { cause });
    }
    if (info.reset.inPlace) {
      (this.#exports[REEF.save] as () => void)();
      if (this.#shim.picture() < 0) {
        throw new ReefError(
          'limit',
          `Cannot open function "${this.#options.function}": there is no memory for a copy of its first state`,
        );
      }
    }
  }

  #whyNotStarted(cause: unknown): string {
    const { kernelMemory, startLog } = this.#options;
    const { status, detail, log } = this.#shim;
    const said =
      startLog &&
      Buffer.from(kernelMemory.buffer as unknown as ArrayBuffer)
        .toString('utf8', startLog.start, log.value)
        .trim();
    const what =
      status.value === RowStatus.exited
        ? `it ended itself with exit code ${detail.value}`
        : cause instanceof Error
          ? cause.message
          : String(cause);
    return said ? `${what}; it said: ${said}` : what;
  }

  /** A reactor's `_initialize` runs once for each instance, before any row. */
  #instantiate(): void {
    const { module, cpu, function: name } = this.#options;
    cpu.begin();
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    this.#exports = exports;
    if (typeof exports._initialize === 'function') {
      this.#shim.guest.set(0, exports._initialize);
      this.#shim.call();
    }
    this.#shim.guest.set(0, exports[name]);
  }
}
