/** A decoder over memory of its own, for tests and micro benchmarks of what works on batches. */
import type { Codec } from '../spec/plan.ts';
import { createDecoder } from './decoder.ts';
import { type KernelVariant, loadKernelModule } from './kernel-module.ts';
import type { Decoded, DecodeRequest, RowView } from './row-batch.ts';

const MIB = 1 << 20;
const IN = 1 * MIB;

export interface TestBench {
  /** Puts text where a slot would be and decodes it. */
  decode(text: string | Uint8Array, request?: Partial<DecodeRequest>): Decoded;
  decodeText(text: string): Decoded;
  /** Encodes all live rows, in as many pieces as `room` (bytes of the output) makes necessary. */
  encode(view: RowView, codec?: Codec | 'json' | 'line', room?: number): string;
  /** The same as values; each row parsed. */
  rows(view: RowView): unknown[];
  readonly memory: WebAssembly.Memory;
  /** Pointer to the input. */
  readonly input: number;
  encodeTo: ReturnType<typeof createDecoder>['encode'];
  /** Bounds of the output. */
  readonly output: { readonly start: number; readonly end: number };
}

const modules = new Map<KernelVariant, WebAssembly.Module>();

export interface TestBenchOptions {
  readonly columns?: readonly string[];
  readonly variant?: KernelVariant;
  readonly maxRows?: number;
  /** Bytes of the arena, of the input and of the output, in MiB. */
  readonly arena?: number;
  readonly slot?: number;
}

export function testBench({
  columns = [],
  variant = 'simd',
  maxRows = 1024,
  arena = 8,
  slot = 4,
}: TestBenchOptions = {}): TestBench {
  let module = modules.get(variant);
  if (module === undefined) {
    module = loadKernelModule(variant);
    modules.set(variant, module);
  }
  const pages = ((1 + 2 * slot + arena) * MIB) / 65_536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const output = { start: IN + slot * MIB, end: IN + 2 * slot * MIB };
  const bytes = Buffer.from(memory.buffer as ArrayBuffer);
  const decoder = createDecoder({ memory, kernel: module, maxRows, arena: { start: output.end, end: output.end + arena * MIB } });
  decoder.setColumns(columns);
  const side = { offset: 0, idPrefix: 'test:', timestamp: 1_700_000_000_000 };
  const encode = (view: RowView, given: Codec | 'json' | 'line' = 'json', room = slot * MIB): string => {
    const codec = typeof given === 'string' ? { name: given } : given;
    let text = '';
    for (let from = 0; from < view.rows.length; ) {
      const { rows, bytes: written } = decoder.encode(view, codec, from, 1 << 20, output.start, output.start + room, 0);
      if (rows === 0) throw new Error(`row ${view.rows[from]} does not fit ${room} bytes`);
      text += bytes.toString('utf8', output.start, output.start + written);
      from += rows;
    }
    return text;
  };
  return {
    decode(text, request) {
      const length = Buffer.from(text as string).copy(bytes, IN, 0, slot * MIB - 64);
      return decoder.decode({ from: IN, to: IN + length, last: true, codec: { name: 'json' }, ...side, ...request });
    },
    decodeText: (text) => decoder.decodeText(text, side),
    encode,
    rows(view) {
      const text = encode(view);
      return text
        .split('\n')
        .slice(0, -1)
        .map((row) => JSON.parse(row));
    },
    memory,
    input: IN,
    encodeTo: decoder.encode.bind(decoder),
    output,
  };
}
