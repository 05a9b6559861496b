import { Writer } from './writer.ts';

/** The section that tells the compiler which branches are hardly ever taken; engines without it ignore it. */
const SECTION = 'metadata.code.branch_hint';

export class BranchHints {
  readonly #out = new Writer(4096, 2 ** 28, () => new RangeError('too many branch hints'));
  #functions = 0;
  /** Offsets in the function that is being written, from its locals on. */
  readonly offsets: number[] = [];

  /** The first hint's instruction is taken out again, with `size` bytes of code. */
  removeFirst(size: number): void {
    this.offsets.shift();
    for (const [i, offset] of this.offsets.entries()) this.offsets[i] = offset - size;
  }

  endFunction(index: number): void {
    if (this.offsets.length === 0) return;
    this.#functions++;
    this.#out.u32(index);
    this.#out.u32(this.offsets.length);
    for (const offset of this.offsets) {
      this.#out.u32(offset);
      this.#out.all([1, 0]); // one byte: unlikely
    }
    this.offsets.length = 0;
  }

  /** The whole section; it must stand before the code section. */
  section(): Uint8Array {
    if (this.#functions === 0) return new Uint8Array();
    const entries = this.#out.finish();
    const content = new Writer(entries.length + 64, 2 ** 28, () => new RangeError('too many branch hints'));
    content.name(SECTION);
    content.u32(this.#functions);
    content.copy(entries, 0, entries.length);
    const section = new Writer(content.length + 8, 2 ** 28, () => new RangeError('too many branch hints'));
    section.u8(0);
    section.u32(content.length);
    const bytes = content.finish();
    section.copy(bytes, 0, bytes.length);
    return section.finish();
  }
}
