import type { Layout } from './layout.ts';
import { typeProposalOf } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { unsupported } from './refusal.ts';
import type { Writer } from './writer.ts';

/** Copies a constant expression (the start of a global, the place of a segment), with functions by their new numbers. */
export function copyConstant(input: Reader, out: Writer, layout: Layout, firstMoved: number): void {
  let copied = input.pos;
  for (;;) {
    const at = input.pos;
    const opcode = input.u8();
    switch (opcode) {
      case 0x0b:
        out.copy(input.bytes, copied, input.pos);
        return;
      case 0x23: {
        const index = input.u32();
        if (index >= layout.globals.length) input.fail(`refers to global ${index} of ${layout.globals.length}`);
        break;
      }
      case 0x41:
        input.skipSigned(32);
        break;
      case 0x42:
        input.skipSigned(64);
        break;
      case 0x43:
        input.skip(4);
        break;
      case 0x44:
        input.skip(8);
        break;
      case 0x6a:
      case 0x6b:
      case 0x6c:
      case 0x7c:
      case 0x7d:
      case 0x7e:
        layout.features.add('extended constants');
        break;
      case 0xd0: {
        const type = input.u8();
        if (type !== 0x70 && type !== 0x6f)
          throw unsupported(typeProposalOf(type) ?? 'typed function references', 'ref.null', at);
        layout.features.add('reference types');
        break;
      }
      case 0xd2: {
        layout.features.add('reference types');
        const index = input.u32();
        if (index >= layout.functions.length) input.fail(`refers to function ${index} of ${layout.functions.length}`);
        out.copy(input.bytes, copied, at + 1);
        out.u32(index >= firstMoved ? index + 1 : index);
        copied = input.pos;
        break;
      }
      case 0xfd:
        if (input.u32() !== 12) input.fail('has a constant expression that is none');
        layout.features.add('SIMD');
        input.skip(16);
        break;
      case 0xfb:
        throw unsupported('garbage collection', 'a constant', at);
      default:
        input.fail(`has opcode 0x${opcode.toString(16)} in a constant expression`);
    }
  }
}
