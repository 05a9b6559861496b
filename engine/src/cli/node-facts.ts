/** What there is to say of a node type, all of it from its declaration: for `reef list`, `reef help` and the reference pages. */
import { builtins, nodeKinds } from '../nodes.ts';
import { series } from '../observe/series.ts';
import { missingLibraries } from '../spec/client-libraries.ts';
import { allSettings } from '../spec/common-settings.ts';
import { describe, type SettingRow } from '../spec/describe.ts';
import type { NodeExample } from '../spec/node.ts';
import type { NodeSpec } from '../spec/node-spec.ts';
import { OWN_METRIC_PREFIX } from '../spec/own-metrics.ts';
import type { NodeKind } from '../spec/plan.ts';

export interface NodeFacts {
  readonly kind: NodeKind;
  readonly type: string;
  /** Other spellings of the type. */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly settings: readonly SettingRow[];
  /** What is promised about delivery. */
  readonly delivery: string;
  readonly security: string | undefined;
  readonly metrics: readonly { readonly name: string; readonly doc: string }[];
  readonly examples: readonly NodeExample[];
  /** Client libraries that it needs, and those of them that are not installed: `name@version`. */
  readonly requires: readonly string[];
  readonly missing: readonly string[];
}

/** Of every built-in type: sources, functions, sinks, each by name. */
export async function allNodeFacts(): Promise<NodeFacts[]> {
  const facts = nodeKinds.map((kind) =>
    Promise.all(
      Object.keys(builtins[kind])
        .toSorted()
        .map((type) => nodeFacts(kind, type)),
    ),
  );
  return (await Promise.all(facts)).flat();
}

/** `type`: a key of the registry. */
export async function nodeFacts(kind: NodeKind, type: string): Promise<NodeFacts> {
  const { default: spec } = await builtins[kind][type]!();
  return {
    kind,
    type,
    aliases: [`${type}_${kind}`],
    summary: spec.summary,
    settings: describe(allSettings(spec)),
    delivery: deliveryOf(spec),
    security: spec.security,
    metrics: metricsOf(kind, spec),
    examples: spec.examples,
    requires: Object.entries(spec.requires ?? {}).map(([name, version]) => `${name}@${version}`),
    missing: missingLibraries(spec.requires),
  };
}

const inPlace = 'A row counts as delivered when every required sink behind it has it; one that is filtered out counts at once.';
const stateless =
  'It keeps nothing from row to row: any worker takes any batch, and the order within a partition is kept. After a kill rows may come again.';
const stateful =
  'It remembers something from row to row: all rows of a partition go to one worker, in order. What it remembers is gone after a restart.';

function deliveryOf(spec: NodeSpec): string {
  return spec.kind === 'function' ? `${inPlace} ${spec.state === 'partition' ? stateful : stateless}` : spec.delivery;
}

/** What the engine counts for every node of a kind: series of its own, and those of any node. */
const countedBy: Readonly<Record<NodeKind, readonly string[]>> = {
  source: ['reef_source_', 'reef_rejected_'],
  function: ['reef_function_', 'reef_rejected_', 'reef_noticed_'],
  sink: ['reef_sink_', 'reef_rejected_'],
};

function metricsOf(kind: NodeKind, { metrics = {} }: NodeSpec): NodeFacts['metrics'] {
  const common = series.filter(({ name }) => countedBy[kind].some((prefix) => name.startsWith(prefix)));
  const own = Object.entries(metrics).map(([name, doc]) => ({ name: `${OWN_METRIC_PREFIX}${name}`, doc }));
  return [...common.map(({ name, help }) => ({ name, doc: help })), ...own];
}
