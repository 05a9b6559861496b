/** Functions that turn the texts of columns into other texts: each in place, or in a column beside it. */
import type { Batch } from '../batch/batch.ts';
import { TextOf, type TokenBatch, takeTexts } from '../batch/function-kernel.ts';
import type { Tokens } from '../batch/tokens.ts';
import type { ColumnDeclaration } from '../spec/column-type.ts';
import { list, text } from '../spec/fields.ts';

export const textColumns = {
  columns: list(text('Name of a column.'), 'The columns. Absent and null stay as they are.', { min: 1 }),
  suffix: text('Stands behind the names of the columns that get the result. Without it they are the same ones.', { default: '' }),
};

interface TextColumns {
  readonly columns: readonly string[];
  readonly suffix: string;
}

export function resultColumns({ columns, suffix }: TextColumns): ColumnDeclaration[] {
  return columns.map((name) => ({ name: name + suffix, type: 'string' }));
}

/** Changes the texts of kind `KIND_RAW` in place. */
export type ChangeTexts = (view: TokenBatch, texts: Tokens, column: string) => void;

/** Values that are no strings count as they are spelled; with `TextOf.strings` they stay what they are. */
export function changeTexts(
  batch: Batch,
  { columns, suffix }: TextColumns,
  change: ChangeTexts,
  others: number = TextOf.values,
): void {
  const view = batch as Batch & TokenBatch;
  if (view.rows.length === 0) return;
  for (const column of columns) {
    const tokens = view.tokens(column);
    if (tokens === undefined) continue;
    const texts = takeTexts(view, tokens, others);
    change(view, texts, column);
    view.setTokens(column + suffix, texts);
  }
}
