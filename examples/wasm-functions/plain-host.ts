/**
 * The smallest host for rline functions: one row in, one answer out, through Node's WebAssembly and a few WASI functions.
 * It shows what the contract asks of a host, and tests compare the engine with it.
 */
import { readFileSync } from 'node:fs';

export type RlineValue =
  | { readonly String: string }
  | { readonly Integer: number | bigint }
  | { readonly Float: number }
  | { readonly VecString: readonly string[] }
  | { readonly VecInteger: readonly (number | bigint)[] }
  | { readonly VecFloat: readonly number[] }
  | { readonly VecU8: readonly number[] };
export type RlineRow = Readonly<Record<string, RlineValue>>;
export type RlineAnswer = { readonly Ok: RlineRow } | { readonly Err: string };

const TAGS = ['String', 'Integer', 'Float', 'VecString', 'VecInteger', 'VecFloat', 'VecU8'] as const;

export interface PlainFunction {
  /** Bytes on standard input to bytes on standard output. */
  call(input: Uint8Array): Uint8Array;
  bincode(row: RlineRow): RlineAnswer;
  json(row: RlineRow): RlineAnswer;
}

export function loadPlainly(path: string | URL, name: string): PlainFunction {
  const module = new WebAssembly.Module(readFileSync(path));
  let input: Uint8Array = new Uint8Array(0);
  let output: Uint8Array[] = [];
  const view = () => new DataView((instance.exports.memory as WebAssembly.Memory).buffer);
  const bytes = () => new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);

  function* vectors(at: number, count: number): Generator<Uint8Array> {
    for (let i = 0; i < count; i++) {
      const start = view().getUint32(at + 8 * i, true);
      yield bytes().subarray(start, start + view().getUint32(at + 8 * i + 4, true));
    }
  }
  const given: Record<string, (...args: number[]) => number> = {
    fd_read(_fd, at, count, result) {
      let total = 0;
      for (const room of vectors(at!, count!)) {
        const part = input.subarray(0, room.length);
        room.set(part);
        input = input.subarray(part.length);
        total += part.length;
      }
      view().setUint32(result!, total, true);
      return 0;
    },
    fd_write(fd, at, count, result) {
      let total = 0;
      for (const part of vectors(at!, count!)) {
        if (fd === 1) output.push(part.slice());
        total += part.length;
      }
      view().setUint32(result!, total, true);
      return 0;
    },
    fd_fdstat_get(fd, at) {
      if (fd! > 2) return 8;
      bytes().fill(0, at, at! + 24);
      bytes()[at!] = 2;
      view().setBigUint64(at! + 8, fd === 0 ? 2n : 64n, true);
      return 0;
    },
    random_get: () => 0,
    // Go refuses to start when a clock reads 0.
    clock_time_get(_clock, _precision, at) {
      view().setBigUint64(at!, 1_700_000_000_000_000_000n, true);
      return 0;
    },
    proc_exit(code) {
      throw new Error(`exit ${code}`);
    },
  };
  const sizes = (first: number, second: number) => {
    view().setUint32(first, 0, true);
    view().setUint32(second, 0, true);
    return 0;
  };
  const wasi = new Proxy(given, {
    get: (target, key: string) =>
      target[key] ?? (key.endsWith('sizes_get') ? sizes : key.endsWith('prestat_get') ? () => 8 : () => 0),
  });
  const instance: WebAssembly.Instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi });
  (instance.exports._initialize as (() => void) | undefined)?.();

  function call(row: Uint8Array): Uint8Array {
    input = row;
    output = [];
    (instance.exports[name] as () => void)();
    return Buffer.concat(output);
  }
  return {
    call,
    bincode: (row) => decodeAnswer(call(encodeRow(row))),
    json(row) {
      const answer = call(Buffer.from(`${JSON.stringify(row)}\n`));
      return JSON.parse(Buffer.from(answer.subarray(answer.indexOf(3) + 1)).toString()) as RlineAnswer;
    },
  };
}

/** A row as the guest reads it. */
export function encodeRow(row: RlineRow): Uint8Array {
  const parts: Buffer[] = [];
  const u64 = (value: number | bigint) => {
    const cell = Buffer.alloc(8);
    cell.writeBigInt64LE(BigInt(value));
    parts.push(cell);
  };
  const f64 = (value: number) => {
    const cell = Buffer.alloc(8);
    cell.writeDoubleLE(value);
    parts.push(cell);
  };
  const text = (value: string) => {
    u64(Buffer.byteLength(value));
    parts.push(Buffer.from(value));
  };
  u64(Object.keys(row).length);
  for (const [name, value] of Object.entries(row)) {
    text(name);
    const tag = TAGS.findIndex((tag) => tag in value);
    parts.push(Buffer.from([tag, 0, 0, 0]));
    if ('String' in value) text(value.String);
    else if ('Integer' in value) u64(value.Integer);
    else if ('Float' in value) f64(value.Float);
    else {
      const list = Object.values(value)[0] as readonly never[];
      u64(list.length);
      if ('VecU8' in value) parts.push(Buffer.from(value.VecU8));
      else for (const one of list) ('VecString' in value ? text : 'VecFloat' in value ? f64 : u64)(one);
    }
  }
  return Buffer.concat(parts);
}

/** The answer behind the first marker byte (functions that print before it need more care: see the engine). */
export function decodeAnswer(bytes: Uint8Array): RlineAnswer {
  const data = Buffer.from(bytes.subarray(bytes.indexOf(3) + 1));
  let at = 0;
  const skip = (length: number) => {
    at += length;
    return at - length;
  };
  const u32 = () => data.readUInt32LE(skip(4));
  const count = () => Number(data.readBigUInt64LE(skip(8)));
  const i64 = () => narrow(data.readBigInt64LE(skip(8)));
  const f64 = () => data.readDoubleLE(skip(8));
  const text = () => {
    const start = skip(count());
    return data.toString('utf8', start, at);
  };
  const list = <T>(read: () => T) => Array.from({ length: count() }, read);
  if (u32() === 1) return { Err: text() };
  const readers = [text, i64, f64, () => list(text), () => list(i64), () => list(f64), () => list(() => data[skip(1)]!)];
  const column = () => {
    const name = text();
    const tag = u32();
    return [name, { [TAGS[tag]!]: readers[tag]!() }];
  };
  return { Ok: Object.fromEntries(list(column)) };
}

function narrow(value: bigint): number | bigint {
  return BigInt.asIntN(53, value) === value ? Number(value) : value;
}
