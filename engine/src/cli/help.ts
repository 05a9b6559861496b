/** What `reef help` and `reef list` print: the texts about node types come from their specs. */
import { ReefError } from '../errors.ts';
import { builtins, canonicalType, kindsOf, nodeKinds } from '../nodes.ts';
import { allSettings } from '../spec/common-settings.ts';
import { describe, type SettingRow } from '../spec/describe.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import type { NodeSpec } from '../spec/node.ts';
import type { NodeKind } from '../spec/plan.ts';
import { alignColumns, wrap } from './align-columns.ts';
import { checkUsage } from './check.ts';
import { benchUsage, inspectUsage, runUsage } from './usage.ts';

export function helpText(): string {
  return `reef moves rows from sources through functions to sinks, as a punchline (a YAML file) says.

usage:
  ${runUsage}
  ${checkUsage}
  ${inspectUsage}
  ${benchUsage}
  reef list
  reef help [TYPE]
  reef --version

commands:
  run      starts a punchline; Ctrl-C or SIGTERM ends it in order, a second one at once
  check    tells all that is wrong with a punchline, and starts nothing
  inspect  tells what a wasm module is, needs and would be allowed, without running it
  bench    measures a wasm function over rows of yours, against the same rows passed through
  list     names the node types that there are
  help     prints this, or the settings of one node type

options:
  --state DIR      where checkpoints and the dead-letter file are kept
  --workers N      threads that run functions; default: as many as the machine has cores, at most 4
  --drain-secs N   how long a stop waits for sinks to take what was read; default: 10
  --run-modules    check also runs modules of your own (type: ./x.ts), to learn their settings and columns

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

/** All built-in types, one line each. */
export async function listTypes(): Promise<string> {
  const blocks = await Promise.all(
    nodeKinds.map(async (kind) => {
      const specs = await Promise.all(
        Object.entries(builtins[kind]).map(async ([name, load]) => [name, (await load()).default] as const),
      );
      const rows = specs.map(([name, spec]) => [`  ${name}`, firstSentence(spec.summary)]);
      return [`${kind}s:`, ...alignColumns(rows, WIDTH)].join('\n');
    }),
  );
  return `${blocks.join('\n\n')}\n\nreef help TYPE prints the settings of one.\n`;
}

/** The settings of a type, of each kind that has it. Rejects with a `ReefError` when there is none of this name. */
export async function helpForType(type: string): Promise<string> {
  const kinds = kindsOf(type);
  if (kinds.length === 0) throw unknownType(type);
  const texts = kinds.map(async (kind) => {
    const name = canonicalType(kind, type, '')!;
    const { default: spec } = await builtins[kind][name]!();
    return helpForSpec(name, kind, spec);
  });
  return (await Promise.all(texts)).join('\n');
}

const WIDTH = 110;

function helpForSpec(name: string, kind: NodeKind, spec: NodeSpec): string {
  const rows = describe(allSettings(spec));
  const settings = rows.length === 0 ? ['  none'] : rows.flatMap(settingLines);
  const delivery =
    spec.kind === 'function' ? [] : ['', 'delivery:', ...wrap(spec.delivery, WIDTH - 2).map((line) => `  ${line}`)];
  const examples = spec.examples.flatMap(({ title, yaml }) => [
    '',
    `${title}:`,
    ...yaml
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ]);
  const lines = [`${name} (${kind})`, ...wrap(spec.summary, WIDTH), '', 'settings:', ...settings, ...delivery, ...examples];
  return `${lines.join('\n')}\n`;
}

function settingLines({ name, type, required, default: standard, unit, doc }: SettingRow): string[] {
  const given = standard === undefined ? (required ? 'required' : 'optional') : `default ${JSON.stringify(standard)}`;
  const facts = [type, ...(unit === undefined ? [] : [unit]), given].join(', ');
  return [`  ${name} (${facts})`, ...wrap(doc, WIDTH - 6).map((line) => `      ${line}`)];
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/s.exec(text)?.[0] ?? text;
}

function unknownType(type: string): ReefError {
  const names = [...new Set(nodeKinds.flatMap((kind) => Object.keys(builtins[kind])))];
  const suggestion = nearestWord(type, names);
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  const message = `Cannot help with node type "${type}": there is none of this name, expected one of ${names.join(', ')}${hint}`;
  return new ReefError('config', message, suggestion === undefined ? {} : { data: { suggestion } });
}
