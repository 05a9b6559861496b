/**
 * A JSON document that comes in pieces (an array of objects, or objects one behind the other, over any number of lines) as lines of
 * one element each. Only the frame is judged here; whether an element is valid is for whoever reads the lines to say, row by row.
 */

import type { ScanExports } from '../batch/kernel-abi.ts';
import type { KernelExports } from '../batch/kernel-exports.ts';
import { instantiateKernel, loadKernelModule } from '../batch/kernel-module.ts';
import { ReefError } from '../errors.ts';
import { documentEnded, type SplitState, splitProblems } from './json-split.ts';

const PAGE = 65_536;
/** The kernel's constants lie below; then the state, the input, the output. */
const STATE = PAGE;
const INPUT = 2 * PAGE;
const INPUT_BYTES = 4 * PAGE;
const OUTPUT = INPUT + INPUT_BYTES + PAGE;
/** An object of two bytes becomes a line of three. */
const OUTPUT_BYTES = 7 * PAGE;

/** Pieces are good until the next one is asked for. `subject` is for messages: a path. Rejects with a `ReefError` at a wrong frame. */
export async function* documentLines(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  subject: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pages = (OUTPUT + OUTPUT_BYTES) / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const bytes = Buffer.from(memory.buffer as ArrayBuffer);
  const kernel = instantiateKernel<ScanExports & Pick<KernelExports, 'splitJson'>>(loadKernelModule(), memory);
  kernel.reset(STATE, INPUT);
  const state = kernel.alloc(32);
  const words = new Uint32Array(memory.buffer, state, 8);
  let taken = 0;
  const wrong = (what: string): ReefError =>
    new ReefError('io', `Cannot read ${subject}: it ${what}, at byte ${taken}, expected a JSON array of objects, or objects`);
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += INPUT_BYTES) {
      const part = piece.subarray(at, at + INPUT_BYTES);
      bytes.set(part, INPUT);
      const behind = kernel.splitJson(state, INPUT, INPUT + part.length, OUTPUT, OUTPUT + OUTPUT_BYTES);
      taken += behind - INPUT;
      const [, , , , , outEnd, error] = words as unknown as SplitState;
      if (outEnd > OUTPUT) yield bytes.subarray(OUTPUT, outEnd);
      if (error !== 0) throw wrong(splitProblems[error]!);
    }
  }
  const [phase] = words as unknown as SplitState;
  if (!documentEnded(phase)) throw wrong('ends too early');
}
