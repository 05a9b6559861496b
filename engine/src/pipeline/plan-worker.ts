/** Turns a punchline and the specs of its nodes into what a worker needs: indexes instead of names, error targets resolved. */
import type { ColumnDeclaration } from '../spec/column-type.ts';
import type { FunctionSpec } from '../spec/function.ts';
import type { NodeSpec } from '../spec/node-spec.ts';
import { type Edge, ERROR_TABLE, lineColumnOf, type Punchline, type PunchlineNode, RAW_COLUMN } from '../spec/plan.ts';
import { keptSecrets } from '../spec/secrets.ts';
import type { SinkSpec } from '../spec/sink.ts';
import type { SourceSpec } from '../spec/source.ts';
import type { EdgeTarget, ErrorTarget, PlannedEdge, WorkerPlan } from '../worker/protocol.ts';

/** Id of the file sink that rejected rows go to where no error table is near. */
export const DEAD_LETTERS = '_dead_letters';

/** A node with its spec. */
export interface SpecifiedNode {
  readonly node: PunchlineNode;
  readonly spec: NodeSpec;
}

export function planWorker(punchline: Punchline, specified: ReadonlyMap<string, SpecifiedNode>): WorkerPlan {
  const of = (kind: PunchlineNode['kind']): PunchlineNode[] => punchline.nodes.filter((node) => node.kind === kind);
  const sources = of('source');
  const functions = of('function');
  const sinks = of('sink');
  const targets = new Map<string, EdgeTarget>();
  functions.forEach((node, index) => {
    targets.set(node.id, { function: index });
  });
  sinks.forEach((node, index) => {
    targets.set(node.id, { sink: index });
  });
  const byId = new Map(punchline.nodes.map((node) => [node.id, node]));
  const planEdge = (edge: Edge): PlannedEdge => ({
    target: targets.get(edge.to)!,
    ...(edge.table === undefined ? {} : { table: edge.table }),
    ...(edge.columns === undefined ? {} : { columns: edge.columns }),
  });
  const errorsOf = (node: PunchlineNode): ErrorTarget => {
    const edge = nearestErrorEdge(node, byId);
    return edge && planEdge(edge);
  };
  return {
    punchline: punchline.name,
    punchlineKind: punchline.kind,
    folder: punchline.folder,
    columns: [...columnNames(punchline, specified)],
    sources: sources.map((node) => ({
      id: node.id,
      codec: node.codec ?? { name: 'json' },
      lineColumn: lineColumn(node),
      out: node.out.map(planEdge),
      errors: errorsOf(node),
    })),
    functions: functions.map((node) => ({
      id: node.id,
      type: node.type,
      settings: node.settings,
      declared: declaredInto(node, punchline.nodes),
      out: node.out.map(planEdge),
      errors: errorsOf(node),
    })),
    sinks: [
      ...sinks.map((node) => {
        const spec = specified.get(node.id)!.spec as SinkSpec;
        const feeder = punchline.nodes.find((other) =>
          other.out.some((edge) => edge.to === node.id && edge.table !== ERROR_TABLE),
        );
        const settings = node.settings as never;
        const side = spec.sideColumns?.(settings) ?? [];
        const rowOffsets = spec.rowOffsets || spec.needsOffsets?.(settings);
        return {
          id: node.id,
          codec: node.codec ?? { name: 'json' as const },
          payload: spec.payload ?? true,
          rowOffsets: spec.bulk || side.length > 0 || (rowOffsets ?? false),
          origins: spec.bulk ?? false,
          side,
          errors: feeder && errorsOf(feeder),
        };
      }),
      {
        id: DEAD_LETTERS,
        codec: { name: 'json' },
        payload: true,
        rowOffsets: false,
        origins: false,
        side: [],
        errors: undefined,
      },
    ],
    deadLetters: sinks.length,
    secrets: keptSecrets(),
  };
}

/** Sinks that good rows reach: each batch gets output memory for them up front. */
export function sinksOfGoodRows(plan: WorkerPlan): ReadonlySet<number> {
  const reached = new Set<number>();
  const walk = (edges: readonly PlannedEdge[]): void => {
    for (const { target, table } of edges) {
      if (table === ERROR_TABLE) continue;
      if ('sink' in target) reached.add(target.sink);
      else walk(plan.functions[target.function]!.out);
    }
  };
  for (const source of plan.sources) walk(source.out);
  return reached;
}

/** What every edge into the node declares, with one type. */
function declaredInto(node: PunchlineNode, nodes: readonly PunchlineNode[]): readonly ColumnDeclaration[] {
  const edges = nodes.flatMap(({ out }) => out.filter(({ to, table }) => to === node.id && table !== ERROR_TABLE));
  const [first, ...others] = edges.map(({ columns }) => columns ?? []);
  const inAll = (column: ColumnDeclaration): boolean =>
    others.every((columns) => columns.some(({ name, type }) => name === column.name && type === column.type));
  return first?.filter(inAll) ?? [];
}

/** The node's own error table, else the nearest one downstream. */
function nearestErrorEdge(start: PunchlineNode, byId: ReadonlyMap<string, PunchlineNode>): Edge | undefined {
  const seen = new Set([start.id]);
  let level = [start];
  while (level.length > 0) {
    for (const node of level) {
      const edge = node.out.find(({ table }) => table === ERROR_TABLE);
      if (edge) return edge;
    }
    level = level
      .flatMap((node) => node.out.map(({ to }) => byId.get(to)!))
      .filter((node) => !seen.has(node.id) && seen.add(node.id));
  }
  return undefined;
}

function lineColumn(node: PunchlineNode): string {
  if (node.lineColumn !== undefined) return node.lineColumn;
  return node.codec?.name === 'raw' ? RAW_COLUMN : lineColumnOf(node.out);
}

function columnNames(punchline: Punchline, specified: ReadonlyMap<string, SpecifiedNode>): Set<string> {
  const names = new Set<string>();
  const add = (more: readonly string[] = []): void => {
    for (const name of more) names.add(name);
  };
  for (const node of punchline.nodes) {
    for (const { columns } of node.out) add(columns?.map(({ name }) => name));
    const { spec } = specified.get(node.id)!;
    const settings = node.settings as never;
    if (node.kind === 'source') {
      add((spec as SourceSpec).columns?.(settings)?.map(({ name }) => name));
      if (node.codec?.name === 'line' || node.codec?.name === 'raw') add([lineColumn(node)]);
    } else if (node.kind === 'function') {
      const { reads, writes, removes, keeps } = spec as FunctionSpec;
      add(reads(settings));
      add(writes(settings).map(({ name }) => name));
      add(removes?.(settings));
      add(keeps?.(settings));
    } else {
      const { reads, sideColumns } = spec as SinkSpec;
      add(reads?.(settings));
      add(sideColumns?.(settings).flat());
      if (node.codec?.name === 'csv') add(node.codec.columns);
    }
  }
  return names;
}
