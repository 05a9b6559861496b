import type { Batch } from '../batch/batch.ts';
import {
  loadFunctionKernel,
  TextOf,
  type TokenBatch,
  takeTexts,
  unlessFull,
  withFunctionKernel,
} from '../batch/function-kernel.ts';
import { KIND_RAW } from '../batch/kernel-exports.ts';
import { kindOf, type Tokens } from '../batch/tokens.ts';
import { choice, map, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { missingText } from './row-problems.ts';
import { layOver, noTokens } from './row-tokens.ts';

const settings = {
  columns: map(
    text('Text in which `{{name}}` stands for the value of column `name`.'),
    'Names of columns and what they become. Values that are no strings stand in it as they are spelled in JSON. All are made of the row as it was before.',
  ),
  missing: choice(
    ['reject', 'empty', 'skip'],
    'What becomes of a row in which such a column is absent or null. `reject`: it goes to the error table, with the reason. `empty`: the column counts as an empty text. `skip`: the new column is left out.',
    { default: 'reject' },
  ),
};

type TemplateSettings = Settings<typeof settings>;

/** A literal, or a column in its place. */
type Part = { readonly literal: string } | { readonly column: string };

interface Template {
  readonly target: string;
  readonly parts: readonly Part[];
}

export default batchFunction({
  summary: 'Puts columns together to a text.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'A sentence and a key',
      yaml: 'id: texts\nkind: function\ntype: template\nsettings:\n  columns:\n    title: "{{place}}: magnitude {{magnitude}}"\n    key: "{{site}}/{{id}}"\n',
      input: [{ id: 7, site: 'north', place: 'Hualian', magnitude: 6.4 }],
    },
  ],
  check,
  reads: (given) => Array.from(new Set(templatesOf(given).flatMap(({ parts }) => columnsOf(parts)))),
  writes: ({ columns }) => Object.keys(columns).map((name) => ({ name, type: 'string' })),
  open: ({ settings: given }) => {
    loadFunctionKernel();
    const templates = templatesOf(given);
    return { apply: (batch) => apply(batch, templates, given.missing) };
  },
});

function apply(batch: Batch, templates: readonly Template[], missing: TemplateSettings['missing']): void {
  const view = batch as Batch & TokenBatch;
  if (view.rows.length === 0) return;
  const texts = new Map<string, Tokens>();
  for (const name of templates.flatMap(({ parts }) => columnsOf(parts))) {
    if (texts.has(name)) continue;
    const tokens = view.tokens(name);
    texts.set(name, tokens === undefined ? noTokens(view) : takeTexts(view, tokens, TextOf.values));
  }
  const { rows } = view;
  const made = templates.map(({ target, parts }) => {
    const { tokens, lacking } = join(view, parts, texts, missing === 'empty');
    if (missing === 'reject' && lacking > 0) rejectLacking(batch, parts, texts, rows);
    return { target, tokens };
  });
  for (const { target, tokens } of made) layOver(view, target, tokens);
}

/** Words of a part as engine/kernel/assembly/functions/join.ts reads it. */
const PART_WORDS = 4;

function join(
  view: TokenBatch,
  parts: readonly Part[],
  texts: ReadonlyMap<string, Tokens>,
  lenient: boolean,
): { tokens: Tokens; lacking: number } {
  const { arena, rowsPointer, rows } = view;
  const words = new Uint32Array(parts.length * PART_WORDS);
  for (const [i, part] of parts.entries()) {
    if ('literal' in part) {
      const { pointer, length } = arena.text(part.literal);
      words.set([0, pointer, length, 0], i * PART_WORDS);
    } else {
      const { starts, ends, kinds } = texts.get(part.column)!;
      words.set([1, starts, ends, kinds], i * PART_WORDS);
    }
  }
  const program = arena.copyOf(words);
  const tokens = noTokens(view);
  const { starts, ends, kinds } = tokens;
  const lacking = withFunctionKernel(view, (kernel) =>
    unlessFull(kernel.joinTexts(program, parts.length, rowsPointer, rows.length, lenient ? 1 : 0, starts, ends, kinds)),
  );
  return { tokens, lacking };
}

function rejectLacking(batch: Batch, parts: readonly Part[], texts: ReadonlyMap<string, Tokens>, rows: Uint32Array): void {
  const { arena } = batch as Batch & TokenBatch;
  for (const name of columnsOf(parts)) {
    for (const row of rows) {
      const kind = kindOf(arena, texts.get(name)!, row);
      if (kind !== KIND_RAW) batch.reject(row, missingText(kind, name, 'a value'));
    }
  }
}

function columnsOf(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => ('column' in part ? [part.column] : []));
}

function templatesOf({ columns }: TemplateSettings): Template[] {
  return Object.entries(columns).map(([target, template]) => {
    const parts = parseTemplate(template);
    return { target, parts: typeof parts === 'string' ? [] : parts };
  });
}

/** The parts of a template, or what is wrong with it. */
function parseTemplate(template: string): readonly Part[] | string {
  const wrong = (what: string): string => `is ${JSON.stringify(template)}, ${what}`;
  const parts: Part[] = [];
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{{', at);
    const stop = open < 0 ? template.length : open;
    if (stop > at) parts.push({ literal: template.slice(at, stop) });
    if (open < 0) break;
    const close = template.indexOf('}}', open);
    if (close < 0) return wrong(`where {{ at place ${open + 1} is not closed, expected }} behind the name`);
    const column = template.slice(open + 2, close).trim();
    if (column === '' || column.includes('{'))
      return wrong(`where {{ at place ${open + 1} is not followed by the name of a column and }}`);
    parts.push({ column });
    at = close + 2;
  }
  return parts;
}

function check({ columns }: TemplateSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  if (Object.keys(columns).length === 0)
    issues.push({ path: ['columns'], message: 'columns is empty, expected at least one column' });
  for (const [name, template] of Object.entries(columns)) {
    const parts = parseTemplate(template);
    if (typeof parts === 'string') issues.push({ path: ['columns', name], message: `columns.${name} ${parts}` });
  }
  return issues;
}
