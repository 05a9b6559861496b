import { copyConstant } from './constant.ts';
import type { Layout } from './layout.ts';
import { LIMITS, type Limits, memoryMaximum, tableMaximum } from './limits.ts';
import { featureOfType, TYPE, typeProposalOf, VALUE_TYPES } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { overLimit, unsupported } from './refusal.ts';
import { type ExternalKind, REEF, type RewriteOptions } from './types.ts';
import type { Writer } from './writer.ts';

/**
 * The sections that declare things. Each function reads one section, learns from it, and copies its entries;
 * it returns their number, and the caller adds the entries that are Reef's own behind them.
 */
export function copyTypes(input: Reader, out: Writer, layout: Layout): number {
  const count = input.count('types', LIMITS.types);
  const start = input.pos;
  for (let i = 0; i < count; i++) {
    const at = input.pos;
    const form = input.u8();
    if (form === 0x4e || form === 0x4f || form === 0x50 || form === 0x5e || form === 0x5f) {
      throw unsupported('garbage collection', 'a type of structs, arrays or groups', at);
    }
    if (form === 0x5d) throw unsupported('stack switching', 'a continuation type', at);
    if (form === 0x65) throw unsupported('shared-everything threads', 'a shared type', at);
    if (form !== 0x60) input.fail(`has a type of unknown form 0x${form.toString(16)}`);
    const params = valueTypes(input, layout, LIMITS.parameters, 'parameters');
    const results = valueTypes(input, layout, LIMITS.results, 'results');
    if (results.length > 1) layout.features.add('multi-value');
    layout.types.push({ params, results });
  }
  input.done('the type section');
  out.copy(input.bytes, start, input.end);
  return count;
}

function valueTypes(input: Reader, layout: Layout, most: number, what: string): number[] {
  const types: number[] = [];
  const count = input.count(what, most);
  for (let i = 0; i < count; i++) types.push(valueType(input, layout));
  return types;
}

function valueType(input: Reader, layout: Layout): number {
  const at = input.pos;
  const code = input.u8();
  if (!VALUE_TYPES.has(code)) {
    const proposal = typeProposalOf(code);
    if (proposal === undefined) input.fail(`has an unknown value type 0x${code.toString(16)}`);
    throw unsupported(proposal, 'a value type', at);
  }
  const feature = code === TYPE.funcref ? 'reference types' : featureOfType(code);
  if (feature !== undefined) layout.features.add(feature);
  return code;
}

/** A memory that the module imports stands under its new name at its old place. */
export function copyImports(input: Reader, out: Writer, layout: Layout, options: RewriteOptions): number {
  const count = input.count('imports', LIMITS.imports);
  for (let i = 0; i < count; i++) {
    const start = input.pos;
    const module = input.name();
    const name = input.name();
    const kind = input.u8();
    if (kind === 2) {
      if (layout.memory !== undefined) throw secondMemory(start);
      setMemory(readMemoryLimits(input), true, layout, options);
      layout.imports.push({ module, name, kind: 'memory', type: 'memory' });
      writeMemoryImport(out, layout);
      continue;
    }
    if (kind === 0) {
      const type = typeIndex(input, layout);
      layout.functions.push(type);
      layout.importedFunctions++;
      layout.imports.push({ module, name, kind: 'function', type: functionTypeText(layout, type) });
      if (module === REEF.importModule && name === REEF.fuelOut) input.fail('imports reef.fuel_out, which is reserved');
    } else if (kind === 1) {
      layout.tables.push(readTable(input));
      layout.importedTables++;
      layout.imports.push({ module, name, kind: 'table', type: typeText(layout.tables.at(-1)!.type) });
    } else if (kind === 3) {
      const global = readGlobalType(input, layout);
      layout.globals.push(global);
      layout.importedGlobals++;
      if (global.mutable) layout.features.add('mutable globals');
      layout.imports.push({ module, name, kind: 'global', type: globalText(global) });
    } else if (kind === 4) throw unsupported('exception handling', 'an imported tag', input.pos - 1);
    else input.fail(`has an import of unknown kind ${kind}`);
    out.copy(input.bytes, start, input.pos);
  }
  input.done('the import section');
  return count;
}

export function writeMemoryImport(out: Writer, layout: Layout): void {
  const memory = layout.memory!;
  out.name(REEF.importModule);
  out.name(REEF.memory);
  out.all([2, 1]);
  out.u32(memory.declared.min);
  out.u32(memory.max);
}

export function readMemory(input: Reader, layout: Layout, options: RewriteOptions): void {
  const count = input.count('memories', 100);
  for (let i = 0; i < count; i++) {
    if (layout.memory !== undefined) throw secondMemory(input.pos);
    setMemory(readMemoryLimits(input), false, layout, options);
  }
  input.done('the memory section');
}

function secondMemory(at: number): Error {
  return unsupported('multiple memories', 'a second memory', at);
}

function setMemory(declared: Limits, imported: boolean, layout: Layout, options: RewriteOptions): void {
  layout.memory = { declared, max: memoryMaximum(declared, options), imported };
}

function readMemoryLimits(input: Reader): Limits {
  const at = input.pos;
  const flags = input.u8();
  if (flags & 2) throw unsupported('threads', 'shared memory', at);
  if (flags & 4) throw unsupported('memory64', 'a memory of 64 bits', at);
  if (flags & 8) throw unsupported('custom page sizes', 'a memory', at);
  const limits = readLimits(input, flags);
  if (limits.min > 65_536 || (limits.max ?? 0) > 65_536) input.fail('has a memory of more than 65536 pages');
  return limits;
}

function readLimits(input: Reader, flags: number): Limits {
  if (flags > 1) input.fail(`has limits of unknown form ${flags}`);
  const min = input.u32();
  const max = flags === 1 ? input.u32() : undefined;
  if (max !== undefined && max < min) input.fail(`has a maximum of ${max} below the minimum of ${min}`);
  return { min, max };
}

export function copyFunctions(input: Reader, out: Writer, layout: Layout): number {
  const count = input.count('functions', LIMITS.functions);
  const start = input.pos;
  for (let i = 0; i < count; i++) layout.functions.push(typeIndex(input, layout));
  input.done('the function section');
  out.copy(input.bytes, start, input.pos);
  return count;
}

function typeIndex(input: Reader, layout: Layout): number {
  const index = input.u32();
  if (index >= layout.types.length) input.fail(`refers to type ${index} of ${layout.types.length}`);
  return index;
}

export function copyTables(input: Reader, out: Writer, layout: Layout, options: RewriteOptions): number {
  const count = input.count('tables', LIMITS.tables);
  for (let i = 0; i < count; i++) {
    if (input.bytes[input.pos] === 0x40)
      throw unsupported('typed function references', 'a table with an initial value', input.pos);
    const table = readTable(input);
    const max = tableMaximum(table, options);
    layout.tables.push({ ...table, max });
    out.all([table.type, 1]);
    out.u32(table.min);
    out.u32(max);
  }
  input.done('the table section');
  if (layout.tables.length > 1) layout.features.add('reference types');
  if (layout.tables.length > LIMITS.tables)
    throw overLimit(`it has ${layout.tables.length} tables, at most ${LIMITS.tables} are accepted`);
  return count;
}

function readTable(input: Reader): Limits & { type: number } {
  const at = input.pos;
  const type = input.u8();
  if (type !== TYPE.funcref && type !== TYPE.externref) {
    const proposal = typeProposalOf(type);
    if (proposal === undefined) input.fail(`has a table of unknown type 0x${type.toString(16)}`);
    throw unsupported(proposal, 'a table', at);
  }
  const flags = input.u8();
  if (flags & 2) throw unsupported('shared-everything threads', 'a shared table', at);
  if (flags & 4) throw unsupported('memory64', 'a table of 64 bits', at);
  return { type, ...readLimits(input, flags) };
}

export function copyGlobals(input: Reader, out: Writer, layout: Layout, firstMoved: number): number {
  const count = input.count('globals', LIMITS.globals);
  for (let i = 0; i < count; i++) {
    const start = input.pos;
    const global = readGlobalType(input, layout);
    out.copy(input.bytes, start, input.pos);
    copyConstant(input, out, layout, firstMoved);
    layout.globals.push(global);
  }
  input.done('the global section');
  return count;
}

function readGlobalType(input: Reader, layout: Layout): { type: number; mutable: boolean } {
  const type = valueType(input, layout);
  const flags = input.u8();
  if (flags & 2) throw unsupported('shared-everything threads', 'a shared global', input.pos - 1);
  if (flags > 1) input.fail(`has a global of unknown form ${flags}`);
  return { type, mutable: flags === 1 };
}

const KINDS: readonly ExternalKind[] = ['function', 'table', 'memory', 'global'];

export function copyExports(input: Reader, out: Writer, layout: Layout, firstMoved: number): number {
  const count = input.count('exports', LIMITS.exports);
  for (let i = 0; i < count; i++) {
    const start = input.pos;
    const name = input.name();
    if (name.startsWith(REEF.exportPrefix))
      input.fail(`exports ${JSON.stringify(name)}, which is reserved (was it rewritten before?)`);
    const kind = KINDS[input.u8()];
    if (kind === undefined) {
      if (input.bytes[input.pos - 1] === 4) throw unsupported('exception handling', 'an exported tag', input.pos - 1);
      input.fail('has an export of unknown kind');
    }
    out.copy(input.bytes, start, input.pos);
    const index = input.u32();
    const spaces = { function: layout.functions, table: layout.tables, global: layout.globals };
    const size = kind === 'memory' ? Number(layout.memory !== undefined) : spaces[kind].length;
    if (index >= size) input.fail(`exports ${kind} ${index} of ${size}`);
    if (kind === 'global' && layout.globals[index]!.mutable) layout.features.add('mutable globals');
    layout.exports.push({ name, kind, type: externalText(layout, kind, index) });
    out.u32(kind === 'function' && index >= firstMoved ? index + 1 : index);
  }
  input.done('the export section');
  return count;
}

function externalText(layout: Layout, kind: ExternalKind, index: number): string {
  if (kind === 'function') return functionTypeText(layout, layout.functions[index]!);
  if (kind === 'global') return globalText(layout.globals[index]!);
  return kind === 'table' ? typeText(layout.tables[index]!.type) : 'memory';
}

function functionTypeText(layout: Layout, index: number): string {
  const type = layout.types[index]!;
  return `(${type.params.map(typeText).join(', ')}) -> (${type.results.map(typeText).join(', ')})`;
}

function globalText(global: { type: number; mutable: boolean }): string {
  return (global.mutable ? 'mutable ' : '') + typeText(global.type);
}

export function typeText(code: number): string {
  return VALUE_TYPES.get(code) ?? 'unknown';
}
