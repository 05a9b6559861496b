import { columnArguments, loadFunctionKernel, unlessFull, withFunctionKernel } from '../batch/function-kernel.ts';
import { choice, integer, list, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { changeTexts, resultColumns, textColumns } from './text-columns.ts';

const patterns = ['email', 'card'] as const;

const settings = {
  ...textColumns,
  keep_first: integer('Characters at the beginning that stay.', { default: 0, min: 0, max: 1_000_000 }),
  keep_last: integer(
    'Characters at the end that stay. A value that has no more characters than stay at both ends is hidden as a whole.',
    { default: 0, min: 0, max: 1_000_000 },
  ),
  character: text('Stands for what is hidden.', { default: '*', pattern: /^[^\p{C}\p{M}]$/u }),
  length: integer(
    'How many of them, whatever was hidden. Without it one for each character, which tells how long the value was.',
    {
      optional: true,
      min: 1,
      max: 64,
    },
  ),
  patterns: list(
    choice(patterns, 'A pattern.'),
    'Hides only what looks like these, anywhere in the text. `email`: of the part before the @ the first character stays, three marks follow. `card`: of a number of 13 to 19 digits, in groups or not, whose check digit is right, the last four stay.',
    { optional: true, min: 1 },
  ),
};

type MaskSettings = Settings<typeof settings>;

export default batchFunction({
  summary: 'Hides parts of texts.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'The last four digits of an account stay',
      yaml: 'id: hidden\nkind: function\ntype: mask\nsettings:\n  columns: [account]\n  keep_last: 4\n',
      input: [{ account: 'DE02120300000000202051' }, { account: 'abc' }],
    },
    {
      title: 'Addresses and card numbers in messages',
      yaml: 'id: hidden\nkind: function\ntype: mask\nsettings:\n  columns: [message]\n  patterns: [email, card]\n',
      input: [{ message: 'jo.doe@example.org paid with 4111 1111 1111 1111' }],
    },
  ],
  check,
  reads: ({ columns }) => columns,
  writes: resultColumns,
  open: ({ settings: given }) => {
    loadFunctionKernel();
    const { character, keep_first: first, keep_last: last, length = 0 } = given;
    const bits = (given.patterns ?? []).reduce((all, name) => all | (1 << patterns.indexOf(name)), 0);
    return {
      apply: (batch) =>
        changeTexts(batch, given, (view, texts) => {
          const mark = view.arena.text(character);
          const column = columnArguments(view, texts);
          withFunctionKernel(view, (kernel) =>
            unlessFull(
              bits > 0
                ? kernel.maskPatterns(...column, bits, mark.pointer, mark.length)
                : kernel.maskEnds(...column, first, last, length, mark.pointer, mark.length),
            ),
          );
        }),
    };
  },
});

function check({ patterns: named, keep_first: first, keep_last: last, length }: MaskSettings): SettingIssue[] {
  if (named === undefined || (first === 0 && last === 0 && length === undefined)) return [];
  return [{ path: ['patterns'], message: 'patterns stands beside keep_first, keep_last or length, which are for whole values' }];
}
