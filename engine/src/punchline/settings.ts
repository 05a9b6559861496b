/** The settings of one node: from what stands in the file to what its spec declares. */
import { allSettings, BEST_EFFORT, commonSettings } from '../spec/common-settings.ts';
import { ENCODING } from '../spec/encoding.ts';
import type { Field, Fields } from '../spec/fields.ts';
import type { NodeSpec, SettingIssue } from '../spec/node.ts';
import type { Codec, DeliveryPolicy, Json } from '../spec/plan.ts';
import { pathText, settingMessage } from '../spec/setting-text.ts';
import { type SettingProblem, validateSettings } from '../spec/validate.ts';
import type { ProblemList } from './problem.ts';
import { guardSecrets, keepAll } from './secret-settings.ts';
import { shapeSettings } from './setting-tree.ts';
import { follow, type MapTree, plainValue, type ScalarTree, type Tree } from './tree.ts';

export interface NodeSettings {
  readonly settings: Readonly<Record<string, Json>>;
  readonly codec?: Codec;
  readonly policy?: DeliveryPolicy;
}

export interface SettingsRequest {
  readonly spec: NodeSpec;
  /** Absent: the node has no `settings`. */
  readonly tree: MapTree | undefined;
  /** Where to point when a setting is missing: the key `settings`, else the node's type. */
  readonly at: number;
  /** How messages call the node: `node "in"`. */
  readonly subject: string;
}

/** `undefined` when something is wrong; it is in `problems` then. */
export async function readSettings(request: SettingsRequest, problems: ProblemList): Promise<NodeSettings | undefined> {
  const { spec } = request;
  const fields = allSettings(spec);
  const common = commonSettings(spec);
  let wrong = false;
  const complain: Complain = (at, message, suggestion) => {
    wrong = true;
    problems.error(at, `${request.subject}: ${message}`, suggestion);
  };
  const written: MapTree = request.tree ?? { kind: 'map', at: request.at, entries: new Map() };
  const tree = shapeSettings(written, fields, { encoding: Object.hasOwn(common, ENCODING), complain });
  const warn: Complain = (at, message) => problems.warning(at, `${request.subject}: ${message}`);
  guardSecrets(tree, fields, { error: complain, warning: warn });
  const validation = await validateSettings(fields, plainValue(tree) as Record<string, unknown>);
  for (const problem of validation.problems) report(problem, { fields, tree, settingsAt: request.at, complain });
  if (wrong || !validation.settings) return undefined;
  for (const issue of crossCheck(spec, validation.settings)) {
    const place = follow(tree, issue.path);
    const at = place.at === tree.at ? request.at : place.at;
    const message = `${request.subject}${issueText(issue, place.tree)}`;
    if (issue.severity === 'warning') problems.warning(at, message);
    else {
      wrong = true;
      problems.error(at, message);
    }
  }
  if (wrong) return undefined;
  return nodeSettings(spec, validation.settings, common);
}

/** The common settings become what the plan says of the node; the others are the node's own. */
function nodeSettings(spec: NodeSpec, all: Readonly<Record<string, Json>>, common: Fields): NodeSettings {
  const own = Object.entries(all).filter(([name]) => !Object.hasOwn(common, name));
  const policy = Object.hasOwn(common, BEST_EFFORT) && all[BEST_EFFORT] === true ? 'best_effort' : 'required';
  return {
    settings: Object.fromEntries(own),
    ...(Object.hasOwn(common, ENCODING) ? { codec: { name: all[ENCODING] } as Codec } : {}),
    ...(spec.kind === 'sink' ? { policy } : {}),
  };
}

type Complain = (at: number, message: string, suggestion?: string) => void;

/** A user's module may throw here: that is a problem of the node, not of the loader. */
function crossCheck(spec: NodeSpec, settings: Readonly<Record<string, Json>>): readonly SettingIssue[] {
  try {
    return spec.check?.(settings) ?? [];
  } catch (error) {
    return [{ path: [], message: `cannot check its settings: ${error instanceof Error ? error.message : String(error)}` }];
  }
}

/** Messages may begin with the name of the setting or leave it out. What came by a reference is not shown. */
function issueText({ path, message }: SettingIssue, tree: Tree | undefined): string {
  const name = pathText(path);
  const { variable, value } = (tree ?? {}) as Partial<ScalarTree>;
  const shown = variable === undefined || !value ? message : message.replaceAll(String(value), variable);
  if (name === '') return ` ${shown}`;
  return `: setting "${name}" ${shown.startsWith(`${name} `) ? shown.slice(name.length + 1) : shown}`;
}

interface Report {
  readonly fields: Fields;
  readonly tree: MapTree;
  readonly settingsAt: number;
  readonly complain: Complain;
}

/** Points at the value, or for a missing one at the key of what it is missing in. */
function report(problem: SettingProblem, { fields, tree, settingsAt, complain }: Report): void {
  const place = follow(tree, problem.path);
  const { variable, unresolved } = (place.tree ?? {}) as Partial<ScalarTree>;
  if (unresolved) return;
  if (place.tree && problem.suggestion !== undefined && isSecret(fields, [...problem.path.slice(0, -1), problem.suggestion])) {
    keepAll(place.tree);
  }
  const shown = variable === undefined ? problem : { ...problem, found: `the value of ${variable}` };
  const key = place.keyAt ?? (place.at === tree.at ? settingsAt : place.at);
  const at = { unknown: key, wrong: place.at, missing: key }[problem.kind];
  complain(at, settingMessage(shown), variable === undefined ? problem.suggestion : undefined);
}

/** A misspelt secret is one too. */
function isSecret(fields: Fields, path: SettingProblem['path']): boolean {
  let here: Pick<Field<unknown>, 'limits'> | undefined = { limits: { fields } };
  for (const part of path) here = here?.limits.fields?.[part] ?? here?.limits.element;
  return here?.limits.secret ?? false;
}
