import { loadFunctionKernel } from '../../batch/function-kernel.ts';
import { type ColumnDeclaration, columnTypeAliases } from '../../spec/column-type.ts';
import { choice, flag, group, integer, list, map, type Settings, text } from '../../spec/fields.ts';
import { batchFunction } from '../../spec/function.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { rowsOnly } from '../../spec/security.ts';
import { syslogColumns } from '../../spec/syslog-columns.ts';
import { onErrorDoc } from '../row-problems.ts';
import { offsetProblem, zoneOf, zoneProblem } from '../time-zone.ts';
import { type ParseOptions, parseBatch } from './apply.ts';
import { csvParser, jsonParser, pairParser, syslogParser, syslogStandards } from './formats.ts';
import { type GrokOptions, grokFields, grokParser, grokProblem } from './grok.ts';
import type { Parser } from './parser.ts';

const formats = ['json', 'csv', 'key_value', 'syslog', 'grok'] as const;

const column = {
  name: text('Name of the field in the text, and (behind `prefix`) of the column.'),
  type: choice(Object.keys(columnTypeAliases), 'Type that the value is converted to; `any` keeps it as the format has it.', {
    default: 'any',
  }),
};

const csv = {
  separator: text('The one character (ASCII) between values.', { default: ',', pattern: /^[^\u0080-\uffff"\r\n]$/ }),
  quotes: flag('Whether values may stand in double quotes, where two of them stand for one.', { default: true }),
  strict: flag(
    'Whether a text must have as many values as there are columns. Otherwise columns may be absent, and further values are dropped.',
    {
      default: true,
    },
  ),
  skip_empty: flag('Whether an empty value without quotes leaves its column out, instead of making it an empty string.', {
    default: false,
  }),
};

const keyValue = {
  pair_separator: text('What stands between pairs. A blank stands for any number of blanks and tabs.', {
    default: ' ',
    pattern: /^./su,
  }),
  key_separator: text('What stands between a key and its value.', { default: '=', pattern: /^./su }),
  quotes: flag(
    'Whether keys and values may stand in double quotes. In a quoted value `\\"`, `\\\\`, `\\n`, `\\r` and `\\t` are escapes.',
    {
      default: true,
    },
  ),
  standalone_keys: flag('Whether a key without a value becomes true. Otherwise it is an error.', { default: true }),
};

const syslog = {
  standard: choice(syslogStandards, 'Which header to expect; `auto` tells by the version behind the priority.', {
    default: 'auto',
  }),
  utc_offset: text('Zone of times that do not say one (RFC 3164), such as `+02:00`.', { default: '+00:00' }),
  timezone: text('The same by name, such as `Europe/Paris`, whose offset changes in the year; in place of `utc_offset`.', {
    optional: true,
  }),
  lenient: flag(
    'Whether a text without a header that can be read is no error: its priority counts where it has one, and the rest is its message.',
    { default: false },
  ),
};

const grok = {
  patterns: list(
    text(
      'A pattern such as `%{IP:client} %{NUMBER:took:float}`; around the references stand regular expressions (what RE2 knows of them).',
    ),
    'Tried in this order; the first that the text matches anywhere counts (`^` and `$` stand for the ends of the text).',
    { min: 1 },
  ),
  definitions: map(
    text('The pattern.'),
    'Patterns of your own by name, for `%{NAME}`. Those that grok users know are there already.',
    {
      default: {},
    },
  ),
  max_text_bytes: integer('Longer texts are not looked at: the time that a match takes grows with the length.', {
    default: 65_536,
    min: 1,
    max: 16_777_216,
    unit: 'bytes',
  }),
};

const settings = {
  column: text('The column that holds the text.'),
  format: choice(
    formats,
    'How to read the text. `json`: a JSON object, each member becomes a column. `csv`: one record, its values are the `columns` in their order. `key_value`: pairs such as `level=info user="Jo Doe"`. `syslog`: a message with its RFC 5424 or RFC 3164 header. `grok`: whatever the patterns say.',
  ),
  columns: list(group(column, 'A column.'), 'The columns to make. Without them: all that are found (`csv` needs them).', {
    optional: true,
    min: 1,
  }),
  prefix: text('Stands before the names of all columns that are made.', { default: '' }),
  remove_column: flag('Whether `column` is removed from rows that were parsed.', { default: false }),
  on_error: choice(['reject', 'keep'], onErrorDoc, { default: 'reject' }),
  max_fields: integer('Most different fields that one batch of rows may have, where `columns` does not say them.', {
    default: 256,
    min: 1,
    max: 1024,
  }),
  csv: group(csv, 'For `format: csv`.', { optional: true }),
  key_value: group(keyValue, 'For `format: key_value`.', { optional: true }),
  syslog: group(syslog, 'For `format: syslog`.', { optional: true }),
  grok: group(grok, 'For `format: grok`, which needs it.', { optional: true }),
};

type ParseSettings = Settings<typeof settings>;

export default batchFunction({
  summary: 'Reads the text in a column, and makes columns of what it holds.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'JSON inside a column',
      yaml: 'id: body\nkind: function\ntype: parse\nsettings:\n  column: message\n  format: json\n  remove_column: true\n',
      input: [
        { id: 1, message: '{"user":"jo","ok":true}' },
        { id: 2, message: '{"user":' },
      ],
    },
    {
      title: 'A line of CSV with types',
      yaml: 'id: reading\nkind: function\ntype: parse\nsettings:\n  column: line\n  format: csv\n  columns:\n    - {name: station}\n    - {name: celsius, type: float}\n  csv: {separator: ";"}\n',
      input: [{ line: 'Jarm;21.5' }, { line: 'Hualian;warm' }],
    },
    {
      title: 'Key and value',
      yaml: 'id: pairs\nkind: function\ntype: parse\nsettings:\n  column: line\n  format: key_value\n  columns:\n    - {name: level}\n    - {name: status, type: integer}\n  on_error: keep\n',
      input: [{ line: 'level=info status=200' }, { line: 'level="very low" status=none' }],
    },
    {
      title: 'Lines of a web server',
      yaml: "id: request\nkind: function\ntype: parse\nsettings:\n  column: line\n  format: grok\n  grok:\n    patterns: ['^%{IP:client} %{WORD:verb} %{URIPATHPARAM:path} %{NUMBER:took:float}$']\n",
      input: [{ line: '192.0.2.1 GET /index.html?x=1 0.25' }, { line: 'nonsense' }],
    },
    {
      title: 'Syslog',
      yaml: 'id: header\nkind: function\ntype: parse\nsettings:\n  column: line\n  format: syslog\n  syslog: {utc_offset: "+02:00"}\n',
      input: [{ line: '<34>1 2026-11-23T22:14:15.003Z web1 su 12 ID47 - failed for jo' }],
    },
  ],
  check,
  reads: ({ column: name }) => [name],
  writes,
  writesOthers: (given) => fieldsOf(given) === undefined,
  removes: (given) =>
    given.remove_column && given.on_error === 'reject' && !writes(given).some(({ name }) => name === given.column)
      ? [given.column]
      : [],
  open: ({ settings: given }) => {
    loadFunctionKernel();
    const parser = parserOf(given);
    const typed = given.format === 'syslog' && given.columns === undefined ? [] : (fieldsOf(given) ?? []);
    const options: ParseOptions = {
      column: given.column,
      prefix: given.prefix,
      types: new Map(typed.map(({ name, type }) => [name, type])),
      removeColumn: given.remove_column,
      onError: given.on_error,
    };
    return { apply: (batch) => parseBatch(batch, parser, options) };
  },
});

/** The fields that may be found; `undefined`: any. */
function fieldsOf({ columns, format, grok: given }: ParseSettings): readonly ColumnDeclaration[] | undefined {
  if (columns !== undefined) return columns.map(({ name, type }) => ({ name, type: columnTypeAliases[type]! }));
  if (format === 'grok' && given !== undefined) return fieldsOfGrok(given);
  return format === 'syslog' ? syslogColumns : undefined;
}

function writes(given: ParseSettings): ColumnDeclaration[] {
  return (fieldsOf(given) ?? []).map(({ name, type }) => ({ name: given.prefix + name, type }));
}

/** Asked for in every batch. */
const knownGrokFields = new WeakMap<object, readonly ColumnDeclaration[]>();

function fieldsOfGrok(given: NonNullable<ParseSettings['grok']>): readonly ColumnDeclaration[] {
  const fields = knownGrokFields.get(given) ?? grokFields(grokOptions(given));
  knownGrokFields.set(given, fields);
  return fields;
}

function grokOptions({ patterns, definitions, max_text_bytes }: NonNullable<ParseSettings['grok']>): GrokOptions {
  return { patterns, definitions, maxTextBytes: max_text_bytes };
}

function parserOf(given: ParseSettings): Parser {
  const names = fieldsOf(given)?.map(({ name }) => name);
  const fields = { names, limit: given.max_fields };
  switch (given.format) {
    case 'json':
      return jsonParser(fields);
    case 'csv': {
      const { separator = ',', quotes = true, strict = true, skip_empty = false } = given.csv ?? {};
      return csvParser(fields, { separator, quotes, strict, skipEmpty: skip_empty });
    }
    case 'key_value': {
      const { pair_separator = ' ', key_separator = '=', quotes = true, standalone_keys = true } = given.key_value ?? {};
      const pairSeparator = pair_separator.trim() === '' ? '' : pair_separator;
      return pairParser(fields, { pairSeparator, keySeparator: key_separator, quotes, standaloneKeys: standalone_keys });
    }
    case 'grok':
      return grokParser(names!, grokOptions(given.grok!));
    default: {
      const { standard = 'auto', utc_offset = '+00:00', timezone = utc_offset, lenient = false } = given.syslog ?? {};
      return syslogParser(names!, { standard, zone: zoneOf(timezone), lenient });
    }
  }
}

function check(given: ParseSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const complain = (path: SettingIssue['path'], message: string): void => {
    issues.push({ path, message });
  };
  for (const name of ['csv', 'key_value', 'syslog', 'grok'] as const) {
    if (given[name] !== undefined && given.format !== name)
      complain([name], `${name} is for format ${name}, but format is ${given.format}`);
  }
  if (given.format === 'csv' && given.columns === undefined)
    complain([], 'has format csv but no columns, expected the names of its values');
  const taken = new Set<string>();
  for (const [i, { name }] of (given.columns ?? []).entries()) {
    if (taken.has(name))
      complain(['columns', i, 'name'], `columns[${i}].name is "${name}", which stands there twice, expected another name`);
    taken.add(name);
    if (given.format === 'syslog' && !syslogColumns.some((field) => field.name === name)) {
      const names = syslogColumns.map((field) => field.name).join(', ');
      complain(['columns', i, 'name'], `columns[${i}].name is "${name}", expected one of ${names}`);
    }
  }
  issues.push(...checkGrok(given));
  const zone = given.syslog && offsetProblem(given.syslog.utc_offset);
  if (zone !== undefined) complain(['syslog', 'utc_offset'], `syslog.utc_offset ${zone}`);
  const named = given.syslog?.timezone === undefined ? undefined : zoneProblem(given.syslog.timezone);
  if (named !== undefined) complain(['syslog', 'timezone'], `syslog.timezone ${named}`);
  return issues;
}

function checkGrok({ format, grok: given, columns }: ParseSettings): SettingIssue[] {
  if (format !== 'grok') return [];
  if (given === undefined) return [{ path: [], message: 'has format grok but no grok, expected its patterns' }];
  const { patterns, definitions } = given;
  const issues: SettingIssue[] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const problem = grokProblem(definition, definitions);
    if (problem !== undefined)
      issues.push({ path: ['grok', 'definitions', name], message: `grok.definitions.${name} ${problem}` });
  }
  if (issues.length > 0) return issues;
  for (const [i, pattern] of patterns.entries()) {
    const problem = grokProblem(pattern, definitions);
    if (problem !== undefined) issues.push({ path: ['grok', 'patterns', i], message: `grok.patterns[${i}] ${problem}` });
  }
  if (issues.length > 0) return issues;
  const fields = fieldsOfGrok(given).map(({ name }) => name);
  for (const [i, { name }] of (columns ?? []).entries()) {
    if (!fields.includes(name)) {
      issues.push({
        path: ['columns', i, 'name'],
        message: `columns[${i}].name is "${name}", which no pattern gives, expected one of ${fields.join(', ')}`,
      });
    }
  }
  return issues;
}
