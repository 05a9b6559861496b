/** CSV must know its columns before it runs: they stand in `encoding`, or are what the edges declare. */
import { type Codec, type CsvCodec, ERROR_COLUMN, ERROR_TABLE } from '../spec/plan.ts';
import { quote } from './keys.ts';
import type { ProblemList } from './problem.ts';
import type { SpecifiedNode } from './read-node.ts';

/** The codec of a node with the columns that its CSV has; `undefined` for a node without codec. */
export function codecWithColumns(node: SpecifiedNode, nodes: readonly SpecifiedNode[], problems: ProblemList): Codec | undefined {
  const { codec } = node;
  if (codec?.name !== 'csv' || codec.columns) return codec;
  if (node.kind === 'sink') return withColumns(codec, columnsInto(node, nodes, problems));
  return codec.header ? codec : withColumns(codec, columnsOutOf(node, problems));
}

function withColumns(codec: CsvCodec, columns: readonly string[] | undefined): CsvCodec {
  return columns ? { ...codec, columns } : codec;
}

function columnsOutOf({ out = [], subject, settingsAt }: SpecifiedNode, problems: ProblemList): readonly string[] | undefined {
  for (const { columns, table } of out) {
    const names = table === ERROR_TABLE ? [] : own(columns);
    if (names.length > 0) return names;
  }
  problems.error(settingsAt, `${subject}: its CSV has no header, expected encoding.columns, or columns in an entry of out`);
  return undefined;
}

/** Metadata is no part of what is read. */
function own(columns: readonly { readonly name: string }[] = []): string[] {
  return columns.map(({ name }) => name).filter((name) => !name.startsWith('_ppf_'));
}

function columnsInto(
  { id, subject, settingsAt }: SpecifiedNode,
  nodes: readonly SpecifiedNode[],
  problems: ProblemList,
): readonly string[] | undefined {
  const edges = nodes.flatMap((from) => (from.out ?? []).filter(({ to }) => to === id).map((edge) => ({ from, edge })));
  const lists = edges.map(({ edge }) => (edge.table === ERROR_TABLE ? [ERROR_COLUMN] : edge.columns?.map(({ name }) => name)));
  const expected = 'expected encoding.columns';
  const open = lists.indexOf(undefined);
  if (open >= 0) {
    const { from } = edges[open]!;
    problems.error(
      settingsAt,
      `${subject}: the columns of its CSV are not known (the out of ${quote(from.id ?? '')} declares none), ${expected}`,
    );
    return undefined;
  }
  const [first, ...others] = lists as string[][];
  if (first && others.every((columns) => columns.join('\0') === first.join('\0'))) return first;
  problems.error(settingsAt, `${subject}: the outs to it declare different columns, ${expected}`);
  return undefined;
}
