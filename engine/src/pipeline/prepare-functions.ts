import type { FunctionSpec } from '../spec/function.ts';
import type { Log } from '../spec/node.ts';
import type { Punchline, PunchlineNode } from '../spec/plan.ts';
import type { Suspect } from '../state/suspects.ts';
import type { PreparedFunction } from '../worker/protocol.ts';
import type { SpecifiedNode } from './plan-worker.ts';

/**
 * What functions make once for all workers (a compiled module, say), in the order of the plan. A function whose module has killed
 * the process is not even compiled: its rows are rejected.
 */
export function prepareFunctions(
  punchline: Punchline,
  specs: ReadonlyMap<string, SpecifiedNode>,
  suspects: readonly Suspect[],
  log: Log,
): Promise<PreparedFunction[]> {
  const killers = new Set(suspects.flatMap((suspect) => (suspect.kind === 'digest' ? [suspect.digest] : [])));
  const functions = punchline.nodes.filter(({ kind }) => kind === 'function');
  return Promise.all(
    functions.map(async ({ id, settings }): Promise<PreparedFunction> => {
      const spec = specs.get(id)!.spec as FunctionSpec;
      const context = { id, settings: settings as never, folder: punchline.folder };
      const digest = killers.size > 0 ? await spec.digestOf?.(context) : undefined;
      if (digest !== undefined && killers.has(digest)) {
        const isolated = isolatedReason(id, digest);
        log.warn(isolated);
        return { isolated, digest };
      }
      return spec.prepare ? { value: await spec.prepare(context) } : {};
    }),
  );
}

/**
 * The modules that a punchline's functions name, without repeats, each behind all that it hands rows to: of two that hide the same
 * death by being left out, the first one is the one that dies.
 */
export async function moduleDigests(punchline: Punchline, specs: ReadonlyMap<string, SpecifiedNode>): Promise<string[]> {
  const digests = await Promise.all(
    downstreamFirst(punchline.nodes).map(({ id, kind, settings }) =>
      kind === 'function'
        ? (specs.get(id)!.spec as FunctionSpec).digestOf?.({ id, settings: settings as never, folder: punchline.folder })
        : undefined,
    ),
  );
  const known = digests.filter((digest) => digest !== undefined);
  return known.filter((digest, index) => known.lastIndexOf(digest) === index);
}

function downstreamFirst(nodes: readonly PunchlineNode[]): PunchlineNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Set<PunchlineNode>();
  const visit = (node: PunchlineNode): void => {
    if (done.has(node)) return;
    for (const { to } of node.out) visit(byId.get(to)!);
    done.add(node);
  };
  nodes.forEach(visit);
  return [...done];
}

function isolatedReason(node: string, digest: string): string {
  return `function "${node}" is isolated, its rows are rejected: its module (SHA-256 ${digest}) has killed the process before; replace the module, or take it out of suspects.json in the state folder`;
}
