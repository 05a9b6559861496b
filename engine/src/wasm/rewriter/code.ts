import type { Additions } from './additions.ts';
import { BodyWriter } from './body-writer.ts';
import type { Layout } from './layout.ts';
import { LIMITS } from './limits.ts';
import { BULK_OPCODES, bulkProposalOf, Immediate, OPCODES, proposalOf, SIMD_OPCODES, simdProposalOf } from './opcodes.ts';
import { BlockType, Operands, refused } from './operands.ts';
import type { Reader } from './reader.ts';
import { overLimit } from './refusal.ts';
import type { Feature } from './types.ts';
import type { Writer } from './writer.ts';

/** What instructions cost beyond one: rough, and on the safe side. A call pays for the short functions that have no meter of their own. */
const COST = { call: 10, hostCall: 50, callIndirect: 12, tableAccess: 4 };

/** Walks function bodies: steps over what stays, and tells the {@link BodyWriter} what the meter and the moved numbers must know of. */
export class CodeRewriter {
  readonly #in: Reader;
  readonly #operands: Operands;
  readonly #body: BodyWriter;
  readonly #layout: Layout;
  readonly #added: Additions;
  /** Functions from here on have moved up by one. */
  readonly #firstMoved: number;
  /** The function's number among those defined. */
  #function = 0;
  #locals = 0;

  constructor(input: Reader, out: Writer, layout: Layout, added: Additions) {
    this.#in = input;
    this.#operands = new Operands(input, layout);
    const functions = layout.functions.length - layout.importedFunctions;
    this.#body = new BodyWriter(input.bytes, out, { fuel: added.fuel, functions });
    this.#layout = layout;
    this.#added = added;
    this.#firstMoved = added.fuel === undefined ? Number.POSITIVE_INFINITY : layout.importedFunctions;
  }

  /** The section of branch hints that belongs in front of the code. */
  hints(): Uint8Array {
    return this.#body.hints.section();
  }

  /** One body, from its size on. */
  body(): void {
    const input = this.#in;
    const size = input.u32();
    if (size > LIMITS.bodyBytes) throw overLimit(`a function body has ${size} bytes, at most ${LIMITS.bodyBytes} are accepted`);
    if (size > input.remaining) input.fail(`a function body claims ${size} bytes, but only ${input.remaining} follow`);
    const end = input.pos + size;
    this.#begin();
    while (this.#body.depth > 0) this.#instruction();
    if (input.pos !== end) input.fail(`a function ends ${Math.abs(end - input.pos)} bytes off its stated size`);
    this.#body.finish(end);
    this.#function++;
  }

  #begin(): void {
    const input = this.#in;
    const { functions, importedFunctions, types } = this.#layout;
    const index = importedFunctions + this.#function;
    const type = types[functions[index]!]!;
    const localGroups = input.count('groups of locals', LIMITS.locals);
    const start = input.pos;
    let locals = 0;
    for (let i = 0; i < localGroups; i++) {
      locals += input.u32();
      if (locals > LIMITS.locals) throw overLimit(`a function has ${locals} locals, at most ${LIMITS.locals} are accepted`);
      this.#operands.valueType();
    }
    this.#locals = type.params.length + locals;
    this.#body.begin({
      function: index < this.#firstMoved ? index : index + 1,
      index: this.#function,
      localGroups,
      start,
      end: input.pos,
      free: this.#locals,
      hasResults: type.results.length > 0,
    });
  }

  #instruction(): void {
    const input = this.#in;
    const operands = this.#operands;
    const body = this.#body;
    const start = input.pos;
    const opcode = input.u8();
    body.costs(1);
    switch (OPCODES[opcode]) {
      case Immediate.none:
        if (opcode >= 0xc0 && opcode <= 0xc4) this.#uses('sign extension');
        return;
      case Immediate.local:
        operands.index(this.#locals, 'local');
        return;
      case Immediate.memoryAccess:
        operands.memoryAccess();
        return;
      case Immediate.i32:
        input.skipSigned(32);
        return;
      case Immediate.end:
        this.#end();
        return;
      case Immediate.block:
      case Immediate.if:
        body.block(operands.blockType() === BlockType.empty);
        return;
      case Immediate.loop: {
        const empty = operands.blockType() !== BlockType.indexed;
        body.loop(start, input.pos, empty);
        return;
      }
      case Immediate.branch: {
        const label = input.u32();
        body.branch(start, input.pos, opcode, label);
        return;
      }
      case Immediate.return:
        body.return(start);
        return;
      case Immediate.else:
        return;
      case Immediate.call:
        this.#call(start);
        return;
      case Immediate.callIndirect:
        operands.type();
        operands.table();
        body.callsThroughTable(COST.callIndirect);
        return;
      case Immediate.global:
        operands.global();
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

  #end(): void {
    const input = this.#in;
    const again = this.#body.end(input.pos);
    if (again < 0) return;
    input.pos = again + 1;
    const empty = this.#operands.blockType() !== BlockType.indexed;
    this.#body.loopAgain(again, input.pos, empty);
  }

  #branchTable(start: number): void {
    const input = this.#in;
    const labels = input.count('labels in a br_table', LIMITS.bodyBytes);
    const changes = this.#body.branchTable(start, input.pos);
    for (let i = 0; i <= labels; i++) {
      const label = input.u32();
      if (changes) this.#body.tableLabel(label, input.pos);
    }
  }

  #call(start: number): void {
    const index = this.#operands.function();
    const own = index - this.#layout.importedFunctions;
    if (own < 0) this.#body.calls(COST.hostCall);
    else this.#body.callsOwn(COST.call, own);
    if (index >= this.#firstMoved) this.#body.replace(start, this.#in.pos, 0x10, index + 1);
  }

  #rare(opcode: number, start: number): void {
    const input = this.#in;
    const operands = this.#operands;
    const body = this.#body;
    switch (OPCODES[opcode]) {
      case Immediate.memoryIndex:
        operands.memory();
        // global.get: what the guest sees is not the real size.
        body.replace(start, input.pos, 0x23, this.#added.memory!.pages);
        return;
      case Immediate.memoryGrow:
        operands.memory();
        this.#replaceByCall(start, this.#added.memory!.grow);
        return;
      case Immediate.refNull:
        this.#uses('reference types');
        operands.referenceType();
        return;
      case Immediate.refFunc: {
        this.#uses('reference types');
        const index = operands.function();
        if (index >= this.#firstMoved) body.replace(start, input.pos, opcode, index + 1);
        return;
      }
      case Immediate.selectTyped: {
        this.#uses('reference types');
        const count = input.count('types of a select', 1);
        for (let i = 0; i < count; i++) operands.valueType();
        return;
      }
      case Immediate.table:
      case Immediate.tableSet:
        this.#uses('reference types');
        body.costs(COST.tableAccess);
        if (opcode === 0x26) this.#unresettable('table.set');
        operands.table();
        return;
      case Immediate.bulkPrefix:
        this.#bulk(start);
        return;
      case Immediate.simdPrefix:
        this.#simd(start);
        return;
      default:
        throw refused(proposalOf(opcode), `opcode 0x${opcode.toString(16)}`, start);
    }
  }

  #bulk(start: number): void {
    const operands = this.#operands;
    const opcode = this.#in.u32();
    const immediate = BULK_OPCODES[opcode];
    const { fuel } = this.#added;
    if (immediate === undefined) throw refused(bulkProposalOf(opcode), `opcode 0xfc ${opcode}`, start);
    if (immediate === Immediate.none) {
      this.#uses('saturating conversions');
      return;
    }
    this.#uses(immediate >= Immediate.tableGrow ? 'reference types' : 'bulk memory');
    switch (immediate) {
      case Immediate.memoryInit:
        this.#charge(start, fuel?.chargeBytes);
        operands.dataSegment();
        operands.memory();
        return;
      case Immediate.dataDrop:
        this.#unresettable('data.drop');
        operands.dataSegment();
        return;
      case Immediate.memoryCopy:
        operands.memory();
        operands.memory();
        if (fuel !== undefined) this.#replaceByCall(start, fuel.bulk!.copy);
        return;
      case Immediate.memoryFill:
        operands.memory();
        if (fuel !== undefined) this.#replaceByCall(start, fuel.bulk!.fill);
        return;
      case Immediate.tableInit:
        this.#unresettable('table.init');
        this.#charge(start, fuel?.chargeItems);
        operands.elementSegment();
        operands.table();
        return;
      case Immediate.elementDrop:
        this.#unresettable('elem.drop');
        operands.elementSegment();
        return;
      case Immediate.tableCopy:
        this.#unresettable('table.copy');
        this.#charge(start, fuel?.chargeItems);
        operands.table();
        operands.table();
        return;
      case Immediate.tableGrow:
        this.#unresettable('table.grow');
        this.#charge(start, fuel?.chargeItems);
        operands.table();
        return;
      case Immediate.tableFill:
        this.#unresettable('table.fill');
        this.#charge(start, fuel?.chargeItems);
        operands.table();
        return;
      default:
        operands.table();
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
        this.#operands.memoryAccess();
        return;
      case Immediate.simdAccessLane:
        this.#operands.memoryAccess();
        input.skip(1);
        return;
      case Immediate.lane:
        input.skip(1);
        return;
      case Immediate.bytes16:
        input.skip(16);
        return;
      default:
        throw refused(simdProposalOf(opcode), `opcode 0xfd ${opcode}`, start);
    }
  }

  /** Calls the charge for a bulk instruction just before it, where its length is on top of the stack. */
  #charge(start: number, charge: number | undefined): void {
    if (charge === undefined) return;
    this.#body.calls(COST.call);
    this.#body.insertCall(start, charge);
  }

  #replaceByCall(start: number, index: number): void {
    this.#body.calls(COST.call);
    this.#body.replace(start, this.#in.pos, 0x10, index);
  }

  #uses(feature: Feature): void {
    this.#layout.features.add(feature);
  }

  #unresettable(instruction: string): void {
    this.#layout.unresettable ??= instruction;
  }
}
