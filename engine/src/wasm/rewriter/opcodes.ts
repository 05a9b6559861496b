import type { Proposal } from './refusal.ts';
import type { Feature } from './types.ts';

/** What follows an opcode: all that the rewriter must know to step over an instruction or to change it. */
export const Immediate = {
  none: 0,
  block: 1,
  loop: 2,
  if: 3,
  else: 4,
  end: 5,
  local: 6,
  brTable: 7,
  call: 8,
  callIndirect: 9,
  global: 10,
  table: 11,
  memoryAccess: 12,
  memoryIndex: 13,
  i32: 14,
  i64: 15,
  f32: 16,
  f64: 17,
  refNull: 18,
  refFunc: 19,
  selectTyped: 20,
  bulkPrefix: 21,
  simdPrefix: 22,
  memoryGrow: 23,
  simdAccess: 24,
  simdAccessLane: 25,
  lane: 26,
  bytes16: 27,
  memoryInit: 28,
  dataDrop: 29,
  memoryCopy: 30,
  memoryFill: 31,
  tableInit: 32,
  elementDrop: 33,
  tableCopy: 34,
  tableGrow: 35,
  tableSize: 36,
  tableFill: 37,
  tableSet: 38,
  branch: 39,
  return: 40,
  refused: 63,
} as const;

/** Proposals by the opcode that gives them away. */
const REFUSED = new Map<number, Proposal>([
  [0x06, 'exception handling'],
  [0x07, 'exception handling'],
  [0x08, 'exception handling'],
  [0x09, 'exception handling'],
  [0x0a, 'exception handling'],
  [0x12, 'tail calls'],
  [0x13, 'tail calls'],
  [0x14, 'typed function references'],
  [0x15, 'typed function references'],
  [0x18, 'exception handling'],
  [0x19, 'exception handling'],
  [0x1f, 'exception handling'],
  [0xd3, 'garbage collection'],
  [0xd4, 'typed function references'],
  [0xd5, 'typed function references'],
  [0xd6, 'typed function references'],
  [0xe0, 'stack switching'],
  [0xe1, 'stack switching'],
  [0xe2, 'stack switching'],
  [0xe3, 'stack switching'],
  [0xe4, 'stack switching'],
  [0xe5, 'stack switching'],
  [0xe6, 'stack switching'],
  [0xfb, 'garbage collection'],
  [0xfe, 'threads'],
]);

/** Immediates of the one-byte opcodes. What is not allowed is `refused`; {@link proposalOf} says why. */
export const OPCODES: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(Immediate.refused);
  const range = (from: number, to: number, immediate: number): void => {
    table.fill(immediate, from, to + 1);
  };
  range(0x00, 0x01, Immediate.none);
  table[0x02] = Immediate.block;
  table[0x03] = Immediate.loop;
  table[0x04] = Immediate.if;
  table[0x05] = Immediate.else;
  table[0x0b] = Immediate.end;
  range(0x0c, 0x0d, Immediate.branch);
  table[0x0e] = Immediate.brTable;
  table[0x0f] = Immediate.return;
  table[0x10] = Immediate.call;
  table[0x11] = Immediate.callIndirect;
  range(0x1a, 0x1b, Immediate.none);
  table[0x1c] = Immediate.selectTyped;
  range(0x20, 0x22, Immediate.local);
  range(0x23, 0x24, Immediate.global);
  table[0x25] = Immediate.table;
  table[0x26] = Immediate.tableSet;
  range(0x28, 0x3e, Immediate.memoryAccess);
  table[0x3f] = Immediate.memoryIndex;
  table[0x40] = Immediate.memoryGrow;
  table[0x41] = Immediate.i32;
  table[0x42] = Immediate.i64;
  table[0x43] = Immediate.f32;
  table[0x44] = Immediate.f64;
  range(0x45, 0xc4, Immediate.none);
  table[0xd0] = Immediate.refNull;
  table[0xd1] = Immediate.none;
  table[0xd2] = Immediate.refFunc;
  table[0xfc] = Immediate.bulkPrefix;
  table[0xfd] = Immediate.simdPrefix;
  return table;
})();

export function proposalOf(opcode: number): Proposal | undefined {
  return REFUSED.get(opcode);
}

/** After 0xFC: saturating conversions, then bulk memory and tables. */
export const BULK_OPCODES: readonly number[] = [
  ...Array.from({ length: 8 }, () => Immediate.none),
  Immediate.memoryInit,
  Immediate.dataDrop,
  Immediate.memoryCopy,
  Immediate.memoryFill,
  Immediate.tableInit,
  Immediate.elementDrop,
  Immediate.tableCopy,
  Immediate.tableGrow,
  Immediate.tableSize,
  Immediate.tableFill,
];

export function bulkProposalOf(opcode: number): Proposal | undefined {
  if (opcode === 0x12) return 'memory control';
  if (opcode >= 0x13 && opcode <= 0x16) return 'wide arithmetic';
  if (opcode >= 0x30 && opcode <= 0x31) return 'half-precision floats';
  return undefined;
}

/** After 0xFD: the 236 instructions of fixed-width SIMD. */
export const SIMD_OPCODES: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(Immediate.none);
  table.fill(Immediate.simdAccess, 0, 12);
  table[12] = Immediate.bytes16;
  table[13] = Immediate.bytes16;
  table.fill(Immediate.lane, 21, 35);
  table.fill(Immediate.simdAccessLane, 84, 92);
  table.fill(Immediate.simdAccess, 92, 94);
  const unassigned = [0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf];
  unassigned.push(0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee);
  for (const opcode of unassigned) table[opcode] = Immediate.refused;
  return table;
})();

export function simdProposalOf(opcode: number): Proposal | undefined {
  if (opcode >= 0x100 && opcode <= 0x113) return 'relaxed SIMD';
  if (opcode >= 0x120 && opcode <= 0x14f) return 'half-precision floats';
  return undefined;
}

/** The proposal that a value type belongs to, when it is none of ours. */
const TYPES = new Map<number, Proposal>([
  [0x63, 'typed function references'],
  [0x64, 'typed function references'],
  [0x65, 'shared-everything threads'],
  [0x67, 'string references'],
  [0x68, 'stack switching'],
  [0x69, 'exception handling'],
  [0x74, 'exception handling'],
  [0x75, 'stack switching'],
  ...[0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73].map((code): [number, Proposal] => [code, 'garbage collection']),
]);

export function typeProposalOf(code: number): Proposal | undefined {
  return TYPES.get(code);
}

export const VALUE_TYPES: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);

export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, funcref: 0x70, externref: 0x6f } as const;

export function featureOfType(code: number): Feature | undefined {
  if (code === TYPE.v128) return 'SIMD';
  if (code === TYPE.externref) return 'reference types';
  return undefined;
}
