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
  queue_size: integer(
    'Rows of the source that may be under way, about: it waits when so many are read and not yet delivered. How long a row is on average shows once some are. 0 or -1: no bound but that of memory.',
    { optional: true, min: -1, unit: 'rows' },
  ),
  max_pending_row_number: integer('An older word for `queue_size`; of both, the smaller one counts.', {
    optional: true,
    min: -1,
    unit: 'rows',
  }),
  tick_row_frequency_ms: integer(
    'Sinks of bulks send what has waited so long for others, unless they have `batch.timeout_ms` (or `bulk_interval`) of their own.',
    { optional: true, min: 0, max: 3_600_000, unit: 'ms' },
  ),
};

/** Which kind of node each has an effect on. */
const affected: Readonly<Record<keyof typeof controlFields, NodeKind>> = {
  throughput: 'source',
  row_timeout_secs: 'source',
  queue_size: 'source',
  max_pending_row_number: 'source',
  tick_row_frequency_ms: 'sink',
};

/** What `engine_settings` say, on a node or for all. */
export interface Control {
  readonly source: SourceControl;
  /** Of sinks that have no time of their own: how long rows wait for others. */
  readonly bulkTimeoutMs: number | undefined;
}

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
  readonly control?: Control;
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
): Promise<Control | undefined> {
  const all: Record<string, Json> = {};
  for (const { key, entry } of given) {
    const tree = blank(entry) ? undefined : mapAt(entry.value, `${subject}: ${key}`, problems);
    if (!tree) continue;
    const own = `${subject}: ${key}`;
    const settings = await read(
      withoutForeign(tree, own, key, problems),
      controlFields,
      { subject: own, at: entry.keyAt },
      problems,
    );
    for (const [name, value] of Object.entries(settings ?? {})) {
      const at = tree.entries.get(name)?.keyAt ?? entry.keyAt;
      if (Object.hasOwn(all, name)) problems.error(at, `${own}: setting ${quote(name)} is given twice, expected it once`);
      else if (kind === undefined || kind === affected[name as keyof typeof affected]) all[name] = value;
      else {
        const whom = affected[name as keyof typeof affected];
        problems.warning(
          at,
          `${own}: setting ${quote(name)} is ignored: it has an effect on ${whom}s only, and this is a ${kind}`,
        );
      }
    }
  }
  return Object.keys(all).length === 0 ? undefined : controlOf(all as Readonly<Record<string, number | undefined>>);
}

function controlOf(given: Readonly<Record<string, number | undefined>>): Control {
  const { throughput, row_timeout_secs: rowTimeoutSecs, tick_row_frequency_ms: bulkTimeoutMs } = given;
  const bounds = [given.queue_size, given.max_pending_row_number].filter((rows) => rows !== undefined);
  const pendingRows = bounds.length === 0 ? undefined : Math.min(...bounds.map((rows) => (rows > 0 ? rows : Infinity)));
  return {
    source: {
      ...(throughput === undefined ? {} : { throughput }),
      // No bound is 0, for it may take back that of the punchline.
      ...(pendingRows === undefined ? {} : { pendingRows: pendingRows === Infinity ? 0 : pendingRows }),
      ...(rowTimeoutSecs === undefined ? {} : { rowTimeoutSecs }),
    },
    bulkTimeoutMs,
  };
}

/** `engineSettings` is free on Kubernetes: there, what other engines understand is no mistake. */
function withoutForeign(tree: MapTree, subject: string, key: string, problems: ProblemList): MapTree {
  if (key !== 'engineSettings') return tree;
  const entries = [...tree.entries].filter(([name, { keyAt }]) => {
    if (Object.hasOwn(controlFields, name)) return true;
    problems.warning(keyAt, `${subject}: setting ${quote(name)} is ignored: no engine setting of this name is known`);
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
