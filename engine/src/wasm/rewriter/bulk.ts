import type { Fuel } from './fuel.ts';
import { Writer } from './writer.ts';

/**
 * What stands for `memory.fill` and `memory.copy` when time is metered. A guest may fill a gigabyte with one instruction, which
 * nothing can interrupt; so long ones are done in chunks, with a charge for each. The specification wants all bounds checked
 * before the first byte is written, so that a chunked operation that would trap is handed over whole, to trap.
 */
const CHUNK_BYTES = 2 ** 20;

const Op = {
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  get: 0x20,
  set: 0x21,
  size: 0x3f,
  i32: 0x41,
  i64: 0x42,
  ltU: 0x49,
  leU: 0x4d,
  gtU64: 0x56,
  add: 0x6a,
  sub: 0x6b,
  add64: 0x7c,
  shl64: 0x86,
  extendU: 0xad,
} as const;

const EMPTY = 0x40;
const FILL = [0xfc, 11, 0];
const COPY = [0xfc, 10, 0, 0];
/** Parameters: destination; source or value; length. */
const [TO, FROM, LENGTH] = [0, 1, 2];

export function fillBody(fuel: Fuel): Uint8Array {
  const whole = [Op.get, TO, Op.get, FROM, Op.get, LENGTH, ...FILL];
  return inChunks(fuel, whole, outOfBounds(TO), (out) => {
    out.all([Op.get, TO, Op.get, FROM]);
    chunk(out);
    out.all(FILL);
    advance(out, TO);
  });
}

export function copyBody(fuel: Fuel): Uint8Array {
  const whole = [Op.get, TO, Op.get, FROM, Op.get, LENGTH, ...COPY];
  // The larger address decides whether it is out of bounds.
  const larger = [Op.get, TO, Op.get, FROM, Op.get, FROM, Op.get, TO, Op.ltU, Op.select];
  return inChunks(fuel, whole, outOfBounds(larger), (out) => {
    // Overlapping ranges: from the front when the destination lies below the source, else from the back.
    out.all([Op.get, TO, Op.get, FROM, Op.ltU, Op.if, EMPTY, Op.get, TO, Op.get, FROM]);
    chunk(out);
    out.all(COPY);
    advance(out, TO);
    advance(out, FROM);
    out.u8(Op.else);
    for (const address of [TO, FROM]) {
      out.all([Op.get, address, Op.get, LENGTH, Op.add]);
      chunk(out);
      out.u8(Op.sub);
    }
    chunk(out);
    out.all([...COPY, Op.end]);
  });
}

/** `loop { if (length <= CHUNK or out of bounds) { charge; whole; return } charge; part; length -= CHUNK; again }`. */
function inChunks(fuel: Fuel, whole: number[], outside: number[], part: (out: Writer) => void): Uint8Array {
  const out = new Writer(256, 4096, () => new RangeError('generated function is too large'));
  out.all([0, Op.loop, EMPTY, Op.get, LENGTH]);
  chunk(out);
  out.all([Op.leU, Op.if, EMPTY, Op.get, LENGTH]);
  charge(out, fuel);
  out.all([...whole, Op.return, Op.end, ...outside, Op.if, EMPTY, ...whole, Op.return, Op.end]);
  chunk(out);
  charge(out, fuel);
  part(out);
  out.all([Op.get, LENGTH]);
  chunk(out);
  out.all([Op.sub, Op.set, LENGTH, Op.br, 0, Op.end, Op.end]);
  return out.finish();
}

/** Whether address + length lies behind the memory's end, without wrapping. */
function outOfBounds(address: number | number[]): number[] {
  const get = typeof address === 'number' ? [Op.get, address] : address;
  const end = [...get, Op.extendU, Op.get, LENGTH, Op.extendU, Op.add64];
  return [...end, Op.size, 0, Op.extendU, Op.i64, 16, Op.shl64, Op.gtU64];
}

function chunk(out: Writer): void {
  out.u8(Op.i32);
  out.signed(CHUNK_BYTES);
}

function charge(out: Writer, fuel: Fuel): void {
  out.u8(Op.call);
  out.u32(fuel.chargeBytes);
  out.u8(Op.drop);
}

function advance(out: Writer, local: number): void {
  out.all([Op.get, local]);
  chunk(out);
  out.all([Op.add, Op.set, local]);
}
