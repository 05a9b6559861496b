/**
 * Environment variables in values, never in keys: `${NAME}`, `${NAME:-default}` (when unset or empty), `$${` for a literal
 * `${`. It happens after parsing, so a variable cannot bring YAML of its own.
 */
import type { ProblemList } from './problem.ts';
import type { Tree } from './tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export function substitute(tree: Tree, environment: Environment, problems: ProblemList): Tree {
  switch (tree.kind) {
    case 'map': {
      const entries = new Map(
        [...tree.entries].map(([key, entry]) => [key, { ...entry, value: substitute(entry.value, environment, problems) }]),
      );
      return { ...tree, entries };
    }
    case 'list':
      return { ...tree, items: tree.items.map((item) => substitute(item, environment, problems)) };
    case 'scalar': {
      if (typeof tree.value !== 'string' || !tree.value.includes('${')) return tree;
      let unresolved = false;
      const complain = (message: string): void => {
        unresolved = true;
        problems.error(tree.at, message);
      };
      const value = replaced(tree.value, environment, complain);
      return { ...tree, ...value, ...(unresolved ? { unresolved } : {}) };
    }
  }
}

interface Replaced {
  readonly value: string;
  readonly variable?: string;
  readonly lone?: boolean;
}

function replaced(text: string, environment: Environment, complain: (message: string) => void): Replaced {
  const names = new Set<string>();
  const value = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, inner: string | undefined, close: string) => {
    if (inner === undefined) return '${';
    const parsed = close && /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (!parsed) {
      complain(malformed(whole));
      return whole;
    }
    const [, name, fallback] = parsed;
    names.add(`\${${name}}`);
    const found = environment[name!];
    if (found !== undefined && (found !== '' || fallback === undefined)) return found;
    if (fallback === undefined) {
      complain(`environment variable ${name} is not set, expected a value or a default: \${${name}:-default}`);
      return whole;
    }
    return fallback;
  });
  if (names.size === 0) return { value };
  return { value, variable: [...names].join(' and '), ...(/^\$\{[^}]*\}$/.test(text) ? { lone: true } : {}) };
}

function malformed(whole: string): string {
  const shown = whole.length > 40 ? `${whole.slice(0, 40)}…` : whole;
  const right = `expected \${NAME} or \${NAME:-default}, or $\${ for a literal \${`;
  if (/^\$\{file:/.test(whole)) return `"${shown}" would be the content of a file, which this version does not read, ${right}`;
  return `"${shown}" is no environment variable, ${right}`;
}
