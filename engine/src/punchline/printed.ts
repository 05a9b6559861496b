/**
 * `debug` and `show` become nodes of the graph: rows are printed by a sink like any other, so they are encoded where all rows are, and
 * nothing of the engine needs to know of it.
 */
import { resolveNodeSpec } from '../nodes.ts';
import { ERROR_TABLE } from '../spec/plan.ts';
import type { ProblemList } from './problem.ts';
import type { SpecifiedNode } from './read-node.ts';
import type { ColumnDraft, EdgeDraft } from './read-out.ts';
import { readSettings } from './settings.ts';

const PRINTER = 'stdout';

/** The nodes in their order, with printers where some of them print. Ids that begin like theirs are told as problems. */
export async function withPrinters(nodes: readonly SpecifiedNode[], problems: ProblemList): Promise<readonly SpecifiedNode[]> {
  if (nodes.every(({ print }) => print === undefined)) return nodes;
  const spec = await resolveNodeSpec('sink', PRINTER, '');
  const printer = async (node: SpecifiedNode): Promise<SpecifiedNode> => {
    const settings = await readSettings({ spec, tree: undefined, at: node.at, subject: node.subject }, problems);
    return { ...node, kind: 'sink', canonical: PRINTER, spec, ...settings };
  };
  const added: SpecifiedNode[] = [];
  const edges = new Map<string, EdgeDraft[]>();
  const changed = await Promise.all(
    nodes.map(async (node) => {
      if (node.print === undefined) return node;
      if (node.print === 'instead') {
        problems.warning(node.settingsAt, `${node.subject} shows its rows on standard output and sends none: show is true`);
        return printer(node);
      }
      const id = printerId(node.id!);
      if (nodes.some((other) => other.id === id)) {
        problems.error(
          node.idAt,
          `${node.subject} prints through a node "${id}", which another node is called, expected another id`,
        );
      }
      added.push({ ...(await printer(node)), id, out: [] });
      for (const [from, edge] of node.kind === 'sink' ? edgesInto(node, nodes) : edgesFrom(node)) {
        edges.set(from, [...(edges.get(from) ?? []), { ...edge, to: id }]);
      }
      return node;
    }),
  );
  return [...changed.map((node) => ({ ...node, out: [...(node.out ?? []), ...(edges.get(node.id!) ?? [])] })), ...added];
}

function printerId(id: string): string {
  return `${id} (printed)`;
}

type From = readonly [id: string, edge: EdgeDraft];

/** What leaves a node: once, and once more for each table that rows are routed to. */
function edgesFrom({ id, out = [], spec, settings, outAt }: SpecifiedNode): From[] {
  const routed = spec && spec.kind !== 'sink' && settings ? (spec.tables?.(settings) ?? []) : [];
  const tables = new Set(out.map(({ table }) => (table !== undefined && routed.includes(table) ? table : undefined)));
  // A source that is told its columns by `out` is still told all of them.
  const columns =
    spec?.kind === 'source' && out.every((edge) => edge.columns) ? out.flatMap((edge) => edge.columns ?? []) : undefined;
  const place = { at: outAt, to: '', toAt: outAt, tableAt: outAt, ...(columns && { columns: untyped(columns) }) };
  return Array.from(tables.add(undefined), (table) => [id!, { ...place, ...(table === undefined ? {} : { table }) }]);
}

/** What comes to a sink. The error table goes to one node only. */
function edgesInto({ id }: SpecifiedNode, nodes: readonly SpecifiedNode[]): From[] {
  return nodes.flatMap((node) =>
    (node.out ?? [])
      .filter(({ to, table }) => to === id && table !== ERROR_TABLE)
      .map((edge): From => [node.id!, { ...edge, ...(edge.columns && { columns: untyped(edge.columns) }) }]),
  );
}

/** Printed before types are converted: a row that cannot be converted is to be rejected once, not twice. */
function untyped(columns: readonly ColumnDraft[]): ColumnDraft[] {
  return [...new Map(columns.map((column) => [column.name, { ...column, type: 'any' as const }])).values()];
}
