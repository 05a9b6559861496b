/** Text to trees; the only file that knows the YAML library. */
import * as yaml from 'yaml';
import { quotedList } from '../spec/setting-text.ts';
import type { ProblemList } from './problem.ts';
import type { Entry, MapTree, ScalarTree, Tree } from './tree.ts';

export interface YamlDocument {
  /** Absent when the text is no YAML. */
  readonly tree?: Tree;
  /** Whether it is all right as YAML. */
  readonly valid: boolean;
}

/** The documents of a file; blank ones are left out. */
export function parseYaml(problems: ProblemList): YamlDocument[] {
  const { text } = problems.source;
  const parsed = yaml.parseAllDocuments(text, {
    prettyErrors: false,
    stringKeys: true,
    intAsBigInt: true,
    logLevel: 'silent',
    // Compares every key with every other one; ours is below.
    uniqueKeys: false,
  });
  const documents: YamlDocument[] = [];
  for (const document of parsed) {
    const before = problems.errors;
    const fatal = reportErrors([...document.errors, ...document.warnings], problems);
    const contents = document.contents as yaml.Node | null;
    if (fatal) documents.push({ valid: false });
    else if (contents && !(yaml.isScalar(contents) && contents.source === '')) {
      const tree = new TreeBuilder(problems).build(contents);
      const valid = problems.errors === before;
      documents.push(tree ? { tree, valid } : { valid });
    }
  }
  return documents;
}

/** Most syntax errors that are told of one document: the later ones mostly follow from the first. */
const MAX_SYNTAX_ERRORS = 5;

/** Says whether the document is too broken to be looked into. */
function reportErrors(errors: readonly yaml.YAMLError[], problems: ProblemList): boolean {
  const deep = errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  if (deep) {
    problems.error(deep.pos[0], 'the YAML is nested too deep, expected at most 100 levels');
    return true;
  }
  const lines = new Set<number>();
  let fatal = false;
  for (const error of errors) {
    const { line } = problems.source.position(error.pos[0]);
    const follows = fatal && error.code === 'UNEXPECTED_TOKEN';
    fatal = true;
    if (follows || lines.has(line) || lines.size >= MAX_SYNTAX_ERRORS) continue;
    lines.add(line);
    problems.error(error.pos[0], syntaxMessage(error, problems.source.text));
  }
  return fatal;
}

function syntaxMessage({ code, message, pos }: yaml.YAMLError, text: string): string {
  const found = text.slice(pos[0]).match(/^[^\s:,{}[\]]+/)?.[0] ?? '';
  if (text.slice(pos[0] - 1, pos[0] + 1) === '${') {
    return `a bare \${ } stands inside a flow map, expected it in quotes: "\${NAME}"`;
  }
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line, expected spaces';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " stands on this line, expected quotes around the value or the value on a line of its own';
    case 'NON_STRING_KEY':
      return 'a list or map stands as a key, expected a word';
    case 'TAG_RESOLVE_FAILED':
      return `tag ${quotedList([found])} has no meaning here, expected a plain value`;
    default:
      return `this is not valid YAML: ${message.replace(/\s+/g, ' ')}`;
  }
}

/** Aliases can make a small file stand for an enormous one: that many values are enough for every honest punchline. */
const MAX_VALUES = 200_000;
const MAX_DEPTH = 100;

class TreeBuilder {
  readonly #problems: ProblemList;
  readonly #anchors = new Map<string, yaml.Node>();
  /** Nodes that are being built, to find an anchor that holds itself. */
  readonly #open = new Set<yaml.Node>();
  #values = 0;
  #failed = false;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  build(contents: yaml.Node): Tree | undefined {
    const tree = this.#tree(contents, 0);
    return this.#failed ? undefined : tree;
  }

  #tree(node: yaml.Node | null | undefined, at: number): Tree {
    const offset = node?.range?.[0] ?? at;
    const empty: ScalarTree = { kind: 'scalar', at: offset, value: null };
    if (!node || this.#failed) return empty;
    if (++this.#values > MAX_VALUES || this.#open.size > MAX_DEPTH) {
      return this.#fail(
        offset,
        this.#values > MAX_VALUES ? 'the YAML holds too many values' : 'the YAML is nested too deep',
        empty,
      );
    }
    if (yaml.isAlias(node)) return this.#alias(node.source, offset, empty);
    if ('anchor' in node && node.anchor) this.#anchors.set(node.anchor, node);
    if (yaml.isScalar(node)) return this.#scalar(node.value, offset);
    if (this.#open.has(node)) return this.#fail(offset, 'an anchor holds itself, expected values that end', empty);
    this.#open.add(node);
    const tree = yaml.isMap(node) ? this.#map(node, offset) : this.#list(node, offset);
    this.#open.delete(node);
    return tree;
  }

  #list(node: yaml.Node, at: number): Tree {
    if (!yaml.isSeq(node)) return { kind: 'scalar', at, value: null };
    return { kind: 'list', at, items: node.items.map((item) => this.#tree(yaml.isPair(item) ? null : (item as yaml.Node), at)) };
  }

  #map(node: yaml.YAMLMap, at: number): MapTree {
    const entries = new Map<string, Entry>();
    const merged: MapTree[] = [];
    for (const { key, value } of node.items as yaml.Pair<yaml.Node, yaml.Node | null>[]) {
      if (!yaml.isScalar(key)) continue;
      const keyAt = key.range?.[0] ?? at;
      const tree = this.#tree(value, key.range?.[1] ?? keyAt);
      const name = String(key.value);
      if (name === '<<' && key.type === 'PLAIN') this.#merge(tree, keyAt, merged);
      else if (!entries.has(name)) entries.set(name, { keyAt, value: tree });
      else this.#problems.error(keyAt, `key ${quotedList([name])} stands twice in the same map, expected it once`);
    }
    for (const map of merged) {
      for (const [key, entry] of map.entries) if (!entries.has(key)) entries.set(key, entry);
    }
    return { kind: 'map', at, entries };
  }

  #merge(tree: Tree, at: number, merged: MapTree[]): void {
    for (const item of tree.kind === 'list' ? tree.items : [tree]) {
      if (item.kind === 'map') merged.push(item);
      else this.#problems.error(at, 'the merge key "<<" has a value that is no map, expected a map or a list of maps');
    }
  }

  #alias(name: string, at: number, empty: ScalarTree): Tree {
    const target = this.#anchors.get(name);
    if (!target) {
      this.#problems.error(at, `alias ${quotedList([`*${name}`])} has no anchor before it, expected &${name} further up`);
      return empty;
    }
    // The place to point at is where the alias stands; inside of it, where the values are written.
    return { ...this.#tree(target, at), at };
  }

  #scalar(value: unknown, at: number): ScalarTree {
    if (typeof value === 'bigint') {
      const number = Number(value);
      return { kind: 'scalar', at, value: Number.isSafeInteger(number) ? number : value };
    }
    if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
      return { kind: 'scalar', at, value };
    }
    this.#problems.error(at, 'a value of a type that JSON does not have, expected text, a number, true, false, a list or a map');
    return { kind: 'scalar', at, value: null };
  }

  #fail(at: number, message: string, tree: Tree): Tree {
    this.#failed = true;
    this.#problems.error(at, message);
    return tree;
  }
}
