/** What `reef help` prints: the texts about node types come from their declarations. */
import { ReefError } from '../errors.ts';
import { builtins, canonicalType, kindsOf, nodeKinds } from '../nodes.ts';
import type { SettingRow } from '../spec/describe.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import { alignColumns, wrap } from './align-columns.ts';
import { checkUsage } from './check.ts';
import { type NodeFacts, nodeFacts } from './node-facts.ts';
import {
  auditUsage,
  benchUsage,
  inspectUsage,
  listUsage,
  newUsage,
  runUsage,
  schemaUsage,
  tapUsage,
  testUsage,
  topUsage,
} from './usage.ts';

interface CommandFacts {
  readonly usage: string;
  readonly what: string;
}

const commands: Readonly<Record<string, CommandFacts>> = {
  run: { usage: runUsage, what: 'starts a punchline; Ctrl-C or SIGTERM ends it in order, a second one at once' },
  check: { usage: checkUsage, what: 'tells all that is wrong with a punchline, and starts nothing' },
  test: {
    usage: testUsage,
    what: 'runs the cases that stand beside a punchline (NAME.test.yaml): rows in, rows out, and faults',
  },
  new: { usage: newUsage, what: 'writes a source, function or sink of your own, small and working, with a test' },
  inspect: { usage: inspectUsage, what: 'tells what a wasm module is, needs and would be allowed, without running it' },
  bench: { usage: benchUsage, what: 'measures a wasm function over rows of yours, against the same rows passed through' },
  top: { usage: topUsage, what: 'shows what the running punchlines do now, node by node; q ends it' },
  tap: { usage: tapUsage, what: 'shows rows of a running punchline as they come to a node, leave it or are rejected there' },
  audit: { usage: auditUsage, what: 'prints which configuration and code was active when, or verifies that record' },
  list: { usage: listUsage, what: 'names the node types that there are; --json all that is known of them' },
  help: { usage: 'reef help [TYPE|COMMAND]', what: 'prints this, the settings of one node type, or what one command takes' },
  schema: { usage: schemaUsage, what: 'prints the JSON Schema of punchlines, for editors' },
};

/** In the order of the commands that take them. */
const options: readonly (readonly [name: string, what: string])[] = [
  ['--state DIR', 'where the state of the punchline is kept: checkpoints, dead letters, audit log'],
  ['--workers N', 'threads that run functions; default: one a core, at most 4; of test: 1'],
  ['--drain-secs N', 'how long a stop waits for sinks to take what was read; default: 10'],
  ['--connect', 'asks first whether sources and sinks can reach what they name; if not, nothing starts'],
  ['--metrics AT', 'PORT or HOST:PORT where /metrics, /healthz and /readyz are served; or REEF_METRICS'],
  ['--metrics-cert F', 'certificate in PEM: they are served with TLS; REEF_METRICS_TOKEN: token to be shown'],
  ['--metrics-key F', 'the private key of that certificate'],
  ['--metrics-ca F', 'only clients with a certificate of these authorities get them'],
  ['--log-format F', 'text or json; default: text on a terminal, json elsewhere; or REEF_LOG_FORMAT'],
  ['--log-level L', 'what is less important is left out: info (default), warn or error; or REEF_LOG_LEVEL'],
  ['--run-modules', 'check also runs modules of your own (type: ./x.ts), to learn their settings and columns'],
  ['--only TEXT', 'test runs only the cases whose name has the text'],
  ['--update', 'test writes what came out into the case files as what is expected'],
  ['--watch', 'test runs the cases again whenever a file changes'],
  ['--junit FILE', 'test writes its results there as well, for build servers'],
  ['--rows FILE', 'the rows that bench gives to the function: JSON objects, one a line'],
  ['--function NAME', 'the function of the module that bench calls; needed where it has several'],
  ['--format F', 'how bench hands rows over: bincode (default) or json'],
  ['--input-columns A,B', 'the columns that bench hands over; default: the whole row'],
  ['--once', 'top shows one table and ends'],
  ['--every SECS', 'how often top asks; default: 1'],
  ['--punchline NAME', 'tap looks at this one of several that run'],
  ['--before', 'tap shows rows as they come to the node; without these three it shows all'],
  ['--after', 'tap shows rows as they leave the node'],
  ['--rejected', 'tap shows rows that the node rejects'],
  ['--rate N', 'tap shows so many rows a second of each at most; default: 10'],
  ['--count N', 'tap ends after so many rows'],
  ['--verify', 'audit only says whether the record is whole: code 1 where it is not'],
  ['--json', 'the same as JSON, for programs'],
];

export function helpText(): string {
  const rows = Object.entries(commands).map(([name, { what }]) => [`  ${name}`, what]);
  return `reef moves rows from sources through functions to sinks, as a punchline (a YAML file) says.

usage:
  ${[...Object.values(commands).map(({ usage }) => usage), 'reef --version'].join('\n  ')}

commands:
${alignColumns(rows).join('\n')}

options:
${alignColumns(options.map(([name, what]) => [`  ${name}`, what])).join('\n')}

exit codes:
  0    all is well                   1    it has failed
  2    the command line is wrong     3    the punchline is wrong
  4    stopped before all that was read could be delivered; the next start reads the rest again
  128 + signal    a batch was stopped, or a second signal came

A punchline:
  spec:
    dag:
      - {id: in, kind: source, type: file, settings: {path: rows.json}, out: [{id: out}]}
      - {id: out, kind: sink, type: show}
`;
}

/** What `reef help` says of a command or of a node type. Rejects with a `ReefError` when there is neither of this name. */
export async function helpFor(name: string): Promise<string> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const isType = kindsOf(name).length > 0;
  if (!command) return helpForType(name);
  return isType ? `${commandText(command)}\n${await helpForType(name)}` : commandText(command);
}

function commandText({ usage, what }: CommandFacts): string {
  const taken = options.filter(([name]) => takes(usage, name.split(' ')[0]!)).map(([name, text]) => [`  ${name}`, text]);
  return `${[usage, ...wrap(`It ${what}.`, WIDTH), ...(taken.length === 0 ? [] : section('options', alignColumns(taken, WIDTH)))].join('\n')}\n`;
}

/** A usage may stand for several options by the word that their names begin with: `--log…`. */
function takes(usage: string, option: string): boolean {
  return usage.includes(option) || usage.includes(`${/^--[a-z]+/.exec(option)![0]}…`);
}

/** The settings of a type, of each kind that has it. Rejects with a `ReefError` when there is none of this name. */
export async function helpForType(type: string): Promise<string> {
  const kinds = kindsOf(type);
  if (kinds.length === 0) throw unknownType(type);
  const texts = kinds.map(async (kind) => factsText(await nodeFacts(kind, canonicalType(kind, type, '')!)));
  return (await Promise.all(texts)).join('\n');
}

const WIDTH = 110;

function factsText({ type, kind, summary, settings, delivery, security, metrics, examples }: NodeFacts): string {
  const counted = metrics.map(({ name, doc }) => [`  ${name}`, doc]);
  const lines = [
    `${type} (${kind})`,
    ...wrap(summary, WIDTH),
    ...section('settings', settings.length === 0 ? ['  none'] : settings.flatMap(settingLines)),
    ...section('delivery', indented(delivery)),
    ...(security === undefined ? [] : section('security', indented(security))),
    ...section('counted', alignColumns(counted, WIDTH)),
    ...examples.flatMap(({ title, yaml }) =>
      section(
        title,
        yaml
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', `${title}:`, ...lines];
}

function indented(text: string): string[] {
  return wrap(text, WIDTH - 2).map((line) => `  ${line}`);
}

function settingLines(row: SettingRow): string[] {
  const [head = '', ...rest] = wrap(`${row.name} (${settingFacts(row).join(', ')})`, WIDTH - 6);
  return [`  ${head}`, ...[...rest, ...wrap(row.doc, WIDTH - 6)].map((line) => `      ${line}`)];
}

function settingFacts({ type, required, default: standard, unit, range }: SettingRow): string[] {
  const given = standard === undefined ? (required ? 'required' : 'optional') : `default ${JSON.stringify(standard)}`;
  const bounds = range === undefined ? [] : [range];
  return [type, ...bounds, ...(unit === undefined ? [] : [unit]), given];
}

function unknownType(type: string): ReefError {
  const names = [...new Set([...nodeKinds.flatMap((kind) => Object.keys(builtins[kind])), ...Object.keys(commands)])];
  const suggestion = nearestWord(type, names);
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  const message = `Cannot help with "${type}": there is no command or node type of this name, expected one of ${names.join(', ')}${hint}`;
  return new ReefError('config', message, suggestion === undefined ? {} : { data: { suggestion } });
}
