/**
 * Whole JSON bodies (an array of objects, or one object) to rows, one a line. All of a body is judged before any of it is given
 * away: the kernel splits it into lines and then checks every byte of them, without an object per row.
 */
import { ROW_TABLE_HEADER, rowErrors, rowTableBytes, type ScanExports } from '../batch/kernel-abi.ts';
import type { KernelExports } from '../batch/kernel-exports.ts';
import { instantiateKernel, loadKernelModule } from '../batch/kernel-module.ts';
import { documentEnded, SPLIT_NOTHING, type SplitState, splitProblems } from './json-split.ts';

/** `problem` is to be read after "the body": `is not valid JSON …`. */
export type JsonBody = { readonly rows: number; readonly bytes: Buffer } | { readonly problem: string };

type BodyKernel = ScanExports & Pick<KernelExports, 'splitJson'>;

const PAGE = 65_536;
/** The kernel's constants lie below. */
const ARENA = PAGE;
/** Room for the row table and what a scan takes. */
const ARENA_BYTES = 4 * PAGE;
const TABLE_ROWS = 2048;
const STATE_BYTES = 32;
/** Bodies of up to so many bytes are read in memory that is kept. */
const USUAL_BYTES = 512 * 1024;

let module: WebAssembly.Module | undefined;
let usual: Reader | undefined;

/**
 * Reads one whole body; `parts` are its bytes in order. Synchronous: some 1 ms a MB. The rows are a copy, each ends with a
 * newline. Objects one behind the other are taken like an array of them.
 */
export function readJsonBody(parts: readonly Uint8Array[]): JsonBody {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > USUAL_BYTES) return new Reader(length).read(parts, length);
  usual ??= new Reader(USUAL_BYTES);
  return usual.read(parts, length);
}

class Reader {
  readonly #kernel: BodyKernel;
  readonly #memory: Buffer;
  readonly #words: Uint32Array;
  readonly #input: number;
  readonly #output: number;

  constructor(mostBytes: number) {
    module ??= loadKernelModule();
    this.#input = ARENA + ARENA_BYTES;
    this.#output = this.#input + align(mostBytes + 64);
    // An object of two bytes becomes a line of three; the kernel wants 32 bytes of room for each step.
    const pages = Math.ceil((this.#output + mostBytes * 1.5 + 128) / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#memory = Buffer.from(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#kernel = instantiateKernel<BodyKernel>(module, memory);
  }

  read(parts: readonly Uint8Array[], length: number): JsonBody {
    let at = this.#input;
    for (const part of parts) {
      this.#memory.set(part, at);
      at += part.length;
    }
    const from = this.#input + (hasMark(this.#memory, this.#input, length) ? 3 : 0);
    const kernel = this.#kernel;
    kernel.reset(ARENA, ARENA + ARENA_BYTES);
    const state = kernel.alloc(STATE_BYTES);
    this.#words.fill(0, state >>> 2, (state + STATE_BYTES) >>> 2);
    const end = this.#memory.length;
    kernel.splitJson(state, from, at, this.#output, end);
    const [phase, , , , rows, outEnd, error] = this.#words.subarray(state >>> 2, (state >>> 2) + 8) as unknown as SplitState;
    if (error !== 0) return { problem: splitProblems[error]! };
    if (phase === SPLIT_NOTHING) return { problem: 'is empty, expected a JSON array of objects or an object' };
    const problem =
      this.#check(this.#output, outEnd) ?? (documentEnded(phase) ? undefined : 'is not valid JSON: it ends too early');
    return problem === undefined ? { rows, bytes: copyOf(this.#memory, this.#output, outEnd) } : { problem };
  }

  /** The first row that is bad, in words. */
  #check(from: number, to: number): string | undefined {
    const kernel = this.#kernel;
    kernel.reset(ARENA, ARENA + ARENA_BYTES);
    kernel.setKeys(kernel.alloc(8), 0);
    const table = kernel.alloc(rowTableBytes(TABLE_ROWS, 0)) >>> 2;
    const header = this.#words.subarray(table, table + ROW_TABLE_HEADER / 4);
    for (let before = 0; from < to; ) {
      header[5] = TABLE_ROWS;
      const count = kernel.scanJson(from, to, table * 4, 0);
      // A line that is not ended yet stands at the end of a body that is cut off.
      if (count === 0) return undefined;
      const bad = header[2]! + header[3]! === 0 ? -1 : this.#firstBad(table, count);
      if (bad >= 0) return this.#describe(table, bad, before);
      before += count;
      from = header[1]!;
    }
    return undefined;
  }

  #firstBad(table: number, count: number): number {
    const errors = table + ROW_TABLE_HEADER / 4 + TABLE_ROWS * 2;
    return this.#words.subarray(errors, errors + count).findIndex((code) => code !== 0);
  }

  #describe(table: number, row: number, before: number): string {
    const starts = table + ROW_TABLE_HEADER / 4 + row;
    const code = this.#words[starts + TABLE_ROWS * 2]!;
    const place = this.#words[starts + TABLE_ROWS * 3]! - this.#words[starts]! + 1;
    const element = `element ${before + row + 1}`;
    return code === 64
      ? `holds something else than objects: ${element} ${rowErrors[code]}`
      : `holds a bad row: ${element} ${rowErrors[code]}, at byte ${place} of it`;
  }
}

function hasMark(bytes: Buffer, at: number, length: number): boolean {
  return length >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
}

function copyOf(memory: Buffer, from: number, to: number): Buffer {
  return Buffer.from(memory.subarray(from, to));
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
