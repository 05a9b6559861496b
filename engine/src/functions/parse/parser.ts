/** What the formats of `parse` have in common: each reads the texts of a column into fields, which become columns. */
import type { Arena } from '../../batch/arena.ts';
import { type FunctionKernel, type TokenBatch, unlessFull, withFunctionKernel } from '../../batch/function-kernel.ts';
import type { Tokens } from '../../batch/tokens.ts';

export interface Field {
  readonly name: string;
  readonly tokens: Tokens;
}

/** The texts of a batch. */
export interface Texts {
  readonly view: TokenBatch;
  /** Of kind `KIND_RAW` where there is a text. */
  readonly tokens: Tokens;
  readonly rows: Uint32Array;
  readonly rowsPointer: number;
  /** Pointer to a u32 for every row: 0, or a problem's code in the low 8 bits and the byte where it was seen in the others. */
  readonly problems: number;
}

export interface Parser {
  /** Kinds beside strings that it reads, one bit each. */
  readonly others: number;
  /** Reads all texts, and says in `problems` which it could not read. Those rows have none of the fields. */
  read(texts: Texts): Field[];
}

export interface FieldNames {
  /** The fields, in this order; `undefined`: whatever is found. */
  readonly names: readonly string[] | undefined;
  /** Most fields that a batch may have. */
  readonly limit: number;
}

/** Opens fields, calls what reads the texts into them, and collects what was found. */
export function readFields(view: TokenBatch, { names, limit }: FieldNames, read: (kernel: FunctionKernel) => number): Field[] {
  const { arena, size } = view;
  const known = (names ?? []).map((name) => arena.text(name));
  return withFunctionKernel(view, (kernel) => {
    unlessFull(kernel.openFields(size, names?.length ?? limit, names === undefined ? 1 : 0));
    for (const { pointer, length } of known) unlessFull(kernel.addField(pointer, length));
    unlessFull(read(kernel));
    return collect(kernel, arena, size);
  });
}

/** Words of an entry in the module's table of fields: name, its length, column. */
const ENTRY_WORDS = 4;

function collect(kernel: FunctionKernel, arena: Arena, size: number): Field[] {
  const entries = kernel.fieldEntries() >>> 2;
  const fields: Field[] = [];
  for (let i = 0; i < kernel.fieldCount(); i++) {
    const [name, length, starts] = arena.words.subarray(entries + i * ENTRY_WORDS, entries + i * ENTRY_WORDS + 3);
    fields.push({
      name: arena.bytes.toString('utf8', name!, name! + length!),
      tokens: { starts: starts!, ends: starts! + size * 4, kinds: starts! + size * 8 },
    });
  }
  return fields;
}
