/** The nodes as a graph: do all edges lead somewhere, is it free of loops, and does every row have a way from source to sink. */
import { nearestWord } from '../spec/nearest-word.ts';
import { oneOf } from '../spec/setting-text.ts';
import { quote } from './keys.ts';
import type { ProblemList } from './problem.ts';
import type { SpecifiedNode } from './read-node.ts';
import type { EdgeDraft } from './read-out.ts';

export interface Link {
  readonly from: SpecifiedNode;
  readonly edge: EdgeDraft;
  readonly to: SpecifiedNode;
}

export interface Graph {
  readonly nodes: readonly SpecifiedNode[];
  /** Every edge whose ends are known; a misspelt id leads to the node that was probably meant. */
  readonly links: readonly Link[];
  readonly linksFrom: ReadonlyMap<SpecifiedNode, readonly Link[]>;
  /** Sources first, each node behind all that lead to it; absent when there is a loop. */
  readonly order?: readonly SpecifiedNode[];
}

export function buildGraph(nodes: readonly SpecifiedNode[], problems: ProblemList): Graph {
  const byId = uniqueIds(nodes, problems);
  const links: Link[] = [];
  let unknown = false;
  for (const from of nodes) {
    checkOutPresence(from, problems);
    // An edge that leads nowhere would make others look unreachable: that is not told twice.
    if (from.role === undefined || from.outUnclear) unknown = true;
    for (const edge of from.out ?? []) {
      const to = byId.get(edge.to) ?? misspelt(edge, from, byId, problems);
      if (!to) unknown = true;
      else {
        links.push({ from, edge, to });
        checkTarget(from, edge, to, problems);
      }
    }
  }
  const looped = reportLoops(nodes, links, problems);
  const counted = nodes.filter((node) => node.id === undefined || byId.get(node.id) === node);
  if (!unknown) checkReach(counted, links, problems);
  if (!unknown && !looped) checkEnds(counted, links, problems);
  const linksFrom = Map.groupBy(links, (link) => link.from);
  return looped ? { nodes, links, linksFrom } : { nodes, links, linksFrom, order: order(nodes, linksFrom) };
}

function uniqueIds(nodes: readonly SpecifiedNode[], problems: ProblemList): Map<string, SpecifiedNode> {
  const byId = new Map<string, SpecifiedNode>();
  for (const node of nodes) {
    if (node.id === undefined) continue;
    const first = byId.get(node.id);
    if (!first) byId.set(node.id, node);
    else {
      const { line } = problems.source.position(first.idAt);
      problems.error(node.idAt, `node id ${quote(node.id)} is used twice (first in line ${line}), expected ids that differ`);
    }
  }
  return byId;
}

function checkOutPresence({ kind, role, hasOut, at, outKeyAt, subject }: SpecifiedNode, problems: ProblemList): void {
  if (role === 'sink' && hasOut) problems.error(outKeyAt, `${subject} is a sink and has out, expected none: rows end in a sink`);
  if (kind !== undefined && role !== undefined && role !== 'sink' && !hasOut) {
    problems.error(at, `${subject} is a ${role} and has no out, expected the nodes that its rows go to: out: [{id: …}]`);
  }
}

const MOST_SUGGESTIONS = 200;

function misspelt(
  edge: EdgeDraft,
  from: SpecifiedNode,
  byId: ReadonlyMap<string, SpecifiedNode>,
  problems: ProblemList,
): SpecifiedNode | undefined {
  const ids = [...byId.keys()].filter((id) => id !== from.id);
  // Comparing every wrong id with every right one is not worth it when there are hundreds of both.
  const meant = problems.errors > MOST_SUGGESTIONS ? undefined : nearestWord(edge.to, ids);
  const expected = ids.length === 0 ? 'the id of another node' : oneOf(ids);
  problems.error(edge.toAt, `${from.subject}: out leads to ${quote(edge.to)}, which is no node, expected ${expected}`, meant);
  return meant === undefined ? undefined : byId.get(meant);
}

function checkTarget(from: SpecifiedNode, edge: EdgeDraft, to: SpecifiedNode, problems: ProblemList): void {
  if (to.role !== 'source') return;
  problems.error(edge.toAt, `${from.subject}: out leads to ${quote(to.id!)}, which is a source, expected a function or a sink`);
}

// ---------------------------------------------------------------------------------------------------------------- loops

function reportLoops(nodes: readonly SpecifiedNode[], links: readonly Link[], problems: ProblemList): boolean {
  let rest = trimmed(new Set(nodes), links);
  const looped = rest.size > 0;
  while (rest.size > 0) {
    const loop = findLoop(rest, links);
    const ids = [...loop.map((link) => link.from), loop[0]!.from].map((node) => node.id ?? node.subject);
    const { edge } = loop.at(-1)!;
    problems.error(
      edge.toAt,
      `the nodes form a loop: ${shortened(ids).join(' → ')}, expected rows to go one way, from sources to sinks`,
    );
    const left = new Set(rest);
    for (const link of loop) left.delete(link.from);
    rest = trimmed(left, links);
  }
  return looped;
}

function shortened(ids: readonly string[]): readonly string[] {
  return ids.length <= 12 ? ids : [...ids.slice(0, 6), '…', ...ids.slice(-3)];
}

/** Leaves only nodes that are in a loop or between loops. */
function trimmed(nodes: Set<SpecifiedNode>, links: readonly Link[]): Set<SpecifiedNode> {
  for (let size = -1; size !== nodes.size; ) {
    size = nodes.size;
    const inner = links.filter((link) => nodes.has(link.from) && nodes.has(link.to));
    const entered = new Set(inner.map((link) => link.to));
    const left = new Set(inner.map((link) => link.from));
    for (const node of nodes) if (!entered.has(node) || !left.has(node)) nodes.delete(node);
  }
  return nodes;
}

/** Every node of `nodes` has a link to another one of them, so walking on must come back. */
function findLoop(nodes: ReadonlySet<SpecifiedNode>, links: readonly Link[]): Link[] {
  const walk: Link[] = [];
  const seen = new Map<SpecifiedNode, number>();
  let [here] = nodes;
  while (!seen.has(here!)) {
    seen.set(here!, walk.length);
    const next = links.find((link) => link.from === here && nodes.has(link.to))!;
    walk.push(next);
    here = next.to;
  }
  return walk.slice(seen.get(here!));
}

function order(nodes: readonly SpecifiedNode[], linksFrom: ReadonlyMap<SpecifiedNode, readonly Link[]>): SpecifiedNode[] {
  const waiting = new Map(nodes.map((node) => [node, 0]));
  for (const { to } of [...linksFrom.values()].flat()) waiting.set(to, waiting.get(to)! + 1);
  const start = nodes.filter((node) => waiting.get(node) === 0);
  const ordered = [...start.filter((node) => node.role === 'source'), ...start.filter((node) => node.role !== 'source')];
  for (const node of ordered) {
    for (const { to } of linksFrom.get(node) ?? []) {
      const left = waiting.get(to)! - 1;
      waiting.set(to, left);
      if (left === 0) ordered.push(to);
    }
  }
  return ordered;
}

// ---------------------------------------------------------------------------------------------------------------- reach

function checkReach(nodes: readonly SpecifiedNode[], links: readonly Link[], problems: ProblemList): void {
  const reached = closure(
    nodes.filter((node) => node.role === 'source'),
    links,
    ({ from, to }) => [from, to],
  );
  const entered = new Set(links.map((link) => link.to));
  for (const node of nodes) {
    if (reached.has(node)) continue;
    const is = entered.has(node) ? 'is reached from no source' : 'has no node that leads to it';
    problems.error(node.at, `${node.subject} ${is}, expected a way from a source`);
  }
}

function checkEnds(nodes: readonly SpecifiedNode[], links: readonly Link[], problems: ProblemList): void {
  const reaching = closure(
    nodes.filter((node) => node.role === 'sink'),
    links,
    ({ from, to }) => [to, from],
  );
  for (const node of nodes) {
    if (!reaching.has(node)) {
      problems.error(node.outKeyAt, `${node.subject} has no way to a sink, expected one: its rows would be lost`);
    }
  }
}

function closure(
  start: readonly SpecifiedNode[],
  links: readonly Link[],
  direction: (link: Link) => readonly [SpecifiedNode, SpecifiedNode],
): Set<SpecifiedNode> {
  const next = Map.groupBy(links.map(direction), ([from]) => from);
  const found = new Set(start);
  for (const node of found) for (const [, other] of next.get(node) ?? []) found.add(other);
  return found;
}
