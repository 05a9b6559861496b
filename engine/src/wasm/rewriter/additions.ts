import { copyBody, fillBody } from './bulk.ts';
import { chargeBytesBody, chargeItemsBody, copyGlobalsBody, type Fuel, growBody, refuelBody, zeroGlobal } from './fuel.ts';
import type { Layout } from './layout.ts';
import { TYPE } from './opcodes.ts';
import { DEFAULT_FUEL_SLICE, REEF, type RewriteOptions } from './types.ts';
import type { Writer } from './writer.ts';

/** Numbers of the module's own things, as far as they are known before its globals and functions are read. */
export interface Own {
  readonly functions: number;
  readonly globals: number;
}

interface AddedFunction {
  readonly name: string;
  /** Which of the added types it has. */
  readonly type: number;
  readonly exported: boolean;
  readonly body: () => Uint8Array;
}

/** Types that are added: `() -> ()`, `() -> (i32)`, `(i32) -> (i32)`, `(i32, i32, i32) -> ()`. */
const { i32 } = TYPE;
const ADDED_TYPES = [0x60, 0, 0, 0x60, 0, 1, i32, 0x60, 1, i32, 1, i32, 0x60, 3, i32, i32, i32, 0];
const ADDED_TYPE_COUNT = 4;

export function addTypes(out: Writer): number {
  out.all(ADDED_TYPES);
  return ADDED_TYPE_COUNT;
}

/** The one import that moves functions. Returns the number of imports added. */
export function addFuelImport(out: Writer, layout: Layout): number {
  out.name(REEF.importModule);
  out.name(REEF.fuelOut);
  out.u8(0);
  out.u32(layout.types.length + 1);
  return 1;
}

/**
 * What the rewriter adds behind the module's own functions and globals: the fuel meter, the memory's virtual size,
 * and the pair that saves and restores globals. All numbers are fixed here, before the first body is read.
 */
export class Additions {
  readonly fuel: Fuel | undefined;
  /** Number of the global that holds the memory's size in pages, and of the function that stands for `memory.grow`. */
  readonly memory: { readonly pages: number; readonly grow: number } | undefined;
  readonly #layout: Layout;
  readonly #functions: AddedFunction[] = [];
  readonly #firstFunction: number;
  readonly #firstCopy: number;
  /** Each mutable global and where `reef:save` puts its value. */
  readonly #saved: [global: number, copy: number][] = [];

  constructor(layout: Layout, own: Own, metered: boolean, options: RewriteOptions) {
    this.#layout = layout;
    this.#firstFunction = layout.functions.length + own.functions + (metered ? 1 : 0);
    let global = layout.globals.length + own.globals;
    if (metered) {
      const fuel: Fuel = {
        global: global++,
        fuelOut: layout.importedFunctions,
        refuel: this.#add('reef:refuel', 0, () => refuelBody(fuel)),
        chargeBytes: this.#add('reef:charge_bytes', 2, () => chargeBytesBody(fuel)),
        chargeItems: this.#add('reef:charge_items', 2, () => chargeItemsBody(fuel)),
        bulk: layout.memory && {
          fill: this.#add('reef:fill', 3, () => fillBody(fuel)),
          copy: this.#add('reef:copy', 3, () => copyBody(fuel)),
        },
        slice: Math.min(Math.max(options.fuelSlice ?? DEFAULT_FUEL_SLICE, 1), 2 ** 30),
      };
      this.fuel = fuel;
    }
    if (layout.memory !== undefined) {
      const pages = global++;
      this.memory = { pages, grow: this.#add('reef:grow', 2, () => growBody(pages, this.fuel)) };
    }
    this.#firstCopy = global;
    this.#add(REEF.save, 0, () => copyGlobalsBody(this.#saved), true);
    this.#add(REEF.restore, 0, () => copyGlobalsBody(this.#saved.map(([from, to]) => [to, from])), true);
  }

  #add(name: string, type: number, body: () => Uint8Array, exported = false): number {
    this.#functions.push({ name, type, body, exported });
    return this.#firstFunction + this.#functions.length - 1;
  }

  addFunctions(out: Writer): number {
    for (const { type } of this.#functions) out.u32(this.#layout.types.length + type);
    return this.#functions.length;
  }

  /** Comes when all of the module's own globals have been read. */
  addGlobals(out: Writer): number {
    if (this.fuel !== undefined) zeroGlobal(out, TYPE.i32);
    if (this.memory !== undefined) {
      out.all([TYPE.i32, 1, 0x41]);
      out.signed(this.#layout.memory!.declared.min);
      out.u8(0x0b);
    }
    let copy = this.#firstCopy;
    for (const [index, { type, mutable }] of this.#layout.globals.entries()) {
      if (!mutable) continue;
      zeroGlobal(out, type);
      this.#saved.push([index, copy++]);
    }
    if (this.memory !== undefined) {
      zeroGlobal(out, TYPE.i32);
      this.#saved.push([this.memory.pages, copy]);
    }
    return this.#saved.length + Number(this.fuel !== undefined) + Number(this.memory !== undefined);
  }

  addExports(out: Writer): number {
    const globals = [
      [REEF.fuel, this.fuel?.global],
      [REEF.pages, this.memory?.pages],
    ] as const;
    let count = 0;
    for (const [name, index] of globals) {
      if (index === undefined) continue;
      writeExport(out, name, 3, index);
      count++;
    }
    for (const [i, added] of this.#functions.entries()) {
      if (!added.exported) continue;
      writeExport(out, added.name, 0, this.#firstFunction + i);
      count++;
    }
    return count;
  }

  addBodies(out: Writer): number {
    for (const { body } of this.#functions) {
      const bytes = body();
      out.u32(bytes.length);
      out.copy(bytes, 0, bytes.length);
    }
    return this.#functions.length;
  }
}

function writeExport(out: Writer, name: string, kind: number, index: number): void {
  out.name(name);
  out.u8(kind);
  out.u32(index);
}
