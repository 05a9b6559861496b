// What an AssemblyScript function needs of the rline contract: the row (bincode) from standard input, its columns, the answer.
// Memory is given back as a whole at the next call: the `stub` runtime never frees by itself.
@external('wasi_snapshot_preview1', 'fd_read')
declare function fd_read(fd: i32, vectors: usize, count: i32, result: usize): i32;
@external('wasi_snapshot_preview1', 'fd_write')
declare function fd_write(fd: i32, vectors: usize, count: i32, result: usize): i32;

export const STRING: u32 = 0;
export const INTEGER: u32 = 1;
export const FLOAT: u32 = 2;

const cells = memory.data(16);
const firstByte: usize = __heap_base + 64;
let rowEnd: usize = 0;
let out: usize = 0;
let outStart: usize = 0;

function ensure(end: usize): void {
  const pages = <i32>((end + 0xffff) >> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
}

/** Reads standard input to its end. */
export function readRow(): void {
  let at = firstByte;
  for (;;) {
    ensure(at + 65536);
    store<usize>(cells, at);
    store<usize>(cells, 65536, 4);
    if (fd_read(0, cells, 1, cells + 8) != 0) unreachable();
    const got = load<u32>(cells, 8);
    if (got == 0) break;
    at += got;
  }
  rowEnd = at;
  out = outStart = at;
}

/** Pointer to the tag of a column; 0 when it is absent or the row is cut short. Of a doubled name the last counts. */
export function find(name: string): usize {
  let at = firstByte + 8;
  if (rowEnd < at) return 0;
  let found: usize = 0;
  for (let columns = load<u64>(firstByte); columns > 0; columns--) {
    if (rowEnd - at < 8) return 0;
    const size = load<u64>(at);
    if (size > <u64>(rowEnd - at - 8)) return 0;
    const key = at + 8;
    at = key + <usize>size;
    if (rowEnd - at < 12) return 0;
    if (size == name.length && isAscii(key, name)) found = at;
    at = skip(at + 4, load<u32>(at));
    if (at == 0) return 0;
  }
  return found;
}

/** Literals stand in memory as UTF-16: comparing and copying unit by unit makes no garbage. ASCII only. */
function isAscii(at: usize, text: string): bool {
  for (let i = 0; i < text.length; i++) {
    if (load<u8>(at + i) != text.charCodeAt(i)) return false;
  }
  return true;
}

function skip(at: usize, tag: u32): usize {
  if (tag == INTEGER || tag == FLOAT) return at + 8;
  let count = load<u64>(at);
  at += 8;
  if (tag == 3) {
    for (; count > 0; count--) {
      if (rowEnd - at < 8 || load<u64>(at) > <u64>(rowEnd - at - 8)) return 0;
      at += 8 + <usize>load<u64>(at);
    }
    return at;
  }
  const width: u64 = tag == 4 || tag == 5 ? 8 : 1;
  if (tag > 6 || count > <u64>(rowEnd - at) / width) return 0;
  return at + <usize>(count * width);
}

function put32(value: u32): void {
  ensure(out + 16);
  store<u32>(out, value);
  out += 4;
}

function putText(text: string): void {
  ensure(out + text.length + 16);
  store<u64>(out, text.length);
  out += 8;
  for (let i = 0; i < text.length; i++) store<u8>(out++, <u8>text.charCodeAt(i));
}

function send(): void {
  store<usize>(cells, outStart);
  store<usize>(cells, out - outStart, 4);
  if (fd_write(1, cells, 1, cells + 8) != 0) unreachable();
}

/** Answers with one string column. Both texts are ASCII. */
export function answerString(name: string, value: string): void {
  ensure(out + 32);
  store<u8>(out, 3);
  out += 1;
  put32(0);
  store<u64>(out, 1);
  out += 8;
  putText(name);
  put32(STRING);
  putText(value);
  send();
}

/** Answers with an error: the row goes to the error table with this reason. */
export function fail(reason: string): void {
  ensure(out + 32);
  store<u8>(out, 3);
  out += 1;
  put32(1);
  putText(reason);
  send();
}
