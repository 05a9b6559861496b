/**
 * What a punchline says about its running rather than its rows: `engine_settings` (older: `load_control`), on the punchline or on a
 * node, and `exit_conditions`.
 */
import { type Fields, group, integer, number } from '../spec/fields.ts';
import type { ExitConditions, Json, NodeKind, SourceControl } from '../spec/plan.ts';
import { mapAt, quote } from './keys.ts';
import type { ProblemList } from './problem.ts';
import { readFields } from './read-fields.ts';
import type { Entry, MapTree } from './tree.ts';

/** Both spellings of the same; the longer one stands in `spec` on Kubernetes. */
export const controlKeys = ['engine_settings', 'load_control', 'engineSettings'] as const;
export const EXIT_CONDITIONS = 'exit_conditions';

export const controlFields = {
  throughput: number('Rows that the source gives per second at most. 0 or -1: no bound.', {
    optional: true,
    min: -1,
    unit: 'rows/s',
  }),
  row_timeout_secs: number(
    'Rows that are not delivered after this time are warned of. They are waited for, and never sent a second time. 0: none.',
    { optional: true, min: 0, unit: 'seconds' },
  ),
};

const bounded = 'what is under way is bounded by its bytes here';
/** Settings of Punch's engines that have no counterpart here. */
const ignoredControl: Readonly<Record<string, string>> = {
  tick_row_frequency_ms: 'sinks send what has waited long enough without it, as their own settings say',
  queue_size: bounded,
  max_pending_row_number: bounded,
};

const elapsed = (doc: string) => number(doc, { optional: true, min: 0, unit: 'seconds' });
const atLeast = (doc: string) => integer(doc, { optional: true, min: 1, unit: 'rows' });

export const exitFields = {
  success: group(
    {
      acks_greater_or_equal_to: atLeast('Rows that are delivered.'),
      elapsed_secs_greater_or_equal_to: elapsed('Time since the start.'),
    },
    'The run ends in order, with exit code 0.',
    { optional: true },
  ),
  failure: group(
    {
      fails_greater_or_equal_to: atLeast('Rows that were rejected.'),
      elapsed_secs_greater_or_equal_to: elapsed('Time since the start.'),
    },
    'The run ends in order, with exit code 1.',
    { optional: true },
  ),
};

export interface RunTimeEntries {
  readonly control: readonly { readonly key: string; readonly entry: Entry }[];
  readonly exit: Entry | undefined;
}

export interface RunTime {
  readonly control?: SourceControl;
  readonly exit?: ExitConditions;
}

export function runTimeEntries(entry: (key: string) => Entry | undefined): RunTimeEntries {
  const control = controlKeys.flatMap((key) => {
    const found = entry(key);
    return found ? [{ key, entry: found }] : [];
  });
  return { control, exit: entry(EXIT_CONDITIONS) };
}

export interface RunTimeOwner {
  /** How messages begin: `node "in"`. */
  readonly subject: string;
  /** Absent: the punchline itself. */
  readonly kind?: NodeKind | undefined;
}

export async function readRunTime(entries: RunTimeEntries, owner: RunTimeOwner, problems: ProblemList): Promise<RunTime> {
  const control = await readControl(entries.control, owner, problems);
  const exit = entries.exit && (await readExit(entries.exit, owner, problems));
  return { ...(control === undefined ? {} : { control }), ...(exit === undefined ? {} : { exit }) };
}

async function readControl(
  given: RunTimeEntries['control'],
  { subject, kind }: RunTimeOwner,
  problems: ProblemList,
): Promise<SourceControl | undefined> {
  const all: Record<string, Json> = {};
  for (const { key, entry } of given) {
    const tree = blank(entry) ? undefined : mapAt(entry.value, `${subject}: ${key}`, problems);
    if (!tree) continue;
    const own = `${subject}: ${key}`;
    const settings = await read(
      withoutIgnored(tree, own, key, problems),
      controlFields,
      { subject: own, at: entry.keyAt },
      problems,
    );
    for (const [name, value] of Object.entries(settings ?? {})) {
      const at = tree.entries.get(name)?.keyAt ?? entry.keyAt;
      if (Object.hasOwn(all, name)) problems.error(at, `${own}: setting ${quote(name)} is given twice, expected it once`);
      else if (kind === undefined || kind === 'source') all[name] = value;
      else
        problems.warning(
          at,
          `${own}: setting ${quote(name)} is ignored: it has an effect on sources only, and this is a ${kind}`,
        );
    }
  }
  const { throughput, row_timeout_secs: rowTimeoutSecs } = all as Readonly<Record<string, number | undefined>>;
  const control = {
    ...(throughput === undefined ? {} : { throughput }),
    ...(rowTimeoutSecs === undefined ? {} : { rowTimeoutSecs }),
  };
  return Object.keys(control).length === 0 ? undefined : control;
}

/** `engineSettings` is free on Kubernetes: there, what other engines understand is no mistake. */
function withoutIgnored(tree: MapTree, subject: string, key: string, problems: ProblemList): MapTree {
  const entries = [...tree.entries].filter(([name, { keyAt }]) => {
    const foreign =
      key === 'engineSettings' && !Object.hasOwn(controlFields, name) ? 'no engine setting of this name is known' : undefined;
    const why = Object.hasOwn(ignoredControl, name) ? ignoredControl[name] : foreign;
    if (why === undefined) return true;
    problems.warning(keyAt, `${subject}: setting ${quote(name)} is ignored: ${why}`);
    return false;
  });
  return { ...tree, entries: new Map(entries) };
}

async function readExit(entry: Entry, { subject }: RunTimeOwner, problems: ProblemList): Promise<ExitConditions | undefined> {
  const own = `${subject}: ${EXIT_CONDITIONS}`;
  const tree = mapAt(entry.value, own, problems);
  const settings = tree && (await read(tree, exitFields, { subject: own, at: entry.keyAt }, problems));
  if (!settings) return undefined;
  const { success, failure } = settings as Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;
  const names = Object.values({ success, failure }).flatMap((conditions) => Object.keys(conditions ?? {}));
  if (names.length === 0) {
    const right = 'success: {acks_greater_or_equal_to: …} or failure: {fails_greater_or_equal_to: …}';
    problems.error(entry.keyAt, `${own} holds no condition, expected ${right}`);
  }
  return {
    ...(success && { success: conditions(success, 'acks_greater_or_equal_to') }),
    ...(failure && { failure: conditions(failure, 'fails_greater_or_equal_to') }),
  };
}

function conditions(given: Readonly<Record<string, number>>, name: string): { readonly rows?: number; readonly secs?: number } {
  const { [name]: rows, elapsed_secs_greater_or_equal_to: secs } = given;
  return { ...(rows === undefined ? {} : { rows }), ...(secs === undefined ? {} : { secs }) };
}

async function read(
  tree: MapTree,
  fields: Fields,
  { subject, at }: { readonly subject: string; readonly at: number },
  problems: ProblemList,
): Promise<Readonly<Record<string, Json>> | undefined> {
  return (await readFields({ fields, tree, at, subject, encoding: false }, problems))?.settings;
}

function blank({ value }: Entry): boolean {
  return value.kind === 'scalar' && value.value === null;
}
