/**
 * `--update`: writes what came into the case file, in the place of what was expected. Only the values that differ are written, so
 * that comments and the form of everything else stay.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Node, Pair } from 'yaml';
import type { Row, Value } from './case.ts';
import type { Update } from './check-case.ts';
import { rowText } from './row-text.ts';

type Yaml = typeof import('yaml');

/** Writes the files of rows, and gives the text of the case file as it is to be. */
export async function updateCases(text: string, updates: readonly Update[]): Promise<string> {
  const yaml = await import('yaml');
  for (const { file, value } of updates) {
    if (file === undefined) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, (value as readonly Row[]).map((row) => `${rowText(row)}\n`).join(''));
  }
  const edits = updates.filter(({ file }) => file === undefined).map(({ path, value }) => editOf(yaml, text, path, value));
  // From the end, so that places before stay right.
  return edits
    .sort((a, b) => b.from - a.from)
    .reduce((result, { from, to, by }) => result.slice(0, from) + by + result.slice(to), text);
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

function editOf(yaml: Yaml, text: string, path: Update['path'], value: Value): Edit {
  const document = yaml.parseDocument(text, { keepSourceTokens: true });
  let node = document.contents as Node;
  let flow = false;
  let key: Node | undefined;
  for (const part of path) {
    while (yaml.isAlias(node)) node = node.resolve(document) as Node;
    flow ||= (yaml.isMap(node) || yaml.isSeq(node)) && node.flow === true;
    if (yaml.isSeq(node)) node = node.items[part as number] as Node;
    else if (yaml.isMap(node)) {
      const pair = (node.items as Pair<Node, Node>[]).find(
        (item) => yaml.isScalar(item.key) && String(item.key.value) === String(part),
      );
      key = pair!.key;
      node = pair!.value!;
    }
  }
  const [start, end] = node.range!;
  if (!Array.isArray(value) || flow || value.length === 0) return { from: start, to: end, by: flowText(yaml, value) };
  const keyStart = key!.range![0];
  const indent = ' '.repeat(keyStart - text.lastIndexOf('\n', keyStart - 1) - 1 + 2);
  const lines = value.map((row: Value) => `\n${indent}- ${flowText(yaml, row)}`);
  const colon = text.indexOf(':', key!.range![1]) + 1;
  return { from: colon, to: text.slice(colon, end).trimEnd().length + colon, by: lines.join('') };
}

/** On one line; numbers as JSON writes them. */
function flowText(yaml: Yaml, value: Value): string {
  const plain = new yaml.Document(value, { sortMapEntries: false }).toString({ collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
  return plain.includes('\n') ? rowText(value) : plain;
}
