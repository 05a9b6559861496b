import { copyConstant } from './constant.ts';
import type { Layout } from './layout.ts';
import { LIMITS } from './limits.ts';
import { typeProposalOf } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { unsupported } from './refusal.ts';
import type { Writer } from './writer.ts';

/** Element segments fill tables; they are full of function numbers. */
export function copyElements(input: Reader, out: Writer, layout: Layout, firstMoved: number): number {
  const count = input.count('element segments', LIMITS.segments);
  layout.elementSegments = count;
  for (let i = 0; i < count; i++) {
    const start = input.pos;
    const flags = input.u32();
    if (flags > 7) input.fail(`has an element segment of unknown form ${flags}`);
    const active = (flags & 1) === 0;
    if (flags !== 0) layout.features.add(flags & 4 ? 'reference types' : 'bulk memory');
    if (active && flags & 2) tableIndex(input, layout, input.u32());
    else if (active) tableIndex(input, layout, 0);
    if (active) {
      out.copy(input.bytes, start, input.pos);
      copyConstant(input, out, layout, firstMoved);
    }
    const kindAt = active ? input.pos : start;
    if (flags & 3) elementKind(input, (flags & 4) !== 0);
    out.copy(input.bytes, kindAt, input.pos);
    const items = input.count('elements', LIMITS.moduleBytes);
    out.u32(items);
    for (let item = 0; item < items; item++) {
      if (flags & 4) copyConstant(input, out, layout, firstMoved);
      else {
        const index = input.u32();
        if (index >= layout.functions.length) input.fail(`puts function ${index} of ${layout.functions.length} into a table`);
        out.u32(index >= firstMoved ? index + 1 : index);
      }
    }
  }
  input.done('the element section');
  return count;
}

function tableIndex(input: Reader, layout: Layout, index: number): void {
  if (index >= layout.tables.length) input.fail(`fills table ${index} of ${layout.tables.length}`);
}

function elementKind(input: Reader, typed: boolean): void {
  const code = input.u8();
  if (!typed && code !== 0) input.fail(`has an element segment of unknown kind ${code}`);
  if (typed && code !== 0x70 && code !== 0x6f) {
    throw unsupported(typeProposalOf(code) ?? 'typed function references', 'an element segment', input.pos - 1);
  }
}

/** Data segments stay as they are; they are walked only so that nothing odd gets by. */
export function copyData(input: Reader, out: Writer, layout: Layout): number {
  const start = input.pos;
  const count = input.count('data segments', LIMITS.segments);
  if (layout.dataCount !== undefined && layout.dataCount !== count) {
    input.fail(`has ${count} data segments where ${layout.dataCount} are announced`);
  }
  let copied = input.pos;
  for (let i = 0; i < count; i++) {
    const flags = input.u32();
    if (flags > 2) input.fail(`has a data segment of unknown form ${flags}`);
    if (flags === 1) layout.features.add('bulk memory');
    if (flags === 2 && input.u32() !== 0) throw unsupported('multiple memories', 'a data segment', start);
    if (flags !== 1) {
      if (layout.memory === undefined) input.fail('fills a memory that the module does not have');
      out.copy(input.bytes, copied, input.pos);
      copyConstant(input, out, layout, Number.POSITIVE_INFINITY);
      copied = input.pos;
    }
    const size = input.u32();
    input.skip(size);
  }
  input.done('the data section');
  out.copy(input.bytes, copied, input.pos);
  return count;
}
