/** Puts the functions that sources ask for (`SourceSpec.front`) between them and where their rows go, as nodes of their own. */
import { resolveNodeSpec } from '../nodes.ts';
import type { Punchline, PunchlineNode } from '../spec/plan.ts';
import { ERROR_TABLE } from '../spec/plan.ts';
import { validateSettings } from '../spec/validate.ts';

export async function withFronts(punchline: Punchline): Promise<Punchline> {
  const fronts: PunchlineNode[] = [];
  const nodes = await Promise.all(
    punchline.nodes.map(async (node) => {
      if (node.kind !== 'source') return node;
      const front = await frontOf(node, punchline);
      if (!front) return node;
      fronts.push(front.node);
      return { ...node, lineColumn: front.lineColumn, out: [{ to: front.node.id }] };
    }),
  );
  if (fronts.length === 0) return punchline;
  // In topological order.
  const sources = nodes.filter(({ kind }) => kind === 'source');
  return { ...punchline, nodes: [...sources, ...fronts, ...nodes.filter(({ kind }) => kind !== 'source')] };
}

async function frontOf(
  source: PunchlineNode,
  { nodes, folder }: Punchline,
): Promise<{ readonly node: PunchlineNode; readonly lineColumn: string } | undefined> {
  const spec = await resolveNodeSpec('source', source.type, folder);
  const edges = source.out.filter(({ table }) => table !== ERROR_TABLE);
  const declared = edges.every(({ columns }) => columns) ? edges.flatMap(({ columns }) => columns ?? []) : undefined;
  const front = spec.front?.(source.settings as never, declared);
  if (!front) return undefined;
  const { type, lineColumn } = front;
  const { settings, problems } = await validateSettings(
    (await resolveNodeSpec('function', type, folder)).settings,
    front.settings,
  );
  if (!settings)
    throw new TypeError(`Cannot run "${type}" for source "${source.id}": its settings have ${problems.length} mistakes`);
  let id = `${source.id}.${type}`;
  while (nodes.some((other) => other.id === id)) id += '_';
  return { node: { id, kind: 'function', type, settings, out: source.out, location: source.location }, lineColumn };
}
