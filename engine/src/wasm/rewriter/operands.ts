import type { Layout } from './layout.ts';
import { featureOfType, typeProposalOf, VALUE_TYPES } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { malformed, type Proposal, unsupported } from './refusal.ts';

/** What a block's type says: no values at all, one result, or a type of its own. */
export const BlockType = { empty: 0, oneResult: 1, indexed: 2 } as const;

/**
 * Reads what follows an opcode, and checks that what it refers to is the module's own. What the rewriter adds lies just behind it:
 * a module must not be able to reach that.
 */
export class Operands {
  readonly #in: Reader;
  readonly #layout: Layout;

  constructor(input: Reader, layout: Layout) {
    this.#in = input;
    this.#layout = layout;
  }

  index(count: number, what: string): number {
    const index = this.#in.u32();
    if (index >= count) this.#in.fail(`refers to ${what} ${index} of ${count}`);
    return index;
  }

  function(): number {
    return this.index(this.#layout.functions.length, 'function');
  }

  type(): void {
    this.index(this.#layout.types.length, 'type');
  }

  global(): void {
    this.index(this.#layout.globals.length, 'global');
  }

  table(): void {
    if (this.index(this.#layout.tables.length, 'table') > 0) this.#layout.features.add('reference types');
  }

  elementSegment(): void {
    this.index(this.#layout.elementSegments, 'element segment');
  }

  dataSegment(): void {
    if (this.#layout.dataCount === undefined) this.#in.fail('uses data segments without their count');
    this.index(this.#layout.dataCount, 'data segment');
  }

  memory(): void {
    const index = this.#in.u32();
    if (index !== 0) throw unsupported('multiple memories', `memory ${index}`, this.#in.pos - 1);
    if (this.#layout.memory === undefined) this.#in.fail('uses a memory that the module does not have');
  }

  memoryAccess(): void {
    const align = this.#in.u32();
    if (align >= 64 && align < 128) throw unsupported('multiple memories', 'a load or store', this.#in.pos - 1);
    this.#in.u32();
  }

  valueType(): void {
    const input = this.#in;
    const code = input.u8();
    if (!VALUE_TYPES.has(code)) throw refused(typeProposalOf(code), `value type 0x${code.toString(16)}`, input.pos - 1);
    const feature = featureOfType(code);
    if (feature !== undefined) this.#layout.features.add(feature);
  }

  blockType(): number {
    const input = this.#in;
    const first = input.bytes[input.pos]!;
    if (first === 0x40) {
      input.u8();
      return BlockType.empty;
    }
    if (first > 0x40 && first < 0x80) {
      this.valueType();
      return BlockType.oneResult;
    }
    this.#layout.features.add('multi-value');
    this.type();
    return BlockType.indexed;
  }

  referenceType(): void {
    const code = this.#in.u8();
    if (code === 0x70 || code === 0x6f) return;
    throw unsupported(typeProposalOf(code) ?? 'typed function references', 'ref.null of another type', this.#in.pos - 1);
  }
}

export function refused(proposal: Proposal | undefined, what: string, offset: number): Error {
  return proposal === undefined ? malformed(`has an unknown ${what}`, offset) : unsupported(proposal, what, offset);
}
