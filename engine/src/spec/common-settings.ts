/** Settings that the engine itself understands: a node takes them beside those that its type declares. */
import { ENCODING, encodingField } from './encoding.ts';
import { type Fields, flag } from './fields.ts';
import type { NodeSpec } from './node.ts';

/** Punch's word for a sink that nobody waits for. */
export const BEST_EFFORT = 'best_effort';

const ofSinks: Fields = {
  [BEST_EFFORT]: flag(
    'Nobody waits for this sink: what it does not take in time is dropped and counted, and its rows are acknowledged to the source without it.',
    { default: false },
  ),
};

/** What a node of this type takes beside the settings that it declares; a setting that it declares itself is its own. */
export function commonSettings(spec: NodeSpec): Fields {
  const encoding = encodingField(spec);
  const common: Fields = {
    ...(encoding === undefined ? {} : { [ENCODING]: encoding }),
    ...(spec.kind === 'sink' ? ofSinks : {}),
  };
  return Object.fromEntries(Object.entries(common).filter(([name]) => !Object.hasOwn(spec.settings, name)));
}

/** All settings that a node of this type takes. */
export function allSettings(spec: NodeSpec): Fields {
  return { ...spec.settings, ...commonSettings(spec) };
}
