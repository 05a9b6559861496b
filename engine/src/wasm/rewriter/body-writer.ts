import { Entries } from './entries.ts';
import { type Fuel, type LocalMeter, localMeter, meterSequence, type Sequence } from './fuel.ts';
import { BranchHints } from './hints.ts';
import { LIMITS } from './limits.ts';
import { TYPE } from './opcodes.ts';
import { Pieces } from './pieces.ts';
import { overLimit } from './refusal.ts';
import { PADDED, type Writer } from './writer.ts';

/** The loop being copied that may turn out to be without inner loops and calls that change the fuel, and all that is needed to begin it anew. */
interface Candidate {
  /** Depth of its block; -1: there is none. */
  depth: number;
  /** Where it starts: in the input, in the output, among the hints. */
  start: number;
  length: number;
  hints: number;
}

/** What the body of a function begins with. */
export interface BodyHead {
  /** Number of the function in the rewritten module. */
  readonly function: number;
  /** The same in the original, imported ones not counted. */
  readonly index: number;
  readonly localGroups: number;
  /** Where the groups of locals stand in the input. */
  readonly start: number;
  readonly end: number;
  /** The number of the first free local. */
  readonly free: number;
  readonly hasResults: boolean;
}

/**
 * Copies function bodies and puts the meter in. A loop is copied with the meter that suits all; if its end comes without an
 * inner loop or a call that changes the fuel, it is copied once more with the cheaper one (see fuel.ts): no byte is read more than twice.
 * `start` and `end` are where an instruction stands in the input. Everything up to where something changes is copied in one piece.
 */
export class BodyWriter {
  readonly hints = new BranchHints();
  readonly #in: Uint8Array;
  readonly #out: Writer;
  readonly #fuel: Fuel | undefined;
  readonly #meter: Sequence | undefined;
  /** By number of the local. */
  readonly #localMeters = new Map<number, LocalMeter>();
  readonly #pieces = new Pieces();
  readonly #candidate: Candidate = { depth: -1, start: 0, length: 0, hints: 0 };
  /** Depth of the loop that is being copied with the cheaper meter; -1: none. */
  #localLoop = -1;
  /** The second place that this loop's cost goes to. */
  #refuelCostAt = -1;
  #head!: BodyHead;
  #sizeAt = 0;
  /** Where the function's locals begin in the output; hints count from here. */
  #bodyAt = 0;
  /** Where the number of our own locals stands: 0 until a loop wants one. */
  #localCountAt = 0;
  #meterAt = 0;
  #copied = 0;
  readonly #entries: Entries;

  /** `functions`: how many the module defines. */
  constructor(input: Uint8Array, out: Writer, { fuel, functions }: { fuel: Fuel | undefined; functions: number }) {
    this.#entries = new Entries(functions);
    this.#in = input;
    this.#out = out;
    this.#fuel = fuel;
    this.#meter = fuel === undefined ? undefined : meterSequence(fuel);
  }

  /** Blocks that are open; 0 at the end of the function. */
  get depth(): number {
    return this.#pieces.depth;
  }

  begin(head: BodyHead): void {
    const out = this.#out;
    this.#head = head;
    this.#sizeAt = out.reserve();
    this.#bodyAt = out.length;
    out.u32(this.#fuel === undefined ? head.localGroups : head.localGroups + 1);
    out.copy(this.#in, head.start, head.end);
    this.#copied = head.end;
    this.#localCountAt = out.length;
    if (this.#fuel !== undefined) out.all([0, TYPE.i32]);
    this.#entries.begin(head.index);
    this.#candidate.depth = -1;
    this.#pieces.clear();
    this.#meterAt = out.length;
    this.#pieces.open(this.#meter === undefined ? -1 : this.#insert(this.#meter), !head.hasResults);
  }

  finish(end: number): void {
    const out = this.#out;
    this.#flush(end);
    if (this.#meter !== undefined && this.#entries.end(this.#pieces.cost)) {
      out.remove(this.#meterAt, this.#meter.bytes.length);
      this.hints.removeFirst(this.#meter.bytes.length);
    }
    const written = out.length - this.#sizeAt - PADDED;
    if (written > LIMITS.bodyBytes) throw overLimit('a function body is too large for the fuel meter: split the function');
    this.hints.endFunction(this.#head.function);
    out.closeBody(this.#sizeAt);
  }

  costs(amount: number): void {
    this.#pieces.cost += amount;
  }

  /** The host or one of the meter's own functions: it may leave the fuel changed, so that the loop around cannot count in a local. */
  calls(cost: number): void {
    this.#entries.moves();
    this.#candidate.depth = -1;
    this.#pieces.cost += cost;
  }

  /** A function that the module defines. */
  callsOwn(cost: number, index: number): void {
    this.#pieces.cost += cost + this.#entries.calls(index);
    if (!this.#entries.isStill(index)) this.#candidate.depth = -1;
  }

  callsThroughTable(cost: number): void {
    this.#entries.callsThroughTable();
    this.#candidate.depth = -1;
    this.#pieces.cost += cost;
  }

  /** One instruction becomes another, with one operand. */
  replace(start: number, end: number, opcode: number, operand: number): void {
    this.#flush(start);
    this.#out.u8(opcode);
    this.#out.u32(operand);
    this.#copied = end;
  }

  insertCall(start: number, index: number): void {
    this.#flush(start);
    this.#out.u8(0x10);
    this.#out.u32(index);
  }

  /** `empty`: a branch to it carries no values. */
  block(empty: boolean): void {
    this.#pieces.open(-1, empty);
  }

  loop(start: number, end: number, empty: boolean): void {
    if (this.#meter === undefined) {
      this.#pieces.open(-1, empty);
      return;
    }
    this.#entries.moves();
    this.#flush(start);
    const candidate = this.#candidate;
    candidate.depth = this.#pieces.depth;
    candidate.start = start;
    candidate.length = this.#out.length;
    candidate.hints = this.hints.offsets.length;
    this.#flush(end);
    this.#pieces.open(this.#insert(this.#meter), empty);
  }

  /** The end of a block. Returns -1, or where the loop starts that must be read again, beginning with {@link loopAgain}. */
  end(end: number): number {
    const pieces = this.#pieces;
    if (pieces.depth - 1 === this.#candidate.depth) return this.#candidate.start;
    const ends = pieces.depth - 1 === this.#localLoop;
    pieces.close(this.#out, ends ? this.#refuelCostAt : -1);
    if (!ends) return -1;
    this.#flush(end);
    this.#out.u8(0x0b); // end
    this.#store();
    this.#localLoop = -1;
    return -1;
  }

  /** The candidate has ended and counts in a local: back to its start. */
  loopAgain(start: number, end: number, empty: boolean): void {
    const candidate = this.#candidate;
    const out = this.#out;
    const local = this.#localMeter();
    out.truncate(candidate.length);
    this.hints.offsets.length = candidate.hints;
    this.#pieces.rewind(candidate.depth);
    this.#localLoop = candidate.depth;
    candidate.depth = -1;
    out.copy(local.load, 0, local.load.length);
    out.copy(this.#in, start, end);
    this.#refuelCostAt = this.#insert(local.refuel);
    out.copy(this.#in, start, end);
    this.#copied = end;
    this.#pieces.open(this.#insert(local.count), empty);
    out.setByte(this.#localCountAt, 1);
  }

  branch(start: number, end: number, opcode: number, label: number): void {
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
    this.#copied = end;
  }

  /** Begins a `br_table`; its labels follow by {@link tableLabel} when this returns true, else they stay as they are. */
  branchTable(start: number, labelsAt: number): boolean {
    if (this.#localLoop < 0) return false;
    this.#flush(start);
    this.#store();
    this.#flush(labelsAt);
    return true;
  }

  tableLabel(label: number, end: number): void {
    this.#out.u32(this.#leaves(label) ? label + 1 : label);
    this.#copied = end;
  }

  return(start: number): void {
    if (this.#localLoop < 0) return;
    this.#flush(start);
    this.#store();
  }

  #flush(to: number): void {
    this.#out.copy(this.#in, this.#copied, to);
    this.#copied = to;
  }

  /** Writes a part of the meter; returns where its cost goes. What is in front of it must have been copied. */
  #insert(part: Sequence): number {
    const at = this.#out.length;
    this.#out.copy(part.bytes, 0, part.bytes.length);
    if (part.unlikelyAt >= 0) this.hints.offsets.push(at + part.unlikelyAt - this.#bodyAt);
    return at + part.costAt;
  }

  #localMeter(): LocalMeter {
    const { free } = this.#head;
    let meter = this.#localMeters.get(free);
    if (meter === undefined) {
      meter = localMeter(this.#fuel!, free);
      this.#localMeters.set(free, meter);
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
}
