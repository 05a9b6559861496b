import { Additions, addFuelImport, addTypes } from './additions.ts';
import { CodeRewriter } from './code.ts';
import {
  copyExports,
  copyFunctions,
  copyGlobals,
  copyImports,
  copyTables,
  copyTypes,
  readMemory,
  typeText,
  writeMemoryImport,
} from './declarations.ts';
import { type Layout, Section } from './layout.ts';
import { type Names, readNames, readProducers } from './names.ts';
import { findSections, type Sections } from './preamble.ts';
import type { Reader } from './reader.ts';
import { overLimit, refuse, withSubject } from './refusal.ts';
import { copyData, copyElements } from './segments.ts';
import type { ModuleInfo, RewriteOptions, RewriteResult } from './types.ts';
import { Writer } from './writer.ts';

/**
 * Rewrites a module so that it can be trusted with a worker: memory from outside and bounded, tables bounded, running time metered,
 * state that can be put back. One pass over the binary: sections are copied as they are read. The one added import
 * (`reef.fuel_out`) moves the module's own functions up by one, so that their numbers change wherever they stand; all else that is
 * added stands behind the module's own things of its kind, and so moves nothing.
 *
 * Throws a `ReefError` for whatever is not accepted. Allocates in proportion to the input at most.
 */
export function rewrite(bytes: Uint8Array, options: RewriteOptions = {}): RewriteResult {
  try {
    const result = new Rewriting(bytes, options).run();
    validate(bytes, result.bytes);
    return result;
  } catch (error) {
    throw withSubject(error, options.name);
  }
}

/** The rewriter checks structure and numbers; types of operands are left to the engine, which has to check them anyway. */
function validate(input: Uint8Array, output: Uint8Array): void {
  if (WebAssembly.validate(output)) return;
  let reason = 'it does not validate';
  try {
    new WebAssembly.Module(input);
  } catch (error) {
    if (error instanceof Error) reason = error.message.replace(/^WebAssembly\.Module\(\): /, '');
  }
  throw refuse(`the file is damaged or no valid module: ${reason}`);
}

class Rewriting {
  readonly #options: RewriteOptions;
  readonly #sections: Sections;
  readonly #layout: Layout = emptyLayout();
  readonly #out: Writer;
  readonly #bytes: Uint8Array;
  /** Defined functions from this one on get the next number. */
  #firstMoved = Number.POSITIVE_INFINITY;
  /** Known once the imports are read. */
  #added: Additions | undefined;
  #names: Names | undefined;
  #hints: Uint8Array = new Uint8Array();

  constructor(bytes: Uint8Array, options: RewriteOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.#sections = findSections(bytes);
    const most = bytes.length * 2 + 1024 * 1024;
    const tooLarge = (): Error => overLimit('it grows to more than twice its size with the fuel meter');
    this.#out = new Writer(Math.ceil(bytes.length * 1.15) + 4096, most, tooLarge);
  }

  run(): RewriteResult {
    const out = this.#out;
    out.copy(this.#bytes, 0, 8);
    this.#vector(Section.type, (input) => this.#types(input));
    this.#vector(Section.import, (input) => this.#imports(input));
    this.#vector(Section.function, (input) => this.#functions(input));
    this.#vector(Section.table, (input) => (input ? copyTables(input, out, this.#layout, this.#options) : 0));
    this.#vector(Section.global, (input) => this.#globals(input));
    this.#vector(Section.export, (input) => this.#exports(input));
    this.#start();
    this.#vector(Section.element, (input) => (input ? copyElements(input, out, this.#layout, this.#firstMoved) : 0));
    this.#dataCount();
    const codeAt = out.length;
    this.#vector(Section.code, (input) => this.#code(input));
    this.#vector(Section.data, (input) => (input ? copyData(input, out, this.#layout) : 0));
    this.#nameSection();
    return { bytes: out.finish(codeAt, this.#hints), info: this.#info() };
  }

  /** Writes a section of counted entries, unless it has none. `write` gets the original section, perhaps an empty one. */
  #vector(id: number, write: (input: Reader | undefined) => number): void {
    const out = this.#out;
    const start = out.length;
    out.u8(id);
    const sizeAt = out.reserve();
    const countAt = out.reserve();
    const count = write(this.#sections.known.get(id));
    if (count === 0) {
      out.truncate(start);
      return;
    }
    out.patch(countAt, count);
    out.patch(sizeAt, out.length - countAt);
  }

  #types(input: Reader | undefined): number {
    const own = input ? copyTypes(input, this.#out, this.#layout) : 0;
    return own + addTypes(this.#out);
  }

  #imports(input: Reader | undefined): number {
    const layout = this.#layout;
    const { known } = this.#sections;
    const memory = known.get(Section.memory);
    if (memory !== undefined) readMemory(memory, layout, this.#options);
    let count = input ? copyImports(input, this.#out, layout, this.#options) : 0;
    if (layout.memory !== undefined && !layout.memory.imported) {
      writeMemoryImport(this.#out, layout);
      count++;
    }
    const own = {
      functions: known.get(Section.function)?.peekCount() ?? 0,
      globals: known.get(Section.global)?.peekCount() ?? 0,
    };
    const metered = (this.#options.fuel ?? true) && own.functions > 0;
    if (metered) {
      count += addFuelImport(this.#out, layout);
      this.#firstMoved = layout.importedFunctions;
    }
    this.#added = new Additions(layout, own, metered, this.#options);
    return count;
  }

  #functions(input: Reader | undefined): number {
    const own = input ? copyFunctions(input, this.#out, this.#layout) : 0;
    return own + this.#added!.addFunctions(this.#out);
  }

  #globals(input: Reader | undefined): number {
    const own = input ? copyGlobals(input, this.#out, this.#layout, this.#firstMoved) : 0;
    return own + this.#added!.addGlobals(this.#out);
  }

  #exports(input: Reader | undefined): number {
    const own = input ? copyExports(input, this.#out, this.#layout, this.#firstMoved) : 0;
    return own + this.#added!.addExports(this.#out);
  }

  #start(): void {
    const input = this.#sections.known.get(Section.start);
    if (input === undefined) return;
    const index = input.u32();
    input.done('the start section');
    if (index >= this.#layout.functions.length) input.fail(`starts function ${index} of ${this.#layout.functions.length}`);
    this.#layout.start = true;
    const out = this.#out;
    out.u8(Section.start);
    const sizeAt = out.reserve();
    const from = out.length;
    out.u32(index >= this.#firstMoved ? index + 1 : index);
    out.patch(sizeAt, out.length - from);
  }

  #dataCount(): void {
    const input = this.#sections.known.get(Section.dataCount);
    if (input === undefined) return;
    const start = input.pos;
    const count = input.u32();
    input.done('the data count section');
    this.#layout.dataCount = count;
    this.#layout.features.add('bulk memory');
    const out = this.#out;
    out.u8(Section.dataCount);
    out.u32(input.pos - start);
    out.copy(input.bytes, start, input.pos);
  }

  #code(input: Reader | undefined): number {
    const layout = this.#layout;
    const defined = layout.functions.length - layout.importedFunctions;
    const bodies = input === undefined ? 0 : input.u32();
    if (bodies !== defined) throw refuse(`the file is damaged: it declares ${defined} functions and has ${bodies} bodies`);
    if (input !== undefined) {
      const code = new CodeRewriter(input, this.#out, layout, this.#added!);
      for (let i = 0; i < bodies; i++) code.body();
      input.done('the code section');
      this.#hints = code.hints();
    }
    return bodies + this.#added!.addBodies(this.#out);
  }

  #nameSection(): void {
    const names = readNames(this.#sections.custom.get('name'), this.#layout.functions.length, this.#firstMoved);
    this.#names = names;
    if (names.functions.length === 0) return;
    const out = this.#out;
    out.u8(Section.custom);
    const sizeAt = out.reserve();
    const from = out.length;
    out.name('name');
    out.u8(1);
    out.u32(names.functions.length);
    out.copy(names.functions, 0, names.functions.length);
    out.patch(sizeAt, out.length - from);
  }

  #info(): ModuleInfo {
    const layout = this.#layout;
    const { memory, unresettable } = layout;
    return {
      sizeBytes: this.#bytes.length,
      functions: layout.functions.length - layout.importedFunctions,
      imports: layout.imports,
      exports: layout.exports,
      memory: memory && {
        minPages: memory.declared.min,
        maxPages: memory.max,
        declaredMaxPages: memory.declared.max,
        imported: memory.imported,
      },
      tables: layout.tables.map((table) => ({ type: typeText(table.type), min: table.min, max: table.max })),
      features: [...layout.features].sort(),
      start: layout.start,
      reset: unresettable === undefined ? { inPlace: true } : { inPlace: false, because: unresettable },
      declaredName: this.#names?.module,
      producers: readProducers(this.#sections.custom.get('producers')),
    };
  }
}

function emptyLayout(): Layout {
  return {
    types: [],
    functions: [],
    globals: [],
    tables: [],
    memory: undefined,
    importedFunctions: 0,
    importedGlobals: 0,
    importedTables: 0,
    elementSegments: 0,
    dataCount: undefined,
    start: false,
    imports: [],
    exports: [],
    features: new Set(),
    unresettable: undefined,
  };
}
