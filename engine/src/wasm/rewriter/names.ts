import { ReefError } from '../../errors.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/**
 * The name section, with functions by their new numbers: it is what makes a stack trace of a trap readable.
 * Names of locals, types and so on are dropped. Custom sections may hold anything; a bad one counts as absent.
 */
export interface Names {
  readonly module: string | undefined;
  /** Content of the new section behind its own name; empty when there is nothing to write. */
  readonly functions: Uint8Array;
}

/** Names beyond this cost memory in every process and help nobody. */
const MAX_NAMES_BYTES = 4 * 1024 * 1024;

export function readNames(section: Reader | undefined, functions: number, firstMoved: number): Names {
  let module: string | undefined;
  let names: Uint8Array = new Uint8Array();
  try {
    const input = section === undefined ? undefined : new Reader(section.bytes, section.pos, section.end);
    while (input !== undefined && input.remaining > 0) {
      const id = input.u8();
      const size = input.u32();
      const sub = new Reader(input.bytes, input.pos, input.pos + size);
      input.skip(size);
      if (id === 0) module = sub.name();
      if (id === 1 && size <= MAX_NAMES_BYTES) names = moveNames(sub, functions, firstMoved);
    }
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
  }
  return { module, functions: names };
}

function moveNames(input: Reader, functions: number, firstMoved: number): Uint8Array {
  const out = new Writer(input.remaining + 1024, MAX_NAMES_BYTES * 2, () => new RangeError('names are too large'));
  const count = input.count('names', functions);
  out.u32(count);
  for (let i = 0; i < count; i++) {
    const index = input.u32();
    out.u32(index >= firstMoved ? index + 1 : index);
    const start = input.pos;
    input.skip(input.u32());
    out.copy(input.bytes, start, input.pos);
  }
  return out.finish();
}

/** `Rust 1.63.0`, `clang 14.0.6`: what the module says of its making. */
export function readProducers(section: Reader | undefined): string[] {
  const found: string[] = [];
  if (section === undefined) return found;
  try {
    const input = new Reader(section.bytes, section.pos, section.end);
    for (let fields = input.count('fields', 10); fields > 0; fields--) {
      const field = input.name();
      for (let values = input.count('values', 100); values > 0; values--) {
        const text = `${input.name()} ${input.name()}`.trim();
        if (field !== 'sdk' && text.length < 200) found.push(text);
      }
    }
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
  }
  return found;
}
