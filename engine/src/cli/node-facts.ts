/** What there is to say of a node type, all of it from its declaration: for `reef list`, `reef help` and the reference pages. */
import { builtins, nodeKinds } from '../nodes.ts';
import { missingLibraries } from '../spec/client-libraries.ts';
import { allSettings } from '../spec/common-settings.ts';
import { describe, type SettingRow } from '../spec/describe.ts';
import type { NodeExample } from '../spec/node.ts';
import type { NodeSpec } from '../spec/node-spec.ts';
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
    metrics: [...countedBy[kind], ...Object.entries(spec.metrics ?? {}).map(([name, doc]) => ({ name, doc }))],
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

/** What the engine counts for every node of a kind. */
const countedBy: Readonly<Record<NodeKind, readonly { readonly name: string; readonly doc: string }[]>> = {
  source: [
    { name: 'rows', doc: 'Rows read.' },
    { name: 'bytes', doc: 'Bytes read.' },
    { name: 'rejected', doc: 'Rows that its encoding cannot read, or that do not convert to the columns its outs declare.' },
  ],
  function: [
    { name: 'filtered', doc: 'Rows that it has filtered out.' },
    { name: 'rejected', doc: 'Rows that it has sent to the error table.' },
    { name: 'nowhere', doc: 'Rows that it has routed to a table for which there is no out.' },
  ],
  sink: [
    { name: 'reached', doc: 'Rows that have reached it.' },
    { name: 'delivered', doc: 'Rows that it has confirmed.' },
    { name: 'rejected', doc: 'Rows that its encoding cannot write, or that it has refused for good.' },
    { name: 'dropped', doc: 'Rows that it was too slow for; only with `best_effort`.' },
    { name: 'retries', doc: 'Tries that have failed and were made again.' },
  ],
};
