/** Whether an expression matches anywhere in the strings of a column, in time proportional to their length. */
import type { Batch } from '../../batch/batch.ts';
import { TextOf, type TokenBatch, unlessFull, withFunctionKernel } from '../../batch/function-kernel.ts';
import { KIND_RAW } from '../../batch/kernel-exports.ts';
import { kindOf, takeTokens } from '../../batch/tokens.ts';
import { NO_MATCH } from '../parse/problems.ts';
import { compileRegex } from './program.ts';
import { parseRegex } from './syntax.ts';

/** What is noted of a longer text, a bit for each of its bytes and each choice of the expression, could fill a worker's memory. */
const MOST_BYTES = 1024 * 1024;

/**
 * 1 where the column holds a string that the expression matches; looks only at rows where `needed` is 1. A row whose string is too long
 * to be looked at is rejected: neither answer would be true.
 */
export function findMatches(column: string, pattern: string): (batch: Batch, needed: Uint8Array) => Uint8Array {
  const { words, slots } = compileRegex(parseRegex(pattern));
  return (batch, needed) => {
    const found = new Uint8Array(batch.size);
    const rows = batch.rows.filter((row) => needed[row] === 1);
    const view = batch as Batch & TokenBatch;
    const tokens = rows.length === 0 ? undefined : view.tokens(column);
    if (tokens === undefined) return found;
    const { arena } = view;
    const texts = takeTokens(arena, view.size);
    const problems = arena.take(view.size * 4);
    const rowsPointer = arena.copyOf(rows);
    const expression = arena.copyOf(Uint32Array.of(arena.copyOf(words), arena.take(slots * 4), slots, 0, 0));
    withFunctionKernel(view, (kernel) => {
      // biome-ignore format: one argument list
      unlessFull(kernel.takeTexts(
        tokens.starts, tokens.ends, tokens.kinds, rowsPointer, rows.length, TextOf.strings, texts.starts, texts.ends, texts.kinds,
      ));
      // biome-ignore format: one argument list
      unlessFull(kernel.matchTexts(
        texts.starts, texts.ends, texts.kinds, rowsPointer, rows.length, expression, 1, MOST_BYTES, problems,
      ));
    });
    for (const row of rows) {
      if (kindOf(arena, texts, row) !== KIND_RAW) continue;
      const problem = arena.words[(problems >>> 2) + row];
      if (problem === 0) found[row] = 1;
      else if (problem !== NO_MATCH)
        batch.reject(row, `column ${JSON.stringify(column)} is longer than the ${MOST_BYTES} bytes that matches looks through`);
    }
    return found;
  };
}
