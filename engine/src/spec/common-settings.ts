/** Settings that the engine itself understands: a node takes them beside those that its type declares. */
import { encodingFields } from './encoding.ts';
import { type Fields, flag, group, integer, type Settings } from './fields.ts';
import type { NodeSpec } from './node-spec.ts';
import type { Json, NodeKind, RetryPolicy } from './plan.ts';

/** Punch's word for a sink that nobody waits for. */
export const BEST_EFFORT = 'best_effort';

const ofSinks: Fields = {
  [BEST_EFFORT]: flag(
    'Nobody waits for this sink: what it does not take in time is dropped and counted, and its rows are acknowledged to the source without it.',
    { default: false },
  ),
};

/** How a sink is tried again. */
export const RETRY = 'retry';

const retryFields = {
  initial_ms: integer('Longest pause after the first failure; it doubles with each. Pauses are of random length up to that.', {
    default: 100,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
  }),
  max_ms: integer('Longest pause of all. Where a server asks for more (`Retry-After`), it is given up to ten minutes.', {
    default: 30_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
  }),
  max_attempts: integer(
    'Tries in all, the first one included; then the rows go to the error table (of a sink that writes files or streams: the punchline ends). Without it they are tried for ever, and what is before the sink waits.',
    { optional: true, min: 1 },
  ),
};

const retrying: Fields = {
  [RETRY]: group(retryFields, 'How rows are sent again after a failure that may pass.'),
};

/** What the setting says. */
export function retryPolicy(value: Json | undefined): RetryPolicy {
  const { initial_ms, max_ms, max_attempts } = value as unknown as Settings<typeof retryFields>;
  return { initialMs: initial_ms, maxMs: max_ms, ...(max_attempts === undefined ? {} : { maxAttempts: max_attempts }) };
}

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
  const common: Fields = {
    ...encodingFields(spec),
    ...(spec.kind === 'sink' && spec.payload !== false ? retrying : {}),
    ...byKind[spec.kind],
  };
  // A setting `encoding` of its own is another thing, and so are its options.
  const isOwn = (name: string): boolean =>
    Object.hasOwn(spec.settings, name) || Object.hasOwn(spec.settings, name.split('.')[0]!);
  return Object.fromEntries(Object.entries(common).filter(([name]) => !isOwn(name)));
}

/** All settings that a node of this type takes. */
export function allSettings(spec: NodeSpec): Fields {
  return { ...spec.settings, ...commonSettings(spec) };
}
