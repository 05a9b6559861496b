/**
 * The kernel's scan alone, as a whole process over a file, to stand beside simdjson: every byte validated, the place and kind of one
 * field found in every row, nothing converted or written. Usage: node kernel-file.ts INPUT
 */
import { openSync, readSync } from 'node:fs';
import { rowTableBytes } from '../engine/src/batch/kernel-abi.ts';
import { instantiateKernel, loadKernelModule } from '../engine/src/batch/kernel-module.ts';

const FIELD = 'creation_timestamp';
const ARENA = { start: 1 << 16, end: 8 << 20 };
const PIECE_BYTES = 512 << 10;
const ROWS = 8192;

const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });
const kernel = instantiateKernel(loadKernelModule(), memory);
const bytes = new Uint8Array(memory.buffer);
const view = new DataView(memory.buffer);

kernel.reset(ARENA.start, ARENA.end);
const name = kernel.alloc(FIELD.length);
bytes.set(Buffer.from(FIELD), name);
const keys = kernel.alloc(8);
view.setUint32(keys, name, true);
view.setUint32(keys + 4, FIELD.length, true);
kernel.setKeys(keys, 1);
const table = kernel.alloc(rowTableBytes(ROWS, 1));
view.setUint32(table + 20, ROWS, true);

const file = openSync(process.argv[2]!, 'r');
let rows = 0;
let bad = 0;
/** Bytes of an unfinished row that the piece begins with. */
let filled = 0;
for (;;) {
  const read = readSync(file, bytes, ARENA.end + filled, PIECE_BYTES - filled, null);
  filled += read;
  if (filled === 0) break;
  const end = ARENA.end + filled;
  let from = ARENA.end;
  for (let count = 1; count > 0 && from < end; from = view.getUint32(table + 4, true)) {
    count = kernel.scanJson(from, end, table, read === 0 ? 1 : 0);
    rows += count;
    bad += view.getUint32(table + 8, true) + view.getUint32(table + 12, true);
  }
  if (from === ARENA.end) throw new Error('A row is longer than the piece that is read at once.');
  bytes.copyWithin(ARENA.end, from, end);
  filled = end - from;
  if (read === 0) break;
}
console.log(`${rows} rows, ${bad} bad`);
