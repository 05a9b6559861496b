/** Passwords, keys and tokens among the settings: they are referred to, never written in the punchline, and never shown. */
import type { Field, Fields } from '../spec/fields.ts';
import { keepSecret, SHORTEST_SECRET } from '../spec/secrets.ts';
import { pathText, SECRET_REFERENCE } from '../spec/setting-text.ts';
import type { MapTree, ScalarTree, Tree } from './tree.ts';

export interface SecretComplaints {
  error(at: number, message: string): void;
  warning(at: number, message: string): void;
}

/** Needs settings in the shape that the fields declare. */
export function guardSecrets(tree: MapTree, fields: Fields, complaints: SecretComplaints): void {
  guardGroup(tree, fields, [], complaints);
}

type Path = readonly (string | number)[];

function guardGroup(tree: MapTree, fields: Fields, path: Path, complaints: SecretComplaints): void {
  for (const [key, { value }] of tree.entries) {
    if (Object.hasOwn(fields, key)) guardValue(value, fields[key]!, [...path, key], complaints);
  }
}

function guardValue(tree: Tree, field: Field<unknown>, path: Path, complaints: SecretComplaints): void {
  const { element, fields, secret } = field.limits;
  if (secret) keepAll(tree);
  if (tree.kind === 'scalar') {
    if (secret) guardSecret(tree, `setting "${pathText(path)}"`, complaints);
  } else if (tree.kind === 'map' && fields) guardGroup(tree, fields, path, complaints);
  else if (tree.kind === 'map' && element) {
    for (const [key, { value }] of tree.entries) guardValue(value, element, [...path, key], complaints);
  } else if (tree.kind === 'list' && element) {
    for (const [index, item] of tree.items.entries()) guardValue(item, element, [...path, index], complaints);
  }
}

/** Whatever stands where a secret should: also what is written there by mistake must not be shown. */
export function keepAll(tree: Tree): void {
  if (tree.kind === 'list') tree.items.forEach(keepAll);
  else if (tree.kind === 'map') for (const { value } of tree.entries.values()) keepAll(value);
  else for (const text of [tree.value ?? '', ...(tree.parts ?? [])]) keepSecret(String(text));
}

function guardSecret(
  { at, value, variable, unresolved, fallback }: ScalarTree,
  name: string,
  complaints: SecretComplaints,
): void {
  if (typeof value !== 'string' || value === '' || unresolved) return;
  if (variable === undefined) {
    complaints.error(at, `${name} is written in the punchline, expected ${SECRET_REFERENCE}`);
  } else if (fallback) {
    complaints.error(at, `${name} has a default that is written in the punchline, expected ${SECRET_REFERENCE}`);
  } else if (value.length < SHORTEST_SECRET) {
    const why = `shorter than ${SHORTEST_SECRET} characters`;
    complaints.warning(at, `${name} is ${why}: where it stands in a message it cannot be told from other text`);
  }
}
