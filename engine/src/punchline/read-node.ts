/** One entry of `dag`. */

import type { ReefError } from '../errors.ts';
import { canonicalType, kindsOf, type NodeTypes, nodeKinds, resolveNodeSpec } from '../nodes.ts';
import { installCommand, missingLibraries } from '../spec/client-libraries.ts';
import { ENCODING } from '../spec/encoding.ts';
import type { NodeSpec } from '../spec/node-spec.ts';
import type { Json, NodeKind } from '../spec/plan.ts';
import { isUserModule, requireUserModule } from '../spec/user-module.ts';
import { foreignType } from './foreign.ts';
import { checkKeys, choiceAt, mapAt, quote, wordAt } from './keys.ts';
import { nodeKeys } from './known-keys.ts';
import type { ProblemList } from './problem.ts';
import { type EdgeDraft, readOut } from './read-out.ts';
import { type RunTime, type RunTimeEntries, readRunTime, runTimeEntries } from './run-time-settings.ts';
import { type NodeSettings, readSettings } from './settings.ts';
import { type MapTree, plainValue, type ScalarTree, type Tree } from './tree.ts';

export interface NodeDraft {
  /** Offset of the node. */
  readonly at: number;
  /** How messages call it. */
  readonly subject: string;
  readonly id?: string;
  readonly idAt: number;
  readonly kind?: NodeKind;
  /** Its place in the graph: the kind, or that of its type when this is another one and fits better to having `out` or not. */
  readonly role?: NodeKind;
  readonly type?: string;
  readonly typeAt: number;
  /** Where the type comes from when it holds references. */
  readonly typeVariable?: string;
  readonly settingsTree?: MapTree;
  /** The key `settings`, else the type. */
  readonly settingsAt: number;
  readonly out?: readonly EdgeDraft[];
  readonly outAt: number;
  readonly outKeyAt: number;
  readonly hasOut: boolean;
  /** Whether it has edges that could not be read. */
  readonly outUnclear: boolean;
  readonly runTimeEntries: RunTimeEntries;
}

/** A draft with what its spec says about it. */
export interface SpecifiedNode extends NodeDraft, Partial<NodeSettings>, RunTime {
  readonly spec?: NodeSpec;
  /** The type as plans call it. */
  readonly canonical?: string;
}

export interface NodeContext {
  readonly problems: ProblemList;
  readonly folder: string;
  readonly types: NodeTypes;
  /** Whether users' modules are run, to learn their settings and columns. */
  readonly runModules: boolean;
}

export function readNode(tree: Tree, index: number, { problems, types }: NodeContext): NodeDraft | undefined {
  const map = mapAt(tree, `entry ${index + 1} of dag`, problems);
  if (!map) return undefined;
  const written = map.entries.get('id')?.value;
  const named = written?.kind === 'scalar' && typeof written.value === 'string';
  const subject = named ? `node ${quote(written.value as string)}` : `node ${index + 1}`;
  const entry = checkKeys(map, { ...nodeKeys, where: subject }, problems, whereItBelongs);
  const idEntry = entry('id');
  if (!idEntry) problems.error(map.at, `${subject} has no id, expected a name that out entries can refer to`);
  const id = idEntry && readId(idEntry.value.at, wordAt(idEntry, `node ${index + 1}: id`, problems), problems);
  const typeEntry = entry('type');
  if (!typeEntry) problems.error(map.at, `${subject} has no type, expected the name of a node type`);
  const type = typeEntry && wordAt(typeEntry, `${subject}: type`, problems);
  const kindEntry = entry('kind');
  const fromType = type === undefined ? [] : kindsOf(type, types);
  const guess = fromType.length === 1 ? fromType[0] : undefined;
  if (!kindEntry)
    problems.error(map.at, `${subject} has no kind, expected kind: ${(fromType.length > 0 ? fromType : nodeKinds).join(' or ')}`);
  const kind = (kindEntry && choiceAt(kindEntry, `${subject}: kind`, nodeKinds, problems)) ?? guess;
  const settingsEntry = entry('settings');
  const role = kind !== undefined && guess !== undefined && (guess === 'sink') !== (entry('out') !== undefined) ? guess : kind;
  const blank = settingsEntry?.value.kind === 'scalar' && settingsEntry.value.value === null;
  const settingsTree = settingsEntry && !blank ? mapAt(settingsEntry.value, `${subject}: settings`, problems) : undefined;
  const outEntry = entry('out');
  const out = outEntry && role !== 'sink' ? readOut(outEntry.value, subject, problems) : undefined;
  const typeAt = typeEntry?.value.at ?? map.at;
  const { variable: typeVariable } = (typeEntry?.value ?? {}) as Partial<ScalarTree>;
  return {
    at: map.at,
    subject,
    ...(id === undefined ? {} : { id }),
    idAt: idEntry?.value.at ?? map.at,
    ...(kind === undefined ? {} : { kind }),
    ...(role === undefined ? {} : { role }),
    ...(type === undefined ? {} : { type }),
    typeAt,
    ...(typeVariable === undefined ? {} : { typeVariable }),
    ...(settingsTree === undefined ? {} : { settingsTree }),
    settingsAt: settingsEntry?.keyAt ?? typeAt,
    ...(out === undefined ? {} : { out: out.edges }),
    outAt: outEntry?.value.at ?? map.at,
    outKeyAt: outEntry?.keyAt ?? map.at,
    hasOut: outEntry !== undefined,
    outUnclear: role !== 'sink' && (out === undefined || out.unclear),
    runTimeEntries: runTimeEntries(entry),
  };
}

function whereItBelongs(key: string): string | undefined {
  if (key === 'columns' || key === 'table') return 'it in an entry of out';
  return key === ENCODING || key.startsWith(`${ENCODING}.`) ? 'it under settings' : undefined;
}

function readId(at: number, id: string | undefined, problems: ProblemList): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (id !== undefined && (id.length > 128 || /[/\u0000-\u001f\u007f]/.test(id))) {
    problems.error(at, `node id is ${quote(id)}, expected at most 128 characters without "/" and control characters`);
  }
  return id;
}

/** Finds the spec of a node and checks its settings against it. */
export async function specify(node: NodeDraft, context: NodeContext): Promise<SpecifiedNode> {
  const { subject, kind } = node;
  const runTime = await readRunTime(node.runTimeEntries, { subject, kind }, context.problems);
  return { ...(await withSettings(node, context)), ...runTime };
}

async function withSettings(node: NodeDraft, context: NodeContext): Promise<SpecifiedNode> {
  const { problems, folder, types, runModules } = context;
  const { kind, type, subject } = node;
  if (kind === undefined || type === undefined) return node;
  if (isUserModule(type) && !runModules) return unspecified(node, context);
  let spec: NodeSpec;
  try {
    spec = await resolveNodeSpec(kind, type, folder, types);
  } catch (error) {
    reportUnresolved(node, error, problems);
    return node;
  }
  const canonical = canonicalType(kind, type, folder, types)!;
  const lacking = missingLibraries(spec.requires, canonical);
  if (lacking.length > 0) {
    const are = lacking.length === 1 ? 'is' : 'are';
    problems.error(
      node.typeAt,
      `${subject} needs ${lacking.join(' and ')}, which ${are} not installed, expected it: ${installCommand(lacking)}`,
    );
  }
  const request = { spec, tree: node.settingsTree, at: node.settingsAt, subject };
  const settings = await readSettings(request, problems);
  return { ...node, canonical, spec, ...settings };
}

/** A user's module that is not run: what can be said without its spec. */
async function unspecified(node: NodeDraft, { problems, folder }: NodeContext): Promise<SpecifiedNode> {
  try {
    const canonical = await requireUserModule(node.type!, folder);
    const unchecked = 'its settings and columns are not checked';
    problems.warning(node.typeAt, `${node.subject}: ${quote(node.type!)} is not run, ${unchecked}: --run-modules runs it`);
    const settings = node.settingsTree ? (plainValue(node.settingsTree) as Record<string, Json>) : {};
    return { ...node, canonical, settings };
  } catch (error) {
    reportUnresolved(node, error, problems);
    return node;
  }
}

function reportUnresolved({ subject, type, typeAt, typeVariable }: NodeDraft, error: unknown, problems: ProblemList): void {
  const { message, data } = error as ReefError;
  const foreign = foreignType(type!);
  const suggestion = foreign === undefined ? data?.suggestion : undefined;
  const hint = foreign === undefined ? '' : ` (${foreign})`;
  const shown = typeVariable === undefined ? message : message.replaceAll(type!, typeVariable);
  problems.error(typeAt, `${subject}: ${shown}${hint}`, typeof suggestion === 'string' ? suggestion : undefined);
}
