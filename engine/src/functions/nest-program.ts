/** What engine/kernel/assembly/functions/objects.ts follows to build objects. */
import type { Tokens } from '../batch/tokens.ts';

/** Names by their parts. */
export interface NameTree {
  /** The whole name, of a part that is the last one of it. */
  readonly column: string | undefined;
  readonly children: ReadonlyMap<string, NameTree>;
}

interface GrowingTree {
  column: string | undefined;
  readonly children: Map<string, GrowingTree>;
}

export function buildTree(names: readonly string[], separator: string): NameTree {
  const root: GrowingTree = { column: undefined, children: new Map() };
  for (const name of names) {
    let at = root;
    for (const part of name.split(separator)) {
      let next = at.children.get(part);
      if (next === undefined) {
        next = { column: undefined, children: new Map() };
        at.children.set(part, next);
      }
      at = next;
    }
    at.column = name;
  }
  return root;
}

export function treeDepth({ children }: NameTree): number {
  return 1 + Math.max(0, ...Array.from(children.values(), treeDepth));
}

const MEMBER = 0;
const BEGIN = 1;
const END = 2;

interface ProgramParts {
  readonly tokens: ReadonlyMap<string, Tokens | undefined>;
  /** Puts the `"name":` of a member into the arena. */
  readonly keyOf: (name: string) => { readonly pointer: number; readonly length: number };
}

/** The steps that write the members of `tree`. */
export function buildProgram(tree: NameTree, { tokens, keyOf }: ProgramParts): { words: Uint32Array; count: number } {
  const steps: number[][] = [];
  const write = (part: string, { column, children }: NameTree): void => {
    const { pointer, length } = keyOf(part);
    if (column !== undefined) {
      const values = tokens.get(column);
      if (values !== undefined) steps.push([MEMBER, pointer, length, values.starts, values.ends, values.kinds]);
      return;
    }
    steps.push([BEGIN, pointer, length, 0, 0, 0]);
    for (const [name, child] of children) write(name, child);
    steps.push([END, 0, 0, 0, 0, 0]);
  };
  for (const [name, child] of tree.children) write(name, child);
  return { words: Uint32Array.from(steps.flat()), count: steps.length };
}
