/** A map of settings against the fields that are declared for it: all that is wrong with it at once, each with its place. */
import type { Field, Fields } from '../spec/fields.ts';
import type { Json } from '../spec/plan.ts';
import { settingMessage } from '../spec/setting-text.ts';
import { type SettingProblem, validateSettings } from '../spec/validate.ts';
import type { ProblemList } from './problem.ts';
import { guardSecrets, keepAll } from './secret-settings.ts';
import { shapeSettings } from './setting-tree.ts';
import { follow, type MapTree, plainValue, type ScalarTree } from './tree.ts';

export interface FieldsRequest {
  readonly fields: Fields;
  /** Absent: nothing is given. */
  readonly tree: MapTree | undefined;
  /** Where to point when a setting is missing. */
  readonly at: number;
  /** How messages begin: `node "in"`. */
  readonly subject: string;
  /** Whether `encoding` is the setting that nodes with codecs have, in its three spellings. */
  readonly encoding: boolean;
}

export interface ReadFields {
  readonly settings: Readonly<Record<string, Json>>;
  /** In the shape that the fields declare. */
  readonly tree: MapTree;
}

/** `undefined` when something is wrong; it is in `problems` then. */
export async function readFields(request: FieldsRequest, problems: ProblemList): Promise<ReadFields | undefined> {
  const { fields, subject, at, encoding } = request;
  let wrong = false;
  const complain: Complain = (place, message, suggestion) => {
    wrong = true;
    problems.error(place, `${subject}: ${message}`, suggestion);
  };
  const written: MapTree = request.tree ?? { kind: 'map', at, entries: new Map() };
  const tree = shapeSettings(written, fields, { encoding, complain });
  const warning: Complain = (place, message) => problems.warning(place, `${subject}: ${message}`);
  guardSecrets(tree, fields, { error: complain, warning });
  const { settings, problems: found } = await validateSettings(fields, plainValue(tree) as Record<string, unknown>);
  for (const problem of found) report(problem, { fields, tree, at, complain });
  return wrong || !settings ? undefined : { settings, tree };
}

type Complain = (at: number, message: string, suggestion?: string) => void;

interface Report {
  readonly fields: Fields;
  readonly tree: MapTree;
  readonly at: number;
  readonly complain: Complain;
}

/** Points at the value, or for a missing one at the key of what it is missing in. */
function report(problem: SettingProblem, { fields, tree, at, complain }: Report): void {
  const place = follow(tree, problem.path);
  const { variable, unresolved } = (place.tree ?? {}) as Partial<ScalarTree>;
  if (unresolved) return;
  if (place.tree && problem.suggestion !== undefined && isSecret(fields, [...problem.path.slice(0, -1), problem.suggestion])) {
    keepAll(place.tree);
  }
  const shown = variable === undefined ? problem : { ...problem, found: `the value of ${variable}` };
  const key = place.keyAt ?? (place.at === tree.at ? at : place.at);
  complain(
    { unknown: key, wrong: place.at, missing: key }[problem.kind],
    settingMessage(shown),
    variable === undefined ? problem.suggestion : undefined,
  );
}

/** A misspelt secret is one too. */
function isSecret(fields: Fields, path: SettingProblem['path']): boolean {
  let here: Pick<Field<unknown>, 'limits'> | undefined = { limits: { fields } };
  for (const part of path) here = here?.limits.fields?.[part] ?? here?.limits.element;
  return here?.limits.secret ?? false;
}
