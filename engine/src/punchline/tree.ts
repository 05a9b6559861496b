/**
 * A YAML document as this folder sees it: values with the offset where each begins, aliases and merge keys already followed.
 * Maps are Maps, so that no key is special.
 */
import type { Json } from '../spec/plan.ts';

export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly at: number;
  /** Integers beyond ±2^53 are bigints, so that nobody takes a rounded one for what was written. */
  readonly value: null | boolean | number | bigint | string;
  /** Where the value comes from when it holds references: it is then not shown in messages. */
  readonly variable?: string;
  /** What the references stand for, but for defaults. */
  readonly parts?: readonly string[];
  /** True when a default that the punchline itself gives stands in it. */
  readonly fallback?: boolean;
  /** True when a reference in it could not be followed: that has been told. */
  readonly unresolved?: boolean;
  /** True when the value is one reference and nothing else: the setting's type decides what it is. */
  readonly lone?: boolean;
}

export interface ListTree {
  readonly kind: 'list';
  readonly at: number;
  readonly items: readonly Tree[];
}

export interface MapTree {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly keyAt: number;
  readonly value: Tree;
}

/** Where a path leads, or how far it goes. */
export interface Place {
  /** Offset of the value, or of the deepest map or list on the way. */
  readonly at: number;
  /** Offset of the key, where the last step that exists is one. */
  readonly keyAt?: number;
  /** The value, when the whole path exists. */
  readonly tree?: Tree;
}

export function follow(tree: Tree, path: readonly (string | number)[]): Place {
  let place: Place = { at: tree.at, tree };
  for (const part of path) {
    const here: Tree = place.tree!;
    if (here.kind === 'map') {
      const entry: Entry | undefined = here.entries.get(String(part));
      if (!entry) return withoutTree(place);
      place = { at: entry.value.at, keyAt: entry.keyAt, tree: entry.value };
    } else if (here.kind === 'list' && typeof part === 'number' && here.items[part]) {
      place = { at: here.items[part].at, tree: here.items[part] };
    } else return withoutTree(place);
  }
  return place;
}

function withoutTree({ at, keyAt }: Place): Place {
  return keyAt === undefined ? { at } : { at, keyAt };
}

/** The plain value. */
export function plainValue(tree: Tree): Json | bigint | unknown {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map(plainValue);
    case 'map':
      return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plainValue(entry.value)]));
  }
}

/** Offset of the first scalar or key that is `word`, for pointing at the setting that names a column. */
export function findWord(tree: Tree, word: string): number | undefined {
  if (tree.kind === 'scalar') return tree.value === word ? tree.at : undefined;
  if (tree.kind === 'list') {
    for (const item of tree.items) {
      const at = findWord(item, word);
      if (at !== undefined) return at;
    }
    return undefined;
  }
  for (const [key, entry] of tree.entries) {
    const at = key === word ? entry.keyAt : findWord(entry.value, word);
    if (at !== undefined) return at;
  }
  return undefined;
}
