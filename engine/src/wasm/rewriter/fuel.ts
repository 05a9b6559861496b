import { TYPE } from './opcodes.ts';
import { Writer } from './writer.ts';

/**
 * The fuel meter. A global of the module itself holds what is left (an imported one would shift the numbers of all others and
 * cost one more load at each look), and stands behind all other globals. Each loop head and most function entries
 * (entries.ts) take off the number of instructions of their straight-line piece and call `refuel` below zero.
 *
 * Measured on loops of 1 to 5 cycles, a global costs 50 to 240 % there, because each pass waits for the store of the one before, and a
 * call inside the loop spoils its registers. So a loop without inner loops, and whose calls leave the fuel alone, counts in a local and leaves, when that is used up,
 * to a second loop put around it, which calls `refuel` and enters it again: 0 to 35 %. Elsewhere the call is marked as unlikely (branch hint).
 */
export interface Fuel {
  /** Numbers in the rewritten module. */
  readonly global: number;
  readonly fuelOut: number;
  readonly refuel: number;
  /** `(n) -> (n)`: charges a bulk instruction over n bytes. Bulk instructions have their length on top of the stack. */
  readonly chargeBytes: number;
  /** `(to, value, length)` and `(to, from, length)` do the work, too; there when there is a memory. */
  readonly bulk: { readonly fill: number; readonly copy: number } | undefined;
  /** As {@link chargeBytes}, for n table entries or pages. */
  readonly chargeItems: number;
  readonly slice: number;
}

/** Bytes that the cost of a piece takes in the code: three, so that it can be filled in at the piece's end. */
export const COST_BYTES = 3;
export const MAX_COST = 2 ** 20 - 1;

export interface Sequence {
  readonly bytes: Uint8Array;
  /** Where in `bytes` the cost goes. */
  readonly costAt: number;
  /** Where in `bytes` the branch stands that is hardly ever taken; -1: nowhere. */
  readonly unlikelyAt: number;
}

/** `fuel -= cost; if (fuel < 0) refuel()`, good at any point of any function: it needs no local and leaves the stack alone. */
export function meterSequence(fuel: Fuel): Sequence {
  const out = scratch();
  out.u8(0x23); // global.get
  out.u32(fuel.global);
  out.u8(0x41); // i32.const
  const costAt = out.length;
  for (let i = 0; i < COST_BYTES; i++) out.u8(0);
  out.all([0x6b, 0x24]); // i32.sub, global.set
  out.u32(fuel.global);
  const unlikelyAt = check(out, fuel);
  return { bytes: out.finish(), costAt, unlikelyAt };
}

/** Returns where the `if` stands. */
function check(out: Writer, fuel: Fuel): number {
  out.u8(0x23); // global.get
  out.u32(fuel.global);
  out.all([0x41, 0x00, 0x48]); // i32.const 0, i32.lt_s
  const unlikelyAt = out.length;
  out.all([0x04, 0x40, 0x10]); // if, call
  out.u32(fuel.refuel);
  out.u8(0x0b); // end
  return unlikelyAt;
}

/**
 * The parts of a loop that counts in a local: `load; loop { refuel; loop { count; … } } store`.
 * The two loops have the original's type, so that its operands pass through both. `refuel` gives back the pass that was counted but not
 * done, as `count` takes it off again: so there is a pass between any two refuellings, however small the slice.
 */
export interface LocalMeter {
  readonly load: Uint8Array;
  readonly refuel: Sequence;
  readonly count: Sequence;
  /** Also before everything that leaves the loop. */
  readonly store: Uint8Array;
}

export function localMeter(fuel: Fuel, local: number): LocalMeter {
  const load = scratch();
  load.u8(0x23); // global.get
  load.u32(fuel.global);
  load.u8(0x21); // local.set
  load.u32(local);

  const store = scratch();
  store.u8(0x20); // local.get
  store.u32(local);
  store.u8(0x24); // global.set
  store.u32(fuel.global);

  const refuel = scratch();
  refuel.u8(0x20); // local.get
  refuel.u32(local);
  refuel.all([0x41, 0x00, 0x48]); // i32.const 0, i32.lt_s
  const unlikelyAt = refuel.length;
  refuel.all([0x04, 0x40]); // if
  refuel.u8(0x10); // call
  refuel.u32(fuel.refuel);
  refuel.u8(0x23); // global.get
  refuel.u32(fuel.global);
  refuel.u8(0x41); // i32.const
  const refuelCostAt = refuel.length;
  for (let i = 0; i < COST_BYTES; i++) refuel.u8(0);
  refuel.all([0x6a, 0x21]); // i32.add, local.set
  refuel.u32(local);
  refuel.u8(0x0b); // end

  const count = scratch();
  count.u8(0x20); // local.get
  count.u32(local);
  count.u8(0x41); // i32.const
  const costAt = count.length;
  for (let i = 0; i < COST_BYTES; i++) count.u8(0);
  count.all([0x6b, 0x22]); // i32.sub, local.tee
  count.u32(local);
  count.all([0x41, 0x00, 0x48, 0x0d, 0x01]); // i32.const 0, i32.lt_s, br_if to the outer loop
  return {
    load: load.finish(),
    store: store.finish(),
    refuel: { bytes: refuel.finish(), costAt: refuelCostAt, unlikelyAt },
    count: { bytes: count.finish(), costAt, unlikelyAt: -1 },
  };
}

/** Body of `refuel`: `if (fuel_out() != 0) unreachable; fuel = slice`. */
export function refuelBody(fuel: Fuel): Uint8Array {
  const out = scratch();
  out.u8(0); // no locals
  out.u8(0x10);
  out.u32(fuel.fuelOut);
  out.all([0x04, 0x40, 0x00, 0x0b, 0x41]); // if, unreachable, end, i32.const
  out.signed(fuel.slice);
  out.u8(0x24);
  out.u32(fuel.global);
  out.u8(0x0b);
  return out.finish();
}

/** Half a unit a byte: 1 MiB stands for the 0.1 ms that it takes in warm memory, and the 1 ms in fresh pages. */
export function chargeBytesBody(fuel: Fuel): Uint8Array {
  return chargeBody(fuel, (out) => {
    out.all([0x20, 0, 0x41, 1, 0x76]); // local.get 0, i32.const 1, i32.shr_u
  });
}

/** `min(n, 2^20) * 4 + 256`: these leave compiled code, so that even an empty one costs. */
export function chargeItemsBody(fuel: Fuel): Uint8Array {
  return chargeBody(fuel, (out) => {
    out.all([0x20, 0, 0x41]);
    out.signed(2 ** 20);
    out.all([0x20, 0, 0x41]);
    out.signed(2 ** 20);
    out.all([0x49, 0x1b, 0x41, 2, 0x74, 0x41]); // i32.lt_u, select, i32.const 2, i32.shl, i32.const
    out.signed(256);
    out.u8(0x6a); // i32.add
  });
}

function chargeBody(fuel: Fuel, cost: (out: Writer) => void): Uint8Array {
  const out = scratch();
  out.all([0, 0x23]);
  out.u32(fuel.global);
  cost(out);
  out.all([0x6b, 0x24]);
  out.u32(fuel.global);
  check(out, fuel);
  out.all([0x20, 0, 0x0b]); // local.get 0, end
  return out.finish();
}

/**
 * Body of what stands for `memory.grow`. The size that the guest sees is the global `pages`: pages beyond it that the memory still has
 * from before a reset are given out first, else a guest that is reset often would grow its memory at each new start.
 */
export function growBody(pages: number, fuel: Fuel | undefined): Uint8Array {
  const out = scratch();
  out.all([1, 1, TYPE.i32, 0x20, 0]); // one local: the spare pages, later the old size; local.get 0
  if (fuel !== undefined) {
    out.u8(0x10);
    out.u32(fuel.chargeItems);
  }
  out.all([0x3f, 0, 0x23]); // memory.size, global.get
  out.u32(pages);
  out.all([0x6b, 0x22, 1, 0x4b, 0x04, 0x40]); // i32.sub, local.tee 1, i32.gt_u, if
  out.all([0x20, 0, 0x20, 1, 0x6b, 0x40, 0]); // local.get 0, local.get 1, i32.sub, memory.grow
  out.all([0x41, 0x7f, 0x46, 0x04, 0x40, 0x41, 0x7f, 0x0f, 0x0b, 0x0b]); // if it is -1, return -1
  out.u8(0x23);
  out.u32(pages);
  out.all([0x22, 1, 0x20, 1, 0x20, 0, 0x6a, 0x24]); // local.tee 1, local.get 1, local.get 0, i32.add, global.set
  out.u32(pages);
  out.u8(0x0b);
  return out.finish();
}

/** A copy from one global to another for each pair: the bodies of `reef:save` and `reef:restore`. */
export function copyGlobalsBody(pairs: readonly (readonly [from: number, to: number])[]): Uint8Array {
  const out = scratch();
  out.u8(0);
  for (const [from, to] of pairs) {
    out.u8(0x23);
    out.u32(from);
    out.u8(0x24);
    out.u32(to);
  }
  out.u8(0x0b);
  return out.finish();
}

/** A mutable global of this type that starts as zero or null. */
export function zeroGlobal(out: Writer, type: number): void {
  out.all([type, 1]);
  if (type === TYPE.i32) out.all([0x41, 0]);
  else if (type === TYPE.i64) out.all([0x42, 0]);
  else if (type === TYPE.f32) out.all([0x43, 0, 0, 0, 0]);
  else if (type === TYPE.f64) out.all([0x44, 0, 0, 0, 0, 0, 0, 0, 0]);
  else if (type === TYPE.v128) out.all([0xfd, 12, ...new Array<number>(16).fill(0)]);
  else out.all([0xd0, type]);
  out.u8(0x0b);
}

function scratch(): Writer {
  return new Writer(64, 2 ** 24, () => new RangeError('generated function is too large'));
}
