/** Tells, on the main thread, where rows end: as much as must be known to cut batches, and to halve those that kill workers. */
import type { ScanExports } from '../batch/kernel-abi.ts';
import { instantiateKernel } from '../batch/kernel-module.ts';
import { recordEnd } from '../spec/records.ts';
import type { SharedMemory } from './slots.ts';

export interface RowCutter {
  /**
   * Pointer behind the last row that ends in `[from, to)`, where one begins at `from`; `undefined` when none does. `searched`: no row
   * ends before it.
   */
  lastEnd(from: number, to: number, searched?: number): number | undefined;
  /** The same for the first row. */
  firstEnd(from: number, to: number): number | undefined;
}

const NEWLINE = 10;

type Memory = Pick<SharedMemory, 'bytes'>;

/** Every newline ends a row. */
export function newlineCutter(memory: Memory): RowCutter {
  const behind = (from: number, found: number): number | undefined => (found < 0 ? undefined : from + found + 1);
  return {
    lastEnd: (from, to, searched = from) => behind(searched, memory.bytes.subarray(searched, to).lastIndexOf(NEWLINE)),
    firstEnd: (from, to) => behind(from, memory.bytes.subarray(from, to).indexOf(NEWLINE)),
  };
}

/** Records (spec/records.ts) say how long they are. */
export function recordCutter(memory: Memory): RowCutter {
  return {
    lastEnd(from, to) {
      let last: number | undefined;
      for (let end = recordEnd(memory.bytes, from, to); end !== undefined; end = recordEnd(memory.bytes, end, to)) last = end;
      return last;
    },
    firstEnd: (from, to) => recordEnd(memory.bytes, from, to),
  };
}

/** Newlines outside of quotes end rows; what breaks the rules ends with its line (engine/kernel/assembly/scan-csv.ts). */
export function csvCutter(memory: Pick<SharedMemory, 'memory'>, module: WebAssembly.Module, separator: string): RowCutter {
  const by = separator.charCodeAt(0);
  let made: { readonly memory: WebAssembly.Memory; readonly kernel: ScanExports } | undefined;
  // The memory is another one when the punchline has been idle.
  const kernel = (): ScanExports => {
    if (made?.memory !== memory.memory) made = { memory: memory.memory, kernel: instantiateKernel(module, memory.memory) };
    return made.kernel;
  };
  return {
    lastEnd(from, to) {
      const end = kernel().cutCsv(from, to, by) >>> 0;
      return end === from ? undefined : end;
    },
    firstEnd(from, to) {
      return kernel().firstCsvRow(from, to, by) >>> 0 || undefined;
    },
  };
}
