/** Reads values of a case file and says what is wrong with them, by place. */
import { checkKeys, found, listAt, mapAt, wordAt } from '../punchline/keys.ts';
import type { KeyTable } from '../punchline/known-keys.ts';
import type { ProblemList } from '../punchline/problem.ts';
import { type Entry, type MapTree, plainValue, type Tree } from '../punchline/tree.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import type { NodeKind } from '../spec/plan.ts';
import { oneOf, quotedList } from '../spec/setting-text.ts';
import type { Row } from './case.ts';

export interface KnownNode {
  readonly id: string;
  readonly kind: NodeKind;
}

/** What is read is `undefined` when it is wrong; the problem is told. */
export class CaseReader {
  readonly problems: ProblemList;
  readonly nodes: readonly KnownNode[];

  constructor(problems: ProblemList, nodes: readonly KnownNode[]) {
    this.problems = problems;
    this.nodes = nodes;
  }

  /** A map with these keys: gives a function from key to entry. */
  map(tree: Tree, what: string, keys: KeyTable): ((key: string) => Entry | undefined) | undefined {
    const map = mapAt(tree, what, this.problems);
    return map && checkKeys(map, { ...keys, where: what }, this.problems);
  }

  /** The one key that a map has of several. */
  oneKey(map: MapTree, what: string, keys: readonly string[], table: KeyTable): string | undefined {
    const given = keys.filter((key) => map.entries.has(key));
    if (given.length === 1) return given[0];
    const [, second] = given;
    if (second !== undefined) {
      this.problems.error(map.entries.get(second)!.keyAt, `${what} has ${quotedList(given)}, expected one of them`);
    } else if ([...map.entries.keys()].every((key) => table.known.includes(key))) {
      // Where a key is unknown, that has been told.
      this.problems.error(map.at, `${what} is empty, expected ${oneOf(keys)}`);
    }
    return undefined;
  }

  text(entry: Entry, what: string): string | undefined {
    const { value } = entry;
    if (value.kind === 'scalar' && typeof value.value === 'string') return value.value;
    this.problems.error(value.at, `${what} is ${found(value)}, expected text`);
    return undefined;
  }

  word(entry: Entry, what: string): string | undefined {
    return wordAt(entry, what, this.problems);
  }

  whole(
    entry: Entry | undefined,
    what: string,
    { least, fallback }: { readonly least: number; readonly fallback: number },
  ): number {
    if (!entry) return fallback;
    const { value } = entry;
    if (value.kind === 'scalar' && typeof value.value === 'number' && Number.isInteger(value.value) && value.value >= least)
      return value.value;
    this.problems.error(value.at, `${what} is ${found(value)}, expected a whole number of at least ${least}`);
    return fallback;
  }

  rows(tree: Tree, what: string): Row[] | undefined {
    const list = listAt(tree, what, this.problems);
    if (!list) return undefined;
    const rows = list.items.map((item, index) => this.row(item, `${what}, row ${index + 1},`));
    return rows.includes(undefined) ? undefined : (rows as Row[]);
  }

  row(tree: Tree, what: string): Row | undefined {
    const map = mapAt(tree, what, this.problems);
    if (!map) return undefined;
    const infinite = findInfinite(map);
    if (infinite === undefined) return plainValue(map) as Row;
    this.problems.error(infinite.at, `${what} holds ${found(infinite)}, expected what JSON can hold`);
    return undefined;
  }

  /** The id of a node of the punchline, of one of these kinds. */
  node(name: string, at: number, what: string, kinds: readonly NodeKind[]): string | undefined {
    const fitting = this.nodes.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
    if (fitting.includes(name)) return name;
    const other = this.nodes.find(({ id }) => id === name);
    const is = other ? `is a ${other.kind}` : 'is no node of the punchline';
    const right = fitting.length === 0 ? `a ${kinds.join(' or ')}, and the punchline has none` : oneOf(fitting);
    this.problems.error(at, `${what}: "${name}" ${is}, expected ${right}`, other ? undefined : nearestWord(name, fitting));
    return undefined;
  }
}

/** YAML can write numbers that JSON cannot. */
function findInfinite(tree: Tree): Tree | undefined {
  if (tree.kind === 'scalar') return typeof tree.value === 'number' && !Number.isFinite(tree.value) ? tree : undefined;
  const inner = tree.kind === 'list' ? tree.items : [...tree.entries.values()].map(({ value }) => value);
  for (const item of inner) {
    const at = findInfinite(item);
    if (at) return at;
  }
  return undefined;
}
