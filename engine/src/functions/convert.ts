import type { Batch } from '../batch/batch.ts';
import { convertTokens } from '../batch/conversion.ts';
import { loadFunctionKernel, type TokenBatch } from '../batch/function-kernel.ts';
import { copyTokens } from '../batch/tokens.ts';
import { type ColumnType, columnTypeAliases } from '../spec/column-type.ts';
import { choice, group, list, map, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { copyToken, layOver, setNull } from './row-tokens.ts';
import { convertTimes, type TimeConversion } from './time-column.ts';
import { compileTimeFormat, timeFormatNames, timeFormatProblem } from './time-format.ts';
import { zoneOf, zoneProblem } from './time-zone.ts';

const formatDoc = `${timeFormatNames.map((name) => `\`${name}\``).join(', ')}, or a pattern such as \`%Y-%m-%d %H:%M:%S\``;

const time = {
  column: text('The column that holds the time, as a string or number.'),
  from: list(
    text(`A format: ${formatDoc}.`),
    'How the time is written; the first format that fits counts. Without a year it is the last one that is not more than a month ahead of the time of arrival.',
    { default: ['iso'], min: 1 },
  ),
  to: text(`How to write it, in UTC: ${formatDoc}. An epoch becomes an integer, anything else a string.`, { default: 'iso' }),
  zone: text('Zone of times that do not say one: an offset such as `+02:00`, or a name such as `Europe/Paris`.', {
    default: 'UTC',
  }),
  to_column: text('Column that gets the time. Without it, `column` itself.', { optional: true }),
};

const settings = {
  columns: map(
    choice(Object.keys(columnTypeAliases), 'The type.'),
    'Columns and the types that their values are converted to, by the same rules as declared columns. Absent and null stay as they are.',
    { default: {} },
  ),
  times: list(group(time, 'A time.'), 'Times to write in another way.', { default: [] }),
  on_error: choice(
    ['reject', 'keep', 'set_null'],
    'What becomes of a value that cannot be converted. `reject`: its row goes to the error table, with the reason. `keep`: the value stays as it was. `set_null`: it becomes null.',
    { default: 'reject' },
  ),
};

type ConvertSettings = Settings<typeof settings>;

export default batchFunction({
  summary: 'Converts columns to types, and times from one format to another.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'Types',
      yaml: 'id: typed\nkind: function\ntype: convert\nsettings:\n  columns: {status: integer, took: float}\n  on_error: set_null\n',
      input: [
        { status: '200', took: 1 },
        { status: '-', took: '0.5' },
      ],
    },
    {
      title: 'Local times to milliseconds since 1970',
      yaml: 'id: times\nkind: function\ntype: convert\nsettings:\n  times:\n    - column: at\n      from: [iso, "%d/%m/%Y %H:%M"]\n      to: epoch_ms\n      zone: Europe/Paris\n',
      input: [{ at: '2026-11-24T08:00:00Z' }, { at: '24/07/2026 09:30' }],
    },
  ],
  check,
  reads: ({ columns, times }) => Array.from(new Set([...Object.keys(columns), ...times.map(({ column }) => column)])),
  writes: ({ columns, times }) => [
    ...Object.entries(columns).map(([name, type]) => ({ name, type: columnTypeAliases[type]! })),
    ...times.map(({ column, to, to_column: target = column }) => ({
      name: target,
      type: to.startsWith('epoch_') ? ('integer' as const) : ('string' as const),
    })),
  ],
  open: ({ settings: given }) => {
    const times = given.times.map(timeOf);
    if (times.length > 0) loadFunctionKernel();
    const columns = Object.entries(given.columns).map(([name, type]): [string, ColumnType] => [name, columnTypeAliases[type]!]);
    return { apply: (batch) => new Conversion(batch, given.on_error).run(columns, times) };
  },
});

class Conversion {
  readonly #batch: Batch;
  readonly #view: TokenBatch;
  readonly #onError: ConvertSettings['on_error'];

  constructor(batch: Batch, onError: ConvertSettings['on_error']) {
    this.#batch = batch;
    this.#view = batch as Batch & TokenBatch;
    this.#onError = onError;
  }

  run(columns: readonly (readonly [string, ColumnType])[], times: readonly TimeConversion[]): void {
    for (const [name, type] of columns) this.#convert(name, type);
    for (const conversion of times) this.#convertTimes(conversion);
  }

  #convert(name: string, type: ColumnType): void {
    const { arena, size, rowsPointer, rows } = this.#view;
    const tokens = this.#view.tokens(name);
    if (tokens === undefined) return;
    const converted = convertTokens(arena, tokens, { name, type, size, rows: rowsPointer, rowCount: rows.length });
    if (converted.rejections.length > 0 && this.#onError === 'set_null') {
      const nulls = copyTokens(arena, converted.tokens, size);
      const pointer = arena.text('null').pointer;
      for (const { row } of converted.rejections) setNull(this.#view, nulls, row, pointer);
      this.#view.setTokens(name, nulls);
      return;
    }
    if (this.#onError === 'reject') for (const { row, reason } of converted.rejections) this.#batch.reject(row, reason);
    // A value that was refused stands in the converted column as it was.
    if (converted.tokens !== tokens) this.#view.setTokens(name, converted.tokens);
  }

  #convertTimes(conversion: TimeConversion): void {
    const { column, target } = conversion;
    const view = this.#view;
    const from = view.tokens(column);
    if (from === undefined) return;
    const { tokens, refused } = convertTimes(view, from, conversion);
    const { arena } = view;
    const pointer = arena.text('null').pointer;
    for (const { row, reason } of refused) {
      if (this.#onError === 'reject') this.#batch.reject(row, reason);
      else if (this.#onError === 'set_null') setNull(view, tokens, row, pointer);
      else if (target === column) copyToken(view, from, tokens, row);
    }
    if (target === column) view.setTokens(target, tokens);
    else layOver(view, target, tokens);
  }
}

function timeOf({ column, from, to, zone, to_column: target = column }: ConvertSettings['times'][number]): TimeConversion {
  const programs = from.map((format) => compileTimeFormat(format, 'read').bytes);
  return {
    column,
    target,
    programs: Buffer.concat([...programs, Buffer.of(0)]),
    formats: from,
    to: compileTimeFormat(to, 'write'),
    toName: to,
    zone: zoneOf(zone),
  };
}

function check({ columns, times }: ConvertSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  if (Object.keys(columns).length + times.length === 0)
    issues.push({ path: [], message: 'has nothing to convert, expected columns or times' });
  for (const [i, { column, from, to, zone, to_column: target = column }] of times.entries()) {
    const complain = (key: string, index: number | undefined, problem: string | undefined): void => {
      if (problem === undefined) return;
      const path = index === undefined ? ['times', i, key] : ['times', i, key, index];
      issues.push({ path, message: `times[${i}].${key}${index === undefined ? '' : `[${index}]`} ${problem}` });
    };
    for (const [j, format] of from.entries()) complain('from', j, timeFormatProblem(format, 'read'));
    complain('to', undefined, timeFormatProblem(to, 'write'));
    complain('zone', undefined, zoneProblem(zone));
    if (Object.hasOwn(columns, target))
      complain('to_column', undefined, `is "${target}", which stands in columns as well, expected one of both`);
  }
  return issues;
}
