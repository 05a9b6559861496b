/**
 * The punchline under test: the one that was loaded, with sources and sinks that belong to the test in place of its own, outs
 * beside those that are there where a case wants to see what a node hands on, and what is needed for faults. Functions, edges,
 * columns, tables and error tables stay as they are. All of it is plain data: the engine runs it as it runs any other.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { harnessFile } from '../assets.ts';
import { resolveNodeSpec } from '../nodes.ts';
import type { ColumnDeclaration } from '../spec/column-type.ts';
import { type Edge, ERROR_TABLE, type Json, type Punchline, type PunchlineNode } from '../spec/plan.ts';
import { validateSettings } from '../spec/validate.ts';
import type { Case, Fault, Input } from './case.ts';
import { OVER_LIMIT_FUNCTION, overLimitArgument, overLimitModule } from './harness/over-limit.ts';
import { rowText } from './row-text.ts';

/** Where all rejected rows are seen. */
export const REJECTED = '_test_rejected';
/** CPU time that a row gets which is to exceed its limit. */
const OVER_LIMIT_MS = 10;

const moduleUrl = (name: string): string => harnessFile(name).href;

export interface Rewired {
  readonly punchline: Punchline;
  /** Ids of the nodes that stand for others in error documents, with the ids of these. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Id of the sink that sees what a node hands on; a sink of the punchline sees it itself. */
export function observerOf(node: string, table: string | undefined): string {
  return `_test_out ${node} ${table ?? ''}`;
}

/** `folder`: for the rows of the inputs. */
export async function rewire(punchline: Punchline, test: Case, faults: readonly Fault[], folder: string): Promise<Rewired> {
  const nodes = new Map(punchline.nodes.map((node) => [node.id, node]));
  await replaceSources(nodes, test, folder);
  replaceSinks(nodes, test);
  await feedNodes(nodes, test, folder);
  observeOuts(nodes, test);
  observeErrors(nodes);
  const aliases = new Map<string, string>();
  for (const fault of faults) {
    if (fault.kind !== 'over_limit') continue;
    const stand = await exceedLimit(nodes, fault, folder);
    aliases.set(stand, fault.node);
  }
  const order = { source: 0, function: 1, sink: 2 } as const;
  const sorted = [...nodes.values()].sort((a, b) => order[a.kind] - order[b.kind]);
  return { punchline: { ...punchline, nodes: sorted }, aliases };
}

type Nodes = Map<string, PunchlineNode>;

async function replaceSources(nodes: Nodes, test: Case, folder: string): Promise<void> {
  // Without what bounds its rows a second.
  for (const { control: _, ...node } of [...nodes.values()]) {
    if (node.kind !== 'source' || test.real.includes(node.id)) continue;
    const input = test.input.get(node.id) ?? { rows: [] };
    nodes.set(node.id, { ...node, ...(await feeding(input, test, join(folder, `input-${nodes.size}-${safe(node.id)}`))) });
  }
}

/** What makes a source of the test out of a node. Rows are fed as JSON; bytes go through the node's own codec. */
async function feeding(input: Input, test: Case, path: string): Promise<Pick<PunchlineNode, 'type' | 'settings' | 'codec'>> {
  if ('rows' in input) await writeFile(path, input.rows.map((row) => `${rowText(row)}\n`).join(''));
  else if ('text' in input) await writeFile(path, input.text);
  const rows = test.batchRows ?? (test.faults.length > 0 && 'rows' in input ? Math.ceil(input.rows.length / 10) : 0);
  const paced = test.faults.some(({ kind }) => kind === 'restart');
  const settings = {
    path: 'file' in input ? input.file : path,
    batch_rows: rows,
    paced,
    ...(input.table === undefined ? {} : { table: input.table }),
  };
  return { type: moduleUrl('rows-source'), settings, ...('rows' in input ? { codec: { name: 'json' } } : {}) };
}

function replaceSinks(nodes: Nodes, test: Case): void {
  for (const node of [...nodes.values()]) {
    if (node.kind !== 'sink' || test.real.includes(node.id)) continue;
    const asText = test.expect.get(node.id)?.out?.how.kind === 'text';
    nodes.set(node.id, {
      ...node,
      ...collecting(node.id),
      // What a sink is waited for decides how fast a pipeline is, not what it gives: here all are.
      ...(node.policy === undefined ? {} : { policy: 'required' }),
      ...(asText && node.codec ? { codec: node.codec } : {}),
    });
  }
}

function collecting(node: string): Pick<PunchlineNode, 'type' | 'settings'> & { readonly codec: { readonly name: 'json' } } {
  return { type: moduleUrl('collecting-sink'), settings: { node }, codec: { name: 'json' } };
}

/** Rows can be fed to any node: a source of the test in front of it, with the columns that its other edges declare. */
async function feedNodes(nodes: Nodes, test: Case, folder: string): Promise<void> {
  for (const [id, input] of test.input) {
    const node = nodes.get(id)!;
    if (node.kind === 'source') continue;
    const source = `_test_in ${id}`;
    const columns = commonColumns(nodes, id);
    nodes.set(source, {
      id: source,
      kind: 'source',
      codec: { name: 'json' },
      ...(await feeding(input, test, join(folder, `input-${nodes.size}-${safe(id)}`))),
      out: [{ to: id, ...(columns === undefined ? {} : { columns }) }],
      location: node.location,
    });
  }
}

/** What all edges into a node declare, if it is the same. */
function commonColumns(nodes: Nodes, id: string): readonly ColumnDeclaration[] | undefined {
  const edges = [...nodes.values()].flatMap(({ out }) => out.filter(({ to, table }) => to === id && table !== ERROR_TABLE));
  const [first, ...others] = edges.map(({ columns }) => JSON.stringify(columns));
  return others.every((text) => text === first) ? edges[0]?.columns : undefined;
}

function observeOuts(nodes: Nodes, test: Case): void {
  for (const [id, { out, tables }] of test.expect) {
    const node = nodes.get(id)!;
    if (node.kind === 'sink') continue;
    const watched = [...(out === undefined ? [] : [undefined]), ...tables.keys()];
    for (const table of watched) {
      const observer = observerOf(id, table);
      nodes.set(observer, {
        id: observer,
        kind: 'sink',
        ...collecting(observer),
        policy: 'required',
        out: [],
        location: node.location,
      });
      const edge: Edge = { to: observer, ...(table === undefined ? {} : { table }) };
      nodes.set(id, { ...nodes.get(id)!, out: [...nodes.get(id)!.out, edge] });
    }
  }
}

/** A function that does nothing in each edge to an error table, so that the test sees what goes there and it goes on as before. */
function observeErrors(nodes: Nodes): void {
  const [any] = nodes.values();
  nodes.set(REJECTED, {
    id: REJECTED,
    kind: 'sink',
    ...collecting(REJECTED),
    policy: 'required',
    out: [],
    location: any!.location,
  });
  for (const node of [...nodes.values()]) {
    const out = node.out.map((edge, index): Edge => {
      if (edge.table !== ERROR_TABLE) return edge;
      const { to, columns } = edge;
      const pass = `_test_errors ${node.id} ${index}`;
      nodes.set(pass, {
        id: pass,
        kind: 'function',
        type: moduleUrl('pass'),
        settings: {},
        out: [{ to: REJECTED }, { to, ...(columns === undefined ? {} : { columns }) }],
        location: node.location,
      });
      return { to: pass, table: ERROR_TABLE };
    });
    if (out.some((edge, index) => edge !== node.out[index])) nodes.set(node.id, { ...node, out });
  }
  // A sink without edges into it would be in nobody's way, but it would be opened for nothing.
  if (![...nodes.values()].some(({ out }) => out.some(({ to }) => to === REJECTED))) nodes.delete(REJECTED);
}

/** A module that never returns for the row, under a real limit, in front of the function. Returns its id. */
async function exceedLimit(nodes: Nodes, fault: Fault & { readonly kind: 'over_limit' }, folder: string): Promise<string> {
  const id = `_test_over_limit ${fault.node} ${nodes.size}`;
  const path = join(folder, `over-limit-${nodes.size}.wasm`);
  await writeFile(path, overLimitModule);
  const spec = await resolveNodeSpec('function', 'wasm', folder);
  const { settings } = await validateSettings(spec.settings, {
    path,
    function: OVER_LIMIT_FUNCTION,
    format: 'json',
    input_columns: [fault.column],
    limits: { cpu_ms_per_row: OVER_LIMIT_MS },
    grant: { args: [overLimitArgument(fault.column, fault.value)] },
  });
  const columns = commonColumns(nodes, fault.node);
  for (const node of [...nodes.values()]) {
    const out = node.out.map((edge) => (edge.to === fault.node && edge.table !== ERROR_TABLE ? { ...edge, to: id } : edge));
    nodes.set(node.id, { ...node, out });
  }
  nodes.set(id, {
    id,
    kind: 'function',
    type: 'wasm',
    settings: settings as Readonly<Record<string, Json>>,
    out: [{ to: fault.node, ...(columns === undefined ? {} : { columns }) }],
    location: nodes.get(fault.node)!.location,
  });
  return id;
}

function safe(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, '_');
}
