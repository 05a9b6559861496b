/** The reference page of a node type, from its declaration and from what its examples gave when they were run. */
import type { NodeFacts } from '../../engine/src/cli/node-facts.ts';
import type { SettingRow } from '../../engine/src/spec/describe.ts';
import type { NodeExample } from '../../engine/src/spec/node.ts';
import type { ExampleResult } from './run-example.ts';

export const MARK = '<!-- Made by scripts/make-reference.ts from what the node type declares. Change that, and run it again. -->';

export interface ShownExample {
  readonly example: NodeExample;
  readonly results: readonly ExampleResult[];
}

export function pagePath({ kind, type }: Pick<NodeFacts, 'kind' | 'type'>): string {
  return `${kind}s/${type.replaceAll('_', '-')}.md`;
}

export function nodePage(facts: NodeFacts, examples: readonly ShownExample[]): string {
  const { kind, type, aliases, summary, settings, delivery, security, metrics, requires } = facts;
  return [
    MARK,
    `# ${type} (${kind})`,
    `${summary} In a punchline: \`type: ${type}\` or ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`,
    ...(requires.length === 0
      ? []
      : [`It needs ${requires.length === 1 ? 'a client library' : 'client libraries'}: \`npm install ${requires.join(' ')}\`.`]),
    '## Settings',
    settings.length === 0 ? 'None.' : settingsTable(settings),
    '## Delivery',
    delivery,
    '## Security',
    security ?? '',
    '## What is counted',
    table(
      ['Name', 'What'],
      metrics.map(({ name, doc }) => [`\`${name}\``, doc]),
    ),
    '## Examples',
    ...examples.flatMap(exampleParts),
    '',
  ].join('\n\n');
}

export function indexPage(all: readonly NodeFacts[]): string {
  const kinds = (['source', 'function', 'sink'] as const).map((kind) => {
    const rows = all
      .filter((facts) => facts.kind === kind)
      .map((facts) => [`[${facts.type}](${pagePath(facts)})`, facts.summary]);
    return `## ${kind[0]!.toUpperCase()}${kind.slice(1)}s\n\n${table(['Type', 'What'], rows)}`;
  });
  const intro =
    'One page for each node type: settings, what is promised about delivery, security, what is counted, examples. `reef help TYPE` prints the same. [index.md](index.md) says what of it was seen to hold, for each source and sink.';
  const schema =
    '[punchline.schema.json](punchline.schema.json) is the JSON Schema of punchlines (`reef schema`). An editor with YAML support uses it when a file begins with `# yaml-language-server: $schema=` and its path or address.';
  return [MARK, '# Reference', intro, ...kinds, '## For editors', schema, ''].join('\n\n');
}

function settingsTable(settings: readonly SettingRow[]): string {
  const rows = settings.map(({ name, type, range, unit, required, default: standard, doc }) => [
    `\`${name}\``,
    [type, range].filter(Boolean).join(' '),
    standard === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(standard)}\``,
    unit ?? '',
    doc,
  ]);
  return table(['Setting', 'Type', 'Default', 'Unit', 'What'], rows);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function exampleParts({ example, results }: ShownExample): string[] {
  const { title, yaml, input, needs } = example;
  const rows = input?.map((row) => `${JSON.stringify(row)}\n`).join('');
  return [
    `### ${title}`,
    block('yaml', yaml),
    ...(rows === undefined || results.length === 0 ? [] : [`Rows in:\n\n${block('json', rows)}`]),
    ...results.map(
      ({ title: what, text }) =>
        `${what}:\n\n${block(what === 'What it prints' || what === 'Rows rejected' ? 'text' : 'json', text)}`,
    ),
    needs === undefined ? 'CI runs this example.' : `CI only checks this example: to run, it needs ${needs}.`,
  ];
}

function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
