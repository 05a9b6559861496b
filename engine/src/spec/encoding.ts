import { choice, type Fields } from './fields.ts';
import type { NodeSpec } from './node.ts';

/** The setting that every node with codecs has beside its own; the first codec is the default. */
export const ENCODING = 'encoding';

/** All settings that a node of this type takes. */
export function allSettings(spec: NodeSpec): Fields {
  if (spec.kind === 'function' || spec.codecs.length === 0 || Object.hasOwn(spec.settings, ENCODING)) return spec.settings;
  const doc = spec.kind === 'source' ? 'How the bytes that it reads become rows.' : 'How rows become the bytes that it writes.';
  return { ...spec.settings, [ENCODING]: choice(spec.codecs, doc, { default: spec.codecs[0]! }) };
}
