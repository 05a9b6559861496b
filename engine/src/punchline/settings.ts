/** The settings of one node: from what stands in the file to what its spec declares. */
import { allSettings, BEST_EFFORT, commonSettings, DEBUG, RETRY, retryPolicy, SHOW } from '../spec/common-settings.ts';
import { ENCODING, encodingIssues, readCodec } from '../spec/encoding.ts';
import type { Fields } from '../spec/fields.ts';
import type { SettingIssue } from '../spec/node.ts';
import type { NodeSpec } from '../spec/node-spec.ts';
import type { Codec, DeliveryPolicy, Json, RetryPolicy } from '../spec/plan.ts';
import { pathText } from '../spec/setting-text.ts';
import type { ProblemList } from './problem.ts';
import { readFields } from './read-fields.ts';
import { follow, type MapTree, type ScalarTree, type Tree } from './tree.ts';

export interface NodeSettings {
  readonly settings: Readonly<Record<string, Json>>;
  readonly codec?: Codec;
  readonly policy?: DeliveryPolicy;
  readonly retry?: RetryPolicy;
  /** Its rows are printed: beside what is done with them, or instead (a sink that does not send). */
  readonly print?: 'beside' | 'instead';
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
  const { spec, subject, at } = request;
  const common = commonSettings(spec);
  const read = await readFields({ ...request, fields: allSettings(spec), encoding: Object.hasOwn(common, ENCODING) }, problems);
  if (!read) return undefined;
  let wrong = false;
  const encoded = Object.hasOwn(common, ENCODING);
  const encoding = encoded ? encodingIssues(spec, read.settings) : [];
  const codec = encoded ? readCodec(read.settings) : undefined;
  for (const issue of [...encoding, ...crossCheck(spec, read.settings, codec)]) {
    const place = follow(read.tree, issue.path);
    const where = place.at === read.tree.at ? at : place.at;
    const message = `${subject}${issueText(issue, place.tree)}`;
    if (issue.severity === 'warning') problems.warning(where, message);
    else {
      wrong = true;
      problems.error(where, message);
    }
  }
  return wrong ? undefined : nodeSettings(spec, read.settings, common);
}

/** The common settings become what the plan says of the node; the others are the node's own. */
function nodeSettings(spec: NodeSpec, all: Readonly<Record<string, Json>>, common: Fields): NodeSettings {
  const own = Object.entries(all).filter(([name]) => !Object.hasOwn(common, name));
  const isSet = (name: string): boolean => Object.hasOwn(common, name) && all[name] === true;
  const policy = isSet(BEST_EFFORT) ? 'best_effort' : 'required';
  const instead = spec.kind === 'sink' && isSet(SHOW);
  return {
    settings: Object.fromEntries(own),
    ...(Object.hasOwn(common, ENCODING) ? { codec: readCodec(all) } : {}),
    ...(spec.kind === 'sink' ? { policy } : {}),
    ...(Object.hasOwn(common, RETRY) ? { retry: retryPolicy(all[RETRY]) } : {}),
    ...(isSet(DEBUG) || isSet(SHOW) ? { print: instead ? 'instead' : 'beside' } : {}),
  };
}

/** A user's module may throw here: that is a problem of the node, not of the loader. */
function crossCheck(spec: NodeSpec, settings: Readonly<Record<string, Json>>, codec: Codec | undefined): readonly SettingIssue[] {
  try {
    return spec.check?.(settings, codec) ?? [];
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
