/**
 * References in values, never in keys: `${NAME}` (an environment variable), `${NAME:-default}` (when it is unset or empty),
 * `${file:NAME}` (the content of a file), `$${` for a literal `${`. It happens after parsing, so what a reference stands for cannot
 * bring YAML of its own.
 */
import { keepSecret } from '../spec/secrets.ts';
import type { ProblemList } from './problem.ts';
import { type FileContent, referencedFile } from './referenced-file.ts';
import type { ScalarTree, Tree } from './tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface References {
  readonly environment: Environment;
  /** Where names of files start from. */
  readonly folder: string;
  readonly problems: ProblemList;
}

export function substitute(tree: Tree, references: References): Tree {
  const files = new Map<string, FileContent>();
  const file = (name: string): FileContent => {
    const content = files.get(name) ?? referencedFile(name, references.folder);
    files.set(name, content);
    return content;
  };
  return replacedIn(tree, { ...references, file });
}

interface Sources extends References {
  /** Each file is read once, so that all places have the same content. */
  file(name: string): FileContent;
}

function replacedIn(tree: Tree, sources: Sources): Tree {
  switch (tree.kind) {
    case 'map': {
      const entries = new Map(
        [...tree.entries].map(([key, entry]) => [key, { ...entry, value: replacedIn(entry.value, sources) }]),
      );
      return { ...tree, entries };
    }
    case 'list':
      return { ...tree, items: tree.items.map((item) => replacedIn(item, sources)) };
    case 'scalar':
      return typeof tree.value === 'string' && tree.value.includes('${') ? replacedText(tree, tree.value, sources) : tree;
  }
}

function replacedText(tree: ScalarTree, text: string, sources: Sources): ScalarTree {
  const names = new Set<string>();
  const parts: string[] = [];
  let unresolved = false;
  let fallback = false;
  const value = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, inner: string | undefined, close: string) => {
    if (inner === undefined) return '${';
    const found = close ? lookUp(inner, sources) : { problem: malformed(whole) };
    if (found === undefined || 'problem' in found) {
      unresolved = true;
      sources.problems.error(tree.at, found?.problem ?? malformed(whole));
      return whole;
    }
    names.add(found.name);
    if (found.fallback && found.text !== '') fallback = true;
    else parts.push(found.text);
    return found.text;
  });
  if (unresolved) return { ...tree, value, unresolved };
  if (names.size === 0) return { ...tree, value };
  const lone = /^\$\{[^}]*\}$/.test(text);
  return {
    ...tree,
    value,
    variable: [...names].join(' and '),
    parts,
    ...(fallback ? { fallback } : {}),
    ...(lone ? { lone } : {}),
  };
}

interface Found {
  /** How messages call it: never by its value. */
  readonly name: string;
  readonly text: string;
  /** It is the default that the punchline itself gives. */
  readonly fallback?: true;
}

/** What stands between the braces; `undefined` when it is no reference. */
function lookUp(inner: string, sources: Sources): Found | { readonly problem: string } | undefined {
  const [, file] = /^file:(.+)$/s.exec(inner) ?? [];
  if (file !== undefined) {
    const content = sources.file(file);
    const name = `\${file:${file}}`;
    if ('problem' in content) return { problem: `cannot read "${name}": ${content.problem}, expected a text file` };
    keepSecret(content.text);
    return { name, text: content.text };
  }
  const [, variable, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner) ?? [];
  if (variable === undefined) return undefined;
  const name = `\${${variable}}`;
  const text = sources.environment[variable];
  if (text !== undefined && (text !== '' || fallback === undefined)) return { name, text };
  if (fallback !== undefined) return { name, text: fallback, fallback: true };
  return { problem: `environment variable ${variable} is not set, expected a value or a default: \${${variable}:-default}` };
}

function malformed(whole: string): string {
  const shown = whole.length > 40 ? `${whole.slice(0, 40)}…` : whole;
  const right = `\${NAME}, \${NAME:-default} or \${file:NAME}, or $\${ for a literal \${`;
  return `"${shown}" is no reference, expected ${right}`;
}
