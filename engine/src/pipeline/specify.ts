import { resolveNodeSpec } from '../nodes.ts';
import type { Punchline } from '../spec/plan.ts';
import type { SpecifiedNode } from './plan-worker.ts';

/** Loads the declaration of every node of a punchline; runs the code of users' own modules. */
export async function specify(punchline: Punchline): Promise<ReadonlyMap<string, SpecifiedNode>> {
  const entries = punchline.nodes.map(async (node): Promise<[string, SpecifiedNode]> => {
    return [node.id, { node, spec: await resolveNodeSpec(node.kind, node.type, punchline.folder) }];
  });
  return new Map(await Promise.all(entries));
}
