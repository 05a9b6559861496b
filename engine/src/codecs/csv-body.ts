/**
 * A whole body of CSV: its header is taken off, and a quote that is never closed is found, before any of it is given away: what
 * stands behind the body in the same batch must not become part of it.
 */
import type { ScanExports } from '../batch/kernel-abi.ts';
import { instantiateKernel, loadKernelModule } from '../batch/kernel-module.ts';
import { readCsvHeader } from './csv-header.ts';

export interface CsvBodyOptions {
  readonly separator: string;
  /** Names of the columns where no header stands first; `undefined`: the first row has them. */
  readonly columns: readonly string[] | undefined;
}

/** `problem` is to be read after "the body". `parts`: the rows behind the header, each ends with a newline. */
export type CsvBody =
  | { readonly columns: readonly string[]; readonly parts: readonly Uint8Array[]; readonly bytes: number }
  | { readonly problem: string };

const NEWLINE = 10;
const QUOTE = 34;
const LINE_END = Uint8Array.of(NEWLINE);
const PAGE = 65_536;
/** Bodies of up to so many bytes are looked at in memory that is kept. */
const USUAL_BYTES = 512 * 1024;

let module: WebAssembly.Module | undefined;
let usual: Frame | undefined;

export function readCsvBody(given: readonly Uint8Array[], { separator, columns }: CsvBodyOptions): CsvBody {
  const body = given.length === 1 ? given[0]! : Buffer.concat(given);
  const header = columns ? { columns, length: 0 } : readCsvHeader(body, separator, { last: true });
  if (!header || (body.length === 0 && !columns)) return { problem: 'is empty, expected a header that names the columns' };
  if ('problem' in header) return { problem: `begins with no header: it ${header.problem}` };
  const rows = body.subarray(header.length);
  if (rows.length === 0) return { columns: header.columns, parts: [], bytes: 0 };
  const ended = rows[rows.length - 1] === NEWLINE;
  if (rows.includes(QUOTE) && !endsOutsideQuotes(rows, separator)) return { problem: 'has a quote that is never closed' };
  return { columns: header.columns, parts: ended ? [rows] : [rows, LINE_END], bytes: rows.length + (ended ? 0 : 1) };
}

/** Behind the last row that ends within `most` bytes from `from` on, or within twice as many and so on where none does. */
export function endOfCsvRows(rows: Uint8Array, from: number, most: number, separator: string): number {
  for (let room = most; from + room < rows.length; room *= 2) {
    const length = frameFor(room).cut(rows.subarray(from, from + room), separator);
    if (length > 0) return from + length;
  }
  return rows.length;
}

function endsOutsideQuotes(rows: Uint8Array, separator: string): boolean {
  const whole = rows[rows.length - 1] === NEWLINE ? rows : Buffer.concat([rows, LINE_END]);
  return frameFor(whole.length).cut(whole, separator) === whole.length;
}

function frameFor(bytes: number): Frame {
  if (bytes > USUAL_BYTES) return new Frame(bytes);
  usual ??= new Frame(USUAL_BYTES);
  return usual;
}

/** Memory with a kernel over it, which knows where rows end. */
class Frame {
  readonly #kernel: ScanExports;
  readonly #bytes: Uint8Array;

  constructor(mostBytes: number) {
    module ??= loadKernelModule();
    // The kernel's constants lie in the first page; it may read some bytes behind what it is given.
    const pages = 1 + Math.ceil((mostBytes + 128) / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#kernel = instantiateKernel(module, memory);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Bytes up to the end of the last row that ends within. */
  cut(rows: Uint8Array, separator: string): number {
    this.#bytes.set(rows, PAGE);
    return (this.#kernel.cutCsv(PAGE, PAGE + rows.length, separator.charCodeAt(0)) >>> 0) - PAGE;
  }
}
