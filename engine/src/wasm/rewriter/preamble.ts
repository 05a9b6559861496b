import { Section } from './layout.ts';
import { LIMITS } from './limits.ts';
import { Reader } from './reader.ts';
import { overLimit, refuse, unsupported } from './refusal.ts';

/** Where the sections stand in a file: `data count` lies between `element` and `code`, `tag` between `memory` and `global`. */
const ORDER = [
  Section.type,
  Section.import,
  Section.function,
  Section.table,
  Section.memory,
  Section.tag,
  Section.global,
  Section.export,
  Section.start,
  Section.element,
  Section.dataCount,
  Section.code,
  Section.data,
] as const;

export interface Sections {
  readonly known: ReadonlyMap<number, Reader>;
  /** Custom sections by name, the first of each; their content may be anything. */
  readonly custom: ReadonlyMap<string, Reader>;
}

/** Finds the sections and checks that they follow each other as they must. Their content is not looked at. */
export function findSections(bytes: Uint8Array): Sections {
  checkPreamble(bytes);
  const known = new Map<number, Reader>();
  const custom = new Map<string, Reader>();
  const input = new Reader(bytes, 8, bytes.length);
  let last = -1;
  while (input.remaining > 0) {
    const at = input.pos;
    const id = input.u8();
    const size = input.u32();
    if (size > input.remaining) {
      throw refuse(`the file is cut short: section ${id} at byte ${at} has ${size} bytes, only ${input.remaining} are there`, {
        offset: at,
      });
    }
    const section = new Reader(bytes, input.pos, input.pos + size);
    input.skip(size);
    if (id === Section.custom) {
      const name = section.name();
      if (!custom.has(name) && custom.size < 1000) custom.set(name, section);
      continue;
    }
    if (id === Section.tag) throw unsupported('exception handling', 'a tag section', at);
    if (id === 14) throw unsupported('string references', 'a section of strings', at);
    const rank = (ORDER as readonly number[]).indexOf(id);
    if (rank < 0) throw refuse(`the file is damaged or no wasm module: section ${id} at byte ${at} is unknown`, { offset: at });
    if (rank <= last)
      throw refuse(`the file is damaged: section ${id} at byte ${at} is repeated or out of order`, { offset: at });
    last = rank;
    known.set(id, section);
  }
  return { known, custom };
}

function checkPreamble(bytes: Uint8Array): void {
  const size = bytes.length;
  if (size > LIMITS.moduleBytes) {
    throw overLimit(
      `it has ${(size / 2 ** 20).toFixed(1)} MiB, at most ${LIMITS.moduleBytes / 2 ** 20} are accepted: build for size, strip debug sections`,
    );
  }
  if (size === 0) throw refuse('the file is empty, expected a wasm module');
  const magic = bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (!magic) throw refuse(`it is no wasm module but ${guess(bytes)}; a module starts with the bytes 00 61 73 6d`);
  if (size < 8) throw refuse(`the file is cut short: it has only ${size} bytes`);
  const version = bytes[4]! | (bytes[5]! << 8);
  const layer = bytes[6]! | (bytes[7]! << 8);
  if (layer === 1) {
    throw refuse('it is a WebAssembly component, not a core module: build for wasm32-wasi (preview 1) instead of wasip2', {
      proposal: 'components',
    });
  }
  if (version !== 1 || layer !== 0) throw refuse(`it has binary version ${version}, layer ${layer}; expected version 1`);
}

function guess(bytes: Uint8Array): string {
  const hex = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 64)).trimStart();
  if (text.startsWith('PK')) return 'a zip archive';
  if (text.startsWith('\x7fELF')) return 'a native program';
  if (text.startsWith('(module') || text.startsWith(';;')) return 'the text format (assemble it first)';
  if (hex.startsWith('1f 8b')) return 'a gzip file (unpack it first)';
  return `something that starts with ${hex}`;
}
