import { I32, leb, moduleBytes, text } from './testing.ts';

/**
 * Random programs with every kind of branch in and out of nested loops, for comparing a module with its metered self. They always end:
 * each loop counts its passes in a global and leaves after some. What they do shows in their result, a global and the memory.
 */
export function randomProgram(random: () => number): Uint8Array {
  const helper = new Body(random, 1, 3, false).function();
  const main = new Body(random, 2, 5, true).function();
  return moduleBytes({
    types: [
      [[I32], [I32]],
      [[I32, I32], [I32]],
      [[I32], []],
    ],
    functions: [0, 1],
    tables: [[0x70, 0, 2]],
    memories: [[0, 1]],
    globals: [
      [I32, 1, 0x41, 0, 0x0b],
      [I32, 1, 0x41, 0, 0x0b],
    ],
    exports: [
      [...text('f'), 0, 1],
      [...text('trace'), 3, 0],
      [...text('memory'), 2, 0],
    ],
    elements: [[0, 0x41, 0, 0x0b, 1, 0]],
    code: [helper, main],
  });
}

const LOCALS = 3;
const PASSES = 40;
/** A block's kind by what a branch to it carries. */
type Label = 'nothing' | 'value';

class Body {
  readonly #random: () => number;
  readonly #params: number;
  readonly #depth: number;
  readonly #calls: boolean;
  readonly #labels: Label[] = ['value'];
  readonly #code: number[] = [];

  constructor(random: () => number, params: number, depth: number, calls: boolean) {
    this.#random = random;
    this.#params = params;
    this.#depth = depth;
    this.#calls = calls;
  }

  function(): number[] {
    this.#code.push(1, LOCALS, I32);
    for (let i = 0; i < 3; i++) this.#statement(this.#depth);
    this.#value(2);
    return this.#code;
  }

  #pick(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #local(): number {
    return this.#pick(this.#params + LOCALS);
  }

  #emit(...bytes: number[]): void {
    this.#code.push(...bytes);
  }

  /** Pushes one i32. */
  #value(depth: number): void {
    const choice = depth <= 0 ? this.#pick(2) : this.#pick(10);
    if (choice === 0) this.#emit(0x41, this.#pick(64));
    else if (choice < 4) this.#emit(0x20, this.#local());
    else if (choice < 7) {
      this.#value(depth - 1);
      this.#value(depth - 1);
      this.#emit([0x6a, 0x6b, 0x6c, 0x73, 0x48, 0x71][this.#pick(6)]!);
    } else if (choice === 7) {
      this.#value(depth - 1);
      this.#emit(0x41, ...leb(0xff & 0x3f), 0x71, 0x2d, 0, 0); // and, i32.load8_u
    } else this.#block(depth - 1, 'value');
  }

  #condition(): void {
    this.#value(1);
    this.#emit(0x41, 1 + this.#pick(7), 0x71); // and: true more often than not
  }

  #block(depth: number, kind: Label): void {
    const loop = this.#pick(3) > 0;
    const type = kind === 'value' ? I32 : 0x40;
    this.#emit(loop ? 0x03 : 0x02, type);
    this.#labels.push(loop ? 'nothing' : kind);
    if (loop) this.#guard(kind);
    const statements = 1 + this.#pick(3);
    for (let i = 0; i < statements; i++) this.#statement(depth - 1);
    if (kind === 'value') this.#value(depth - 1);
    else if (loop && this.#pick(2) === 0) this.#emit(0x0c, 0); // br to the loop itself
    this.#labels.pop();
    this.#emit(0x0b);
  }

  /** `if (++passes > most) leave`: by the function's own label, by return, or around the rest when nothing is carried. */
  #guard(kind: Label): void {
    this.#emit(0x23, 1, 0x41, 1, 0x6a, 0x24, 1, 0x23, 1, 0x41, PASSES, 0x4a, 0x04, 0x40); // i32.gt_s, if
    this.#emit(0x20, this.#local());
    if (kind === 'nothing' && this.#pick(2) === 0) this.#emit(0x0c, ...leb(this.#labels.length));
    else this.#emit(0x0f);
    this.#emit(0x0b);
  }

  #statement(depth: number): void {
    const choice = depth <= 0 ? this.#pick(3) : this.#pick(12);
    if (choice === 0) {
      this.#value(1);
      this.#emit(0x21, this.#local());
    } else if (choice === 1) {
      this.#emit(0x23, 0, 0x41, 31, 0x6c, 0x20, this.#local(), 0x6a, 0x24, 0); // trace = trace * 31 + local
    } else if (choice === 2) {
      this.#emit(0x41, this.#pick(64), 0x20, this.#local(), 0x3a, 0, 0); // i32.store8
    } else if (choice < 7) this.#block(depth, 'nothing');
    else if (choice === 7) this.#branch();
    else if (choice === 8) this.#branchTable();
    else if (choice === 9) {
      this.#condition();
      this.#emit(0x04, 0x40);
      this.#labels.push('nothing');
      this.#statement(depth - 1);
      this.#emit(0x05);
      this.#statement(depth - 1);
      this.#labels.pop();
      this.#emit(0x0b);
    } else if (choice === 10 && this.#calls && this.#pick(2) === 0) {
      this.#value(1);
      if (this.#pick(2) === 0) this.#emit(0x10, 0);
      else this.#emit(0x41, 0, 0x11, 0, 0); // call_indirect
      this.#emit(0x21, this.#local());
    } else {
      this.#condition();
      this.#emit(0x04, 0x40, 0x20, this.#local(), 0x0f, 0x0b); // if, return, end
    }
  }

  /** A conditional branch to any label around; what it carries is dropped when it is not taken. */
  #branch(): void {
    const label = this.#pick(this.#labels.length);
    const carries = this.#labels[this.#labels.length - 1 - label] === 'value';
    if (carries) this.#value(1);
    this.#condition();
    this.#emit(0x0d, ...leb(label));
    if (carries) this.#emit(0x1a);
  }

  #branchTable(): void {
    const labels = this.#labels.flatMap((kind, index) => (kind === 'nothing' ? [this.#labels.length - 1 - index] : []));
    if (labels.length === 0) return;
    const targets = Array.from({ length: 1 + this.#pick(4) }, () => labels[this.#pick(labels.length)]!);
    this.#emit(0x02, 0x40); // a block, so that what follows can be reached
    this.#value(1);
    this.#emit(0x41, 7, 0x71, 0x0e, ...leb(targets.length), ...targets.flatMap((label) => leb(label + 1)), 0, 0x0b);
  }
}
