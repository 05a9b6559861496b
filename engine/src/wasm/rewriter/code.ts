import type { Additions } from './additions.ts';
import { type Fuel, type LocalMeter, localMeter, meterSequence, type Sequence } from './fuel.ts';
import { BranchHints } from './hints.ts';
import type { FunctionType, Layout } from './layout.ts';
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
  TYPE,
  typeProposalOf,
  VALUE_TYPES,
} from './opcodes.ts';
import { Pieces } from './pieces.ts';
import type { Reader } from './reader.ts';
import { malformed, overLimit, type Proposal, unsupported } from './refusal.ts';
import type { Feature } from './types.ts';
import { PADDED, type Writer } from './writer.ts';

/** What instructions cost beyond the one that each of them does: rough, on the safe side. */
const COST = { call: 2, hostCall: 50, callIndirect: 4, tableAccess: 4 };

const EMPTY = 0;
const ONE_RESULT = 1;
const INDEXED = 2;

/** A function that calls nothing, loops nowhere and is at most this long is not metered: its callers' call is charged. */
const FREE_LEAF_COST = 12;

/** The loop being copied that may turn out to be without calls and inner loops, and all that is needed to begin it anew. */
interface Candidate {
  /** Depth of its block; -1: there is none. */
  depth: number;
  /** Where it starts: in the input, in the output, among the hints. */
  start: number;
  length: number;
  hints: number;
}

/**
 * Walks function bodies, copies what stays, and puts the meter in. Kept in one class because it is one loop over one state:
 * the reader, the writer, how far the input has been copied. A loop is copied with the meter that suits all; if its end comes without
 * a call or inner loop, it is copied once more with the cheaper one (see fuel.ts): no byte is read more than twice.
 */
export class CodeRewriter {
  readonly hints = new BranchHints();
  readonly #in: Reader;
  readonly #out: Writer;
  readonly #layout: Layout;
  readonly #fuel: Fuel | undefined;
  readonly #memory: Additions['memory'];
  readonly #meter: Sequence | undefined;
  /** By number of the local. */
  readonly #localMeters = new Map<number, LocalMeter>();
  /** Functions from here on have moved up by one. */
  readonly #firstMoved: number;
  readonly #pieces = new Pieces();
  readonly #candidate: Candidate = { depth: -1, start: 0, length: 0, hints: 0 };
  /** Depth of the loop that is being copied with the cheaper meter; -1: none. */
  #localLoop = -1;
  /** The second place that this loop's cost goes to. */
  #refuelCostAt = -1;
  /** The function's number among those defined. */
  #function = 0;
  /** Where the function's locals begin in the output; hints count from here. */
  #bodyAt = 0;
  /** The number of its first free local. */
  #free = 0;
  /** Where the count of our own local stands: 0 until a loop wants it. */
  #localCountAt = 0;
  #copied = 0;
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
    const out = this.#out;
    const pieces = this.#pieces;
    const size = input.u32();
    if (size > LIMITS.bodyBytes) throw overLimit(`a function body has ${size} bytes, at most ${LIMITS.bodyBytes} are accepted`);
    if (size > input.remaining) input.fail(`a function body claims ${size} bytes, but only ${input.remaining} follow`);
    const end = input.pos + size;
    const sizeAt = out.reserve();
    this.#bodyAt = out.length;
    this.#locals();
    this.#leaf = true;
    this.#candidate.depth = -1;
    pieces.clear();
    const meterAt = out.length;
    pieces.open(this.#meter === undefined ? -1 : this.#insert(this.#meter), this.#type().results.length === 0);
    while (pieces.depth > 0) this.#instruction();
    if (input.pos !== end) input.fail(`a function ends ${Math.abs(end - input.pos)} bytes off its stated size`);
    this.#flush(end);
    if (this.#meter !== undefined && this.#leaf && pieces.cost <= FREE_LEAF_COST) {
      out.remove(meterAt, this.#meter.bytes.length);
      this.hints.offsets.length = 0;
    }
    const written = out.length - sizeAt - PADDED;
    if (written > LIMITS.bodyBytes) throw overLimit('a function body is too large for the fuel meter: split the function');
    this.hints.endFunction(this.#layout.importedFunctions + 1 + this.#function);
    this.#function++;
    out.closeBody(sizeAt);
  }

  #locals(): void {
    const input = this.#in;
    const out = this.#out;
    const groups = input.count('groups of locals', LIMITS.locals);
    const start = input.pos;
    let locals = 0;
    for (let i = 0; i < groups; i++) {
      locals += input.u32();
      if (locals > LIMITS.locals) throw overLimit(`a function has ${locals} locals, at most ${LIMITS.locals} are accepted`);
      this.#valueType();
    }
    out.u32(this.#fuel === undefined ? groups : groups + 1);
    out.copy(input.bytes, start, input.pos);
    this.#copied = input.pos;
    this.#free = locals + this.#type().params.length;
    if (this.#fuel === undefined) return;
    this.#localCountAt = out.length;
    out.all([0, TYPE.i32]);
  }

  /** Of the function that is being copied. */
  #type(): FunctionType {
    const { functions, importedFunctions, types } = this.#layout;
    return types[functions[importedFunctions + this.#function]!]!;
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

  /** Writes a part of the meter; returns where its cost goes. What is in front of it must have been copied. */
  #insert(part: Sequence): number {
    const at = this.#out.length;
    this.#out.copy(part.bytes, 0, part.bytes.length);
    if (part.unlikelyAt >= 0) this.hints.offsets.push(at + part.unlikelyAt - this.#bodyAt);
    return at + part.costAt;
  }

  #loop(start: number): void {
    const empty = this.#blockType() !== INDEXED;
    this.#leaf = false;
    if (this.#meter === undefined) {
      this.#pieces.open(-1, empty);
      return;
    }
    this.#flush(start);
    const candidate = this.#candidate;
    candidate.depth = this.#pieces.depth;
    candidate.start = start;
    candidate.length = this.#out.length;
    candidate.hints = this.hints.offsets.length;
    this.#flush(this.#in.pos);
    this.#pieces.open(this.#insert(this.#meter), empty);
  }

  #end(): void {
    const pieces = this.#pieces;
    if (pieces.depth - 1 === this.#candidate.depth) {
      this.#copyAgain();
      return;
    }
    const ends = pieces.depth - 1 === this.#localLoop;
    pieces.close(this.#out, ends ? this.#refuelCostAt : -1);
    if (!ends) return;
    this.#flush(this.#in.pos);
    this.#out.u8(0x0b); // end
    this.#store();
    this.#localLoop = -1;
  }

  /** The candidate has ended and counts in a local: back to its start. */
  #copyAgain(): void {
    const candidate = this.#candidate;
    const input = this.#in;
    const out = this.#out;
    const local = this.#localMeter();
    out.truncate(candidate.length);
    this.hints.offsets.length = candidate.hints;
    this.#pieces.rewind(candidate.depth);
    this.#localLoop = candidate.depth;
    candidate.depth = -1;
    input.pos = candidate.start + 1;
    const empty = this.#blockType() !== INDEXED;
    out.copy(local.load, 0, local.load.length);
    out.copy(input.bytes, candidate.start, input.pos);
    this.#refuelCostAt = this.#insert(local.refuel);
    out.copy(input.bytes, candidate.start, input.pos);
    this.#copied = input.pos;
    this.#pieces.open(this.#insert(local.count), empty);
    out.setByte(this.#localCountAt, 1);
  }

  #localMeter(): LocalMeter {
    let meter = this.#localMeters.get(this.#free);
    if (meter === undefined) {
      meter = localMeter(this.#fuel!, this.#free);
      this.#localMeters.set(this.#free, meter);
    }
    return meter;
  }

  #store(): void {
    const { store } = this.#localMeter();
    this.#out.copy(store, 0, store.length);
  }

  /** A loop that counts in a local stands in one more block than before; what leaves it must take the count along. */
  #leaves(label: number): boolean {
    return this.#localLoop >= 0 && label >= this.#pieces.depth - this.#localLoop;
  }

  #branch(start: number, opcode: number): void {
    const label = this.#in.u32();
    if (!this.#leaves(label)) return;
    const out = this.#out;
    this.#flush(start);
    // A conditional exit that carries no values stores only when it is taken: most loops ask for it in each pass.
    const conditional = opcode === 0x0d && this.#pieces.carriesNothing(label);
    if (conditional) out.all([0x04, 0x40]); // if
    this.#store();
    out.u8(conditional ? 0x0c : opcode);
    out.u32(conditional ? label + 2 : label + 1);
    if (conditional) out.u8(0x0b); // end
    this.#copied = this.#in.pos;
  }

  #branchTable(start: number): void {
    const input = this.#in;
    const out = this.#out;
    if (this.#localLoop >= 0) {
      this.#flush(start);
      this.#store();
    }
    const labels = input.count('labels in a br_table', LIMITS.bodyBytes);
    if (this.#localLoop >= 0) this.#flush(input.pos);
    for (let i = 0; i <= labels; i++) {
      const label = input.u32();
      if (this.#localLoop >= 0) out.u32(this.#leaves(label) ? label + 1 : label);
    }
    if (this.#localLoop >= 0) this.#copied = input.pos;
  }

  #return(start: number): void {
    if (this.#localLoop < 0) return;
    this.#flush(start);
    this.#store();
  }

  /** What calls may find or leave the fuel changed, so that the loop around it cannot count in a local. */
  #calls(cost: number): void {
    this.#leaf = false;
    this.#candidate.depth = -1;
    this.#pieces.cost += cost;
  }

  #instruction(): void {
    const input = this.#in;
    const start = input.pos;
    const opcode = input.u8();
    this.#pieces.cost++;
    switch (OPCODES[opcode]) {
      case Immediate.none:
        if (opcode >= 0xc0 && opcode <= 0xc4) this.#uses('sign extension');
        return;
      case Immediate.local:
        this.#index(this.#free, 'local');
        return;
      case Immediate.memoryAccess:
        this.#memoryAccess();
        return;
      case Immediate.i32:
        input.skipSigned(32);
        return;
      case Immediate.end:
        this.#end();
        return;
      case Immediate.block:
      case Immediate.if:
        this.#pieces.open(-1, this.#blockType() === EMPTY);
        return;
      case Immediate.loop:
        this.#loop(start);
        return;
      case Immediate.branch:
        this.#branch(start, opcode);
        return;
      case Immediate.return:
        this.#return(start);
        return;
      case Immediate.else:
        return;
      case Immediate.call:
        this.#call(start);
        return;
      case Immediate.callIndirect:
        this.#index(this.#layout.types.length, 'type');
        this.#tableIndex();
        this.#calls(COST.callIndirect);
        return;
      case Immediate.global:
        this.#index(this.#layout.globals.length, 'global');
        return;
      case Immediate.brTable:
        this.#branchTable(start);
        return;
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
        this.#memoryIndex();
        this.#replace(start, 0x23, this.#memory?.pages); // global.get: what the guest sees is not the real size
        return;
      case Immediate.memoryGrow:
        this.#memoryIndex();
        this.#replaceByCall(start, this.#memory?.grow);
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
        this.#pieces.cost += COST.tableAccess;
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
        this.#memoryIndex();
        this.#memoryIndex();
        if (this.#fuel !== undefined) this.#replaceByCall(start, this.#fuel.bulk?.copy);
        return;
      case Immediate.memoryFill:
        this.#memoryIndex();
        if (this.#fuel !== undefined) this.#replaceByCall(start, this.#fuel.bulk?.fill);
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

  /** Whether a block has no values at all, one result, or a type of its own. */
  #blockType(): number {
    const input = this.#in;
    const first = input.bytes[input.pos]!;
    if (first === 0x40) {
      input.u8();
      return EMPTY;
    }
    if (first >= 0x40 && first < 0x80) {
      this.#valueType();
      return ONE_RESULT;
    }
    this.#uses('multi-value');
    this.#index(this.#layout.types.length, 'type');
    return INDEXED;
  }

  #call(start: number): void {
    const input = this.#in;
    const index = input.u32();
    const layout = this.#layout;
    if (index >= layout.functions.length) input.fail(`calls function ${index} of ${layout.functions.length}`);
    this.#calls(index < layout.importedFunctions ? COST.hostCall : COST.call);
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
    this.#calls(COST.call);
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

  #replaceByCall(start: number, index: number | undefined): void {
    this.#calls(COST.call);
    this.#replace(start, 0x10, index);
  }

  /** Instructions on the memory become one other instruction each; `index` is undefined when there is no memory. */
  #replace(start: number, opcode: number, index: number | undefined): void {
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
