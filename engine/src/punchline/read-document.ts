/** One YAML document to one punchline. */
import { basename, extname } from 'node:path';
import type { Json, Punchline, PunchlineKind, PunchlineNode } from '../spec/plan.ts';
import { oneOf } from '../spec/setting-text.ts';
import { readAnnotations } from './annotations.ts';
import { checkColumns } from './columns.ts';
import { codecWithColumns } from './csv-columns.ts';
import { foreignKinds } from './foreign.ts';
import { buildGraph } from './graph.ts';
import { checkKeys, choiceAt, found, listAt, mapAt, wordAt } from './keys.ts';
import { documentKeys, metadataKeys, specKeys } from './known-keys.ts';
import { withPrinters } from './printed.ts';
import type { ProblemList } from './problem.ts';
import { type NodeContext, type NodeDraft, readNode, type SpecifiedNode, specify } from './read-node.ts';
import { type Control, type RunTimeEntries, readRunTime, runTimeEntries } from './run-time-settings.ts';
import type { Entry, MapTree, Tree } from './tree.ts';

const API_VERSION = 'punchline.punchplatform.io/v2';
const punchlineKinds: readonly PunchlineKind[] = ['StreamPunchline', 'BatchPunchline'];
const MAX_NODES = 1000;

export interface DocumentContext extends NodeContext {
  /** Absolute path, or `-`. */
  readonly file: string;
  /** Which punchline of the file it is, from 0: part of the name of one that has none. */
  readonly index: number;
}

/** `undefined` when something is wrong; it is in the problems then. */
export async function readDocument(tree: Tree, context: DocumentContext): Promise<Punchline | undefined> {
  const { problems } = context;
  const before = problems.errors;
  const map = mapAt(tree, 'the punchline', problems);
  if (!map) return undefined;
  const entry = checkKeys(map, documentKeys, problems, (key) => (specKeys.known.includes(key) ? 'it under spec' : undefined));
  const versionEntry = entry('apiVersion');
  const apiVersion = versionEntry && choiceAt(versionEntry, 'apiVersion', [API_VERSION], problems);
  const kindEntry = entry('kind');
  const kind = kindEntry && readKind(kindEntry, problems);
  // Nothing in it is meant for Reef.
  if (kind === 'foreign') return undefined;
  const metadata = readMetadata(entry('metadata'), problems);
  const { drafts, runTime: entries } = readSpec(map, entry('spec'), context);
  const runTime = entries && (await readRunTime(entries, { subject: 'spec' }, problems));
  if (!drafts) return undefined;
  const nodes = await Promise.all(drafts.map((draft) => specify(draft, context)));
  const graph = buildGraph(nodes, problems);
  checkColumns(graph, problems);
  const order = graph.order?.map((node) => {
    const codec = codecWithColumns(node, nodes, problems);
    return codec ? { ...node, codec } : node;
  });
  if (problems.errors > before || !order) return undefined;
  const { file, folder } = context;
  const name = metadata.name ?? defaultName(file, context.index);
  const printing = await withPrinters(order, problems);
  if (problems.errors > before) return undefined;
  const planned = printing.map((node) => plan(node, runTime?.control, problems));
  const exit = runTime?.exit;
  return {
    kind: kind ?? 'StreamPunchline',
    ...(apiVersion === undefined ? {} : { apiVersion }),
    name,
    annotations: metadata.annotations,
    file,
    folder,
    nodes: planned,
    ...(exit && { exit }),
  };
}

function readKind(entry: Entry, problems: ProblemList): PunchlineKind | 'foreign' | undefined {
  const { value } = entry;
  const word = value.kind === 'scalar' ? String(value.value) : '';
  if (!Object.hasOwn(foreignKinds, word)) return choiceAt(entry, 'kind', punchlineKinds, problems);
  problems.error(
    value.at,
    `kind is ${found(value)}, which Reef does not run (${foreignKinds[word]}), expected ${oneOf(punchlineKinds)}`,
  );
  return 'foreign';
}

/** `control`: that of the punchline, for nodes without their own. */
function plan(node: SpecifiedNode, control: Control | undefined, problems: ProblemList): PunchlineNode {
  const out = (node.out ?? []).map(({ to, table, columns }) => ({
    to,
    ...(table === undefined ? {} : { table }),
    ...(columns === undefined ? {} : { columns: columns.map(({ name, type }) => ({ name, type })) }),
  }));
  const held = node.kind === 'source' ? { ...control?.source, ...node.control?.source } : {};
  return {
    id: node.id!,
    kind: node.kind!,
    type: node.canonical!,
    settings: withBulkTimeout(node, node.control?.bulkTimeoutMs ?? control?.bulkTimeoutMs),
    ...(node.codec === undefined ? {} : { codec: node.codec }),
    ...(node.policy === undefined ? {} : { policy: node.policy }),
    ...(node.retry === undefined ? {} : { retry: node.retry }),
    ...(Object.keys(held).length === 0 ? {} : { control: held }),
    ...(node.exit === undefined ? {} : { exit: node.exit }),
    out,
    location: { file: problems.source.file, ...problems.source.position(node.at) },
  };
}

/** The settings; those of a sink of bulks that has no time of its own with this one. */
function withBulkTimeout(node: SpecifiedNode, timeoutMs: number | undefined): Readonly<Record<string, Json>> {
  const settings = node.settings as Readonly<Record<string, Json>>;
  const batch = settings?.batch;
  if (timeoutMs === undefined || node.spec?.kind !== 'sink' || !node.spec.bulk || !isBatch(batch)) return settings;
  const given = node.settingsTree?.entries;
  const own = given?.get('batch')?.value;
  const has =
    given?.has('bulk_interval') || given?.has('batch.timeout_ms') || (own?.kind === 'map' && own.entries.has('timeout_ms'));
  return has ? settings : { ...settings, batch: { ...batch, timeout_ms: timeoutMs } };
}

function isBatch(batch: Json | undefined): batch is { readonly timeout_ms: number } {
  return typeof batch === 'object' && batch !== null && 'timeout_ms' in batch;
}

interface Spec {
  readonly drafts?: NodeDraft[] | undefined;
  readonly runTime?: RunTimeEntries;
}

function readSpec(map: MapTree, specEntry: Entry | undefined, context: NodeContext): Spec {
  const { problems } = context;
  if (!specEntry) {
    const dag = map.entries.get('dag');
    if (dag) return { drafts: readDag(dag, context) };
    problems.error(map.at, 'the punchline has no spec, expected spec: with a dag: of nodes');
    return {};
  }
  const spec = mapAt(specEntry.value, 'spec', problems);
  if (!spec) return {};
  const entry = checkKeys(spec, specKeys, problems);
  const dag = entry('dag');
  if (!dag) problems.error(specEntry.keyAt, 'spec has no dag, expected a list of nodes');
  return { drafts: dag && readDag(dag, context), runTime: runTimeEntries(entry) };
}

function readDag(dag: Entry, context: NodeContext): NodeDraft[] | undefined {
  const { problems } = context;
  const list = listAt(dag.value, 'dag', problems);
  if (!list) return undefined;
  if (list.items.length === 0 || list.items.length > MAX_NODES) {
    problems.error(list.at, `dag has ${list.items.length} nodes, expected 2 to ${MAX_NODES}`);
    return undefined;
  }
  const drafts = list.items.map((item, index) => readNode(item, index, context));
  return drafts.includes(undefined) ? undefined : (drafts as NodeDraft[]);
}

interface Metadata {
  readonly name?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function readMetadata(entry: Entry | undefined, problems: ProblemList): Metadata {
  const metadata = entry && mapAt(entry.value, 'metadata', problems);
  if (!metadata) return { annotations: {} };
  const inner = checkKeys(metadata, metadataKeys, problems);
  const nameEntry = inner('name');
  const name = nameEntry && wordAt(nameEntry, 'metadata.name', problems);
  if (name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(name)) {
    const right = 'expected up to 253 letters, digits, "-", "_" and ".", a letter or digit first';
    problems.error(nameEntry!.value.at, `metadata.name is ${found(nameEntry!.value)}, ${right}`);
  }
  const annotations = readAnnotations(inner('annotations'), problems);
  return name === undefined ? { annotations } : { name, annotations };
}

function defaultName(file: string, index: number): string {
  const stem =
    file === '-'
      ? 'stdin'
      : basename(file, extname(file))
          .replace(/[^A-Za-z0-9._-]/g, '-')
          .replace(/^[^A-Za-z0-9]+/, '');
  return `${stem || 'punchline'}${index === 0 ? '' : `-${index + 1}`}`;
}
