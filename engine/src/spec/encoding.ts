import { choice, type Field } from './fields.ts';
import type { NodeSpec } from './node.ts';
import type { Codec } from './plan.ts';

/** The setting that every node with codecs has beside its own; the first codec is the default. */
export const ENCODING = 'encoding';

/** Its field; `undefined` for a node without codecs. */
export function encodingField(spec: NodeSpec): Field<unknown> | undefined {
  if (spec.kind === 'function' || spec.codecs.length === 0) return undefined;
  const doc = (spec.kind === 'source' ? readDoc : writeDoc)(spec.codecs);
  return choice(spec.codecs, doc, { default: spec.codecs[0]! });
}

type Codecs = readonly Codec['name'][];

function readDoc(codecs: Codecs): string {
  const json = 'How bytes become rows. `json`: each line is a JSON object.';
  if (!codecs.includes('line')) return json;
  return `${json} \`line\`: each line is the text of one column, the first that \`out\` declares (\`line\` where none is declared).`;
}

function writeDoc(codecs: Codecs): string {
  const json = 'How rows become bytes. `json`: each as a JSON object on a line.';
  return codecs.includes('line')
    ? `${json} \`line\`: as the bare text of their column where they have only one, else as \`json\`.`
    : json;
}
