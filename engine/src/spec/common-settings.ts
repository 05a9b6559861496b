/** Settings that the engine itself understands: a node takes them beside those that its type declares. */
import { ENCODING, encodingField } from './encoding.ts';
import { type Fields, flag } from './fields.ts';
import type { NodeSpec } from './node.ts';
import type { NodeKind } from './plan.ts';

/** Punch's word for a sink that nobody waits for. */
export const BEST_EFFORT = 'best_effort';

const ofSinks: Fields = {
  [BEST_EFFORT]: flag(
    'Nobody waits for this sink: what it does not take in time is dropped and counted, and its rows are acknowledged to the source without it.',
    { default: false },
  ),
};

/** Rows are printed on their way. */
export const DEBUG = 'debug';
/** Rows are printed; a sink does not send them. */
export const SHOW = 'show';

const printing: Fields = {
  [DEBUG]: flag('Prints every row to standard output, beside what is done with it.', { default: false }),
};

const printingSource: Fields = {
  ...printing,
  [SHOW]: flag('The same as `debug`: prints every row to standard output, and sends it on.', { default: false }),
};

const printingSink: Fields = {
  ...printing,
  [SHOW]: flag('Prints every row to standard output instead of sending it.', { default: false }),
};

const byKind: Readonly<Record<NodeKind, Fields>> = {
  source: printingSource,
  function: printing,
  sink: { ...ofSinks, ...printingSink },
};

/** What a node of this type takes beside the settings that it declares; a setting that it declares itself is its own. */
export function commonSettings(spec: NodeSpec): Fields {
  const encoding = encodingField(spec);
  const common: Fields = {
    ...(encoding === undefined ? {} : { [ENCODING]: encoding }),
    ...byKind[spec.kind],
  };
  return Object.fromEntries(Object.entries(common).filter(([name]) => !Object.hasOwn(spec.settings, name)));
}

/** All settings that a node of this type takes. */
export function allSettings(spec: NodeSpec): Fields {
  return { ...spec.settings, ...commonSettings(spec) };
}
