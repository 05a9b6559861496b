import type { Additions } from './additions.ts';
import { COST_BYTES, type Fuel, MAX_COST, meterSequence, type Sequence } from './fuel.ts';
import type { Layout } from './layout.ts';
import { LIMITS } from './limits.ts';
import {
  BULK_OPCODES,
  bulkProposalOf,
  featureOfType,
  Immediate,
  OPCODES,
  proposalOf,
  SIMD_OPCODES,
  simdProposalOf,
  typeProposalOf,
  VALUE_TYPES,
} from './opcodes.ts';
import type { Reader } from './reader.ts';
import { malformed, overLimit, type Proposal, unsupported } from './refusal.ts';
import type { Feature } from './types.ts';
import { PADDED, type Writer } from './writer.ts';

/** What instructions cost beyond the one that each of them does: rough, on the safe side. */
const COST = { call: 2, hostCall: 50, callIndirect: 4, tableAccess: 4 };

/** A function that calls nothing, loops nowhere and is at most this long is not metered: its callers' call is charged. */
const FREE_LEAF_COST = 12;

/**
 * Walks function bodies, copies what stays, and puts the meter in. Kept in one class because it is one loop over one state:
 * the reader, the writer, how far the input has been copied, and the pieces whose cost is still being counted.
 */
export class CodeRewriter {
  readonly #in: Reader;
  readonly #out: Writer;
  readonly #layout: Layout;
  readonly #fuel: Fuel | undefined;
  readonly #memory: Additions['memory'];
  readonly #meter: Sequence | undefined;
  /** Functions from here on have moved up by one. */
  readonly #firstMoved: number;
  #copied = 0;
  /** One per open block: where its piece's cost goes when it is a loop, else -1; and the cost of the piece around it. */
  #patches = new Int32Array(256);
  #costs = new Float64Array(256);
  #depth = 0;
  #cost = 0;
  #leaf = true;

  constructor(input: Reader, out: Writer, layout: Layout, added: Additions) {
    const { fuel } = added;
    this.#in = input;
    this.#out = out;
    this.#layout = layout;
    this.#fuel = fuel;
    this.#memory = added.memory;
    this.#meter = fuel === undefined ? undefined : meterSequence(fuel);
    this.#firstMoved = fuel === undefined ? Number.POSITIVE_INFINITY : layout.importedFunctions;
  }

  /** One body, from its size on. */
  body(): void {
    const input = this.#in;
    const size = input.u32();
    if (size > LIMITS.bodyBytes) throw overLimit(`a function body has ${size} bytes, at most ${LIMITS.bodyBytes} are accepted`);
    if (size > input.remaining) input.fail(`a function body claims ${size} bytes, but only ${input.remaining} follow`);
    const end = input.pos + size;
    const out = this.#out;
    const sizeAt = out.reserve();
    this.#copied = input.pos;
    this.#locals();
    this.#depth = 0;
    this.#cost = 0;
    this.#leaf = true;
    this.#push(this.#insertMeter());
    const meterAt = this.#patches[0]!;
    while (this.#depth > 0) this.#instruction();
    if (input.pos !== end) input.fail(`a function ends ${Math.abs(end - input.pos)} bytes off its stated size`);
    this.#flush(end);
    if (this.#meter !== undefined && this.#leaf && this.#cost <= FREE_LEAF_COST) {
      out.remove(meterAt - this.#meter.costAt, this.#meter.bytes.length);
    }
    const written = out.length - sizeAt - PADDED;
    if (written > LIMITS.bodyBytes) throw overLimit('a function body is too large for the fuel meter: split the function');
    out.closeBody(sizeAt);
  }

  #locals(): void {
    const input = this.#in;
    const groups = input.count('groups of locals', LIMITS.locals);
    let locals = 0;
    for (let i = 0; i < groups; i++) {
      locals += input.u32();
      if (locals > LIMITS.locals) throw overLimit(`a function has ${locals} locals, at most ${LIMITS.locals} are accepted`);
      this.#valueType();
    }
  }

  #valueType(): void {
    const input = this.#in;
    const code = input.u8();
    if (!VALUE_TYPES.has(code)) throw this.#refused(typeProposalOf(code), `value type 0x${code.toString(16)}`, input.pos - 1);
    const feature = featureOfType(code);
    if (feature !== undefined) this.#layout.features.add(feature);
  }

  #flush(to: number): void {
    this.#out.copy(this.#in.bytes, this.#copied, to);
    this.#copied = to;
  }

  #push(patch: number): void {
    if (this.#depth === this.#patches.length) {
      if (this.#depth >= LIMITS.nesting) throw overLimit(`a function nests blocks more than ${LIMITS.nesting} deep`);
      this.#patches = enlarge(this.#patches, new Int32Array(this.#depth * 2));
      this.#costs = enlarge(this.#costs, new Float64Array(this.#depth * 2));
    }
    this.#patches[this.#depth] = patch;
    this.#costs[this.#depth++] = this.#cost;
    if (patch >= 0) this.#cost = 0;
  }

  /** The end of a block: a loop's own cost is known now, and counting goes on in the piece around it. */
  #pop(): void {
    const patch = this.#patches[--this.#depth]!;
    if (patch < 0) return;
    this.#out.patchSigned(patch, COST_BYTES, Math.min(this.#cost + 1, MAX_COST));
    if (this.#depth > 0) this.#cost = this.#costs[this.#depth]!;
  }

  /** Returns where the cost goes, or -1 when there is no meter. */
  #insertMeter(): number {
    if (this.#meter === undefined) return -1;
    this.#flush(this.#in.pos);
    const at = this.#out.length + this.#meter.costAt;
    this.#out.copy(this.#meter.bytes, 0, this.#meter.bytes.length);
    return at;
  }

  #instruction(): void {
    const input = this.#in;
    const start = input.pos;
    const opcode = input.u8();
    this.#cost++;
    switch (OPCODES[opcode]) {
      case Immediate.none:
        if (opcode >= 0xc0 && opcode <= 0xc4) this.#uses('sign extension');
        return;
      case Immediate.index:
        input.u32();
        return;
      case Immediate.memoryAccess:
        this.#memoryAccess();
        return;
      case Immediate.i32:
        input.skipSigned(32);
        return;
      case Immediate.end:
        this.#pop();
        return;
      case Immediate.block:
      case Immediate.if:
        this.#blockType();
        this.#push(-1);
        return;
      case Immediate.loop:
        this.#blockType();
        this.#leaf = false;
        this.#push(this.#insertMeter());
        return;
      case Immediate.else:
        return;
      case Immediate.call:
        this.#call(start);
        return;
      case Immediate.callIndirect:
        this.#index(this.#layout.types.length, 'type');
        this.#tableIndex();
        this.#leaf = false;
        this.#cost += COST.callIndirect;
        return;
      case Immediate.global:
        this.#index(this.#layout.globals.length, 'global');
        return;
      case Immediate.brTable: {
        const labels = input.count('labels in a br_table', LIMITS.bodyBytes);
        for (let i = 0; i <= labels; i++) input.u32();
        return;
      }
      case Immediate.i64:
        input.skipSigned(64);
        return;
      case Immediate.f32:
        input.skip(4);
        return;
      case Immediate.f64:
        input.skip(8);
        return;
      default:
        this.#rare(opcode, start);
    }
  }

  #rare(opcode: number, start: number): void {
    const input = this.#in;
    switch (OPCODES[opcode]) {
      case Immediate.memoryIndex:
        this.#virtualMemory(start, 0x23, this.#memory?.pages); // global.get
        return;
      case Immediate.memoryGrow:
        this.#virtualMemory(start, 0x10, this.#memory?.grow); // call
        return;
      case Immediate.refNull:
        this.#uses('reference types');
        this.#referenceType();
        return;
      case Immediate.refFunc:
        this.#uses('reference types');
        this.#functionIndex();
        return;
      case Immediate.selectTyped: {
        this.#uses('reference types');
        const count = input.count('types of a select', 1);
        for (let i = 0; i < count; i++) this.#valueType();
        return;
      }
      case Immediate.table:
      case Immediate.tableSet:
        this.#uses('reference types');
        this.#cost += COST.tableAccess;
        if (opcode === 0x26) this.#unresettable('table.set');
        this.#tableIndex();
        return;
      case Immediate.bulkPrefix:
        this.#bulk(start);
        return;
      case Immediate.simdPrefix:
        this.#simd(start);
        return;
      default:
        throw this.#refused(proposalOf(opcode), `opcode 0x${opcode.toString(16)}`, start);
    }
  }

  #bulk(start: number): void {
    const input = this.#in;
    const opcode = input.u32();
    const immediate = BULK_OPCODES[opcode];
    if (immediate === undefined) throw this.#refused(bulkProposalOf(opcode), `opcode 0xfc ${opcode}`, start);
    if (immediate === Immediate.none) {
      this.#uses('saturating conversions');
      return;
    }
    this.#uses(immediate >= Immediate.tableGrow ? 'reference types' : 'bulk memory');
    switch (immediate) {
      case Immediate.memoryInit:
        this.#charge(start, 'bytes');
        this.#dataIndex();
        this.#memoryIndex();
        return;
      case Immediate.dataDrop:
        this.#unresettable('data.drop');
        this.#dataIndex();
        return;
      case Immediate.memoryCopy:
        this.#charge(start, 'bytes');
        this.#memoryIndex();
        this.#memoryIndex();
        return;
      case Immediate.memoryFill:
        this.#charge(start, 'bytes');
        this.#memoryIndex();
        return;
      case Immediate.tableInit:
        this.#unresettable('table.init');
        this.#charge(start, 'items');
        this.#index(this.#layout.elementSegments, 'element segment');
        this.#tableIndex();
        return;
      case Immediate.elementDrop:
        this.#unresettable('elem.drop');
        this.#index(this.#layout.elementSegments, 'element segment');
        return;
      case Immediate.tableCopy:
        this.#unresettable('table.copy');
        this.#charge(start, 'items');
        this.#tableIndex();
        this.#tableIndex();
        return;
      case Immediate.tableGrow:
        this.#unresettable('table.grow');
        this.#charge(start, 'items');
        this.#tableIndex();
        return;
      case Immediate.tableFill:
        this.#unresettable('table.fill');
        this.#charge(start, 'items');
        this.#tableIndex();
        return;
      default:
        this.#tableIndex();
        return;
    }
  }

  #simd(start: number): void {
    const input = this.#in;
    const opcode = input.u32();
    const immediate = opcode < 256 ? SIMD_OPCODES[opcode] : Immediate.refused;
    this.#uses('SIMD');
    switch (immediate) {
      case Immediate.none:
        return;
      case Immediate.simdAccess:
        this.#memoryAccess();
        return;
      case Immediate.simdAccessLane:
        this.#memoryAccess();
        input.skip(1);
        return;
      case Immediate.lane:
        input.skip(1);
        return;
      case Immediate.bytes16:
        input.skip(16);
        return;
      default:
        throw this.#refused(simdProposalOf(opcode), `opcode 0xfd ${opcode}`, start);
    }
  }

  #blockType(): void {
    const input = this.#in;
    const first = input.bytes[input.pos]!;
    if (first === 0x40) input.u8();
    else if (first >= 0x40 && first < 0x80) this.#valueType();
    else {
      this.#uses('multi-value');
      this.#index(this.#layout.types.length, 'type');
    }
  }

  #call(start: number): void {
    const input = this.#in;
    this.#leaf = false;
    const index = input.u32();
    const layout = this.#layout;
    if (index >= layout.functions.length) input.fail(`calls function ${index} of ${layout.functions.length}`);
    this.#cost += index < layout.importedFunctions ? COST.hostCall : COST.call;
    if (index < this.#firstMoved) return;
    this.#flush(start + 1);
    this.#out.u32(index + 1);
    this.#copied = input.pos;
  }

  #functionIndex(): void {
    const input = this.#in;
    const at = input.pos;
    const index = input.u32();
    if (index >= this.#layout.functions.length) input.fail(`refers to function ${index} of ${this.#layout.functions.length}`);
    if (index < this.#firstMoved) return;
    this.#flush(at);
    this.#out.u32(index + 1);
    this.#copied = input.pos;
  }

  /** Calls the charge for a bulk instruction just before it, where its length is on top of the stack. */
  #charge(start: number, unit: 'bytes' | 'items'): void {
    const fuel = this.#fuel;
    if (fuel === undefined) return;
    this.#flush(start);
    this.#out.u8(0x10);
    this.#out.u32(unit === 'bytes' ? fuel.chargeBytes : fuel.chargeItems);
  }

  #memoryAccess(): void {
    const input = this.#in;
    const align = input.u32();
    if (align >= 64 && align < 128) throw unsupported('multiple memories', 'a load or store', input.pos - 1);
    input.u32();
  }

  #memoryIndex(): void {
    const index = this.#in.u32();
    if (index !== 0) throw unsupported('multiple memories', `memory ${index}`, this.#in.pos - 1);
  }

  /** `memory.size` and `memory.grow` become one other instruction each: what the guest sees is not the real size. */
  #virtualMemory(start: number, opcode: number, index: number | undefined): void {
    this.#memoryIndex();
    if (index === undefined) this.#in.fail('uses a memory that the module does not have');
    this.#flush(start);
    this.#out.u8(opcode);
    this.#out.u32(index);
    this.#copied = this.#in.pos;
  }

  #tableIndex(): void {
    const tables = this.#layout.tables.length;
    const index = this.#in.u32();
    if (index >= tables) this.#in.fail(`refers to table ${index} of ${tables}`);
    if (index > 0) this.#uses('reference types');
  }

  #dataIndex(): void {
    if (this.#layout.dataCount === undefined) this.#in.fail('uses data segments without their count');
    this.#index(this.#layout.dataCount, 'data segment');
  }

  /** Numbers that the rewriter adds lie just behind the module's own: a module must not be able to reach them. */
  #index(count: number, what: string): void {
    const index = this.#in.u32();
    if (index >= count) this.#in.fail(`refers to ${what} ${index} of ${count}`);
  }

  #referenceType(): void {
    const input = this.#in;
    const code = input.u8();
    if (code === 0x70 || code === 0x6f) return;
    throw unsupported(typeProposalOf(code) ?? 'typed function references', 'ref.null of another type', input.pos - 1);
  }

  #refused(proposal: Proposal | undefined, what: string, offset: number): Error {
    return proposal === undefined ? malformed(`has an unknown ${what}`, offset) : unsupported(proposal, what, offset);
  }

  #uses(feature: Feature): void {
    this.#layout.features.add(feature);
  }

  #unresettable(instruction: string): void {
    this.#layout.unresettable ??= instruction;
  }
}

function enlarge<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
