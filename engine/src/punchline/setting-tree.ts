/** The different ways to write the same settings become one: the shape that the spec declares. */
import { ENCODING } from '../spec/encoding.ts';
import type { Field, Fields } from '../spec/fields.ts';
import { pathText } from '../spec/setting-text.ts';
import type { Entry, MapTree, ScalarTree, Tree } from './tree.ts';

type Complain = (at: number, message: string) => void;

interface ShapeOptions {
  /** Whether `encoding` is the setting that nodes with codecs have, in its three spellings. */
  readonly encoding: boolean;
  readonly complain: Complain;
}

/** `a.b: x` becomes `a: {b: x}` or the other way round, `encoding: {codec: x}` becomes `encoding: x`, a lone variable gets its field's type. */
export function shapeSettings(written: MapTree, fields: Fields, { encoding, complain }: ShapeOptions): MapTree {
  if (!encoding) return typedGroup(nested(written, fields, [], complain), fields);
  const tree = nested(written, withEncodingGroup(fields), [], complain);
  return typedGroup(encodingWord(tree, fields, complain), fields);
}

function withEncodingGroup(fields: Fields): Fields {
  const codec = fields[ENCODING]!;
  const within = { codec, ...Object.fromEntries(options(fields).map((name) => [name, fields[`${ENCODING}.${name}`]!])) };
  return { ...fields, [ENCODING]: { kind: 'group', doc: codec.doc, optional: true, limits: { fields: within } } };
}

/** `a.b: x` becomes `a: {b: x}` where `a` is a group and no field is called `a.b`. */
function nested(map: MapTree, fields: Fields, path: readonly string[], complain: Complain): MapTree {
  const entries = new Map<string, Entry>();
  const add = (key: string, entry: Entry): void => {
    const old = entries.get(key);
    if (!old) entries.set(key, entry);
    else if (old.value.kind === 'map' && entry.value.kind === 'map') {
      const merged = new Map(old.value.entries);
      for (const [inner, value] of entry.value.entries) {
        if (merged.has(inner))
          complain(value.keyAt, `setting "${pathText([...path, key, inner])}" is given twice, expected it once`);
        else merged.set(inner, value);
      }
      entries.set(key, { ...old, value: { ...old.value, entries: merged } });
    } else complain(entry.keyAt, `setting "${pathText([...path, key])}" is given twice, expected it once`);
  };
  for (const [key, entry] of [...map.entries].flatMap((written) => flattened(written, fields))) {
    const group = Object.hasOwn(fields, key) ? undefined : groupPrefix(key, fields);
    if (group === undefined) add(key, entry);
    else {
      const inner = new Map([[key.slice(group.length + 1), entry]]);
      add(group, { keyAt: entry.keyAt, value: { kind: 'map', at: entry.keyAt, entries: inner } });
    }
  }
  for (const [key, entry] of entries) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field?.kind !== 'group' || entry.value.kind !== 'map') continue;
    entries.set(key, { ...entry, value: nested(entry.value, field.limits.fields!, [...path, key], complain) });
  }
  return { ...map, entries };
}

/** `a: {b: x}` becomes `a.b: x` where fields are called so. */
function flattened([key, entry]: readonly [string, Entry], fields: Fields): readonly (readonly [string, Entry])[] {
  const { value } = entry;
  if (value.kind !== 'map' || Object.hasOwn(fields, key)) return [[key, entry]];
  if (!Object.keys(fields).some((name) => name.startsWith(`${key}.`))) return [[key, entry]];
  return [...value.entries].flatMap(([inner, held]) => flattened([`${key}.${inner}`, held], fields));
}

function groupPrefix(key: string, fields: Fields): string | undefined {
  for (let dot = key.indexOf('.'); dot > 0; dot = key.indexOf('.', dot + 1)) {
    const prefix = key.slice(0, dot);
    if (Object.hasOwn(fields, prefix) && fields[prefix]!.kind === 'group') return prefix;
  }
  return undefined;
}

/** What may stand beside the codec in `encoding`. */
function options(fields: Fields): string[] {
  const prefix = `${ENCODING}.`;
  return Object.keys(fields).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}

/** `encoding: {codec: csv, header: false}` becomes `encoding: csv` and `encoding.header: false`. */
function encodingWord(tree: MapTree, fields: Fields, complain: Complain): MapTree {
  const entry = tree.entries.get(ENCODING);
  if (entry?.value.kind !== 'map') return tree;
  const entries = new Map(tree.entries);
  for (const [key, inner] of entry.value.entries) {
    if (key === 'codec') continue;
    const name = `${ENCODING}.${key}`;
    if (!options(fields).includes(key)) {
      const known = ['codec', ...options(fields)].map((word) => `"${word}"`);
      complain(
        inner.keyAt,
        `unknown setting "${name}", expected ${known.length > 1 ? known.join(', ') : `only ${known[0]} there`}`,
      );
    } else if (entries.has(name)) complain(inner.keyAt, `setting "${name}" is given twice, expected it once`);
    else entries.set(name, inner);
  }
  const codec = entry.value.entries.get('codec');
  if (codec) entries.set(ENCODING, codec);
  else {
    complain(entry.keyAt, `setting "${ENCODING}.codec" is missing, expected the name of a codec`);
    entries.delete(ENCODING);
  }
  return { ...tree, entries };
}

/** A setting that is one variable takes the type that its field asks for. */
function typedGroup<T extends Tree>(tree: T, fields: Fields): T {
  if (tree.kind !== 'map') return tree;
  const entries = [...tree.entries].map(([key, entry]): [string, Entry] => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return [key, field ? { ...entry, value: typedValue(entry.value, field) } : entry];
  });
  return { ...tree, entries: new Map(entries) };
}

function typedValue(tree: Tree, field: Field<unknown>): Tree {
  const { element, fields } = field.limits;
  if (tree.kind === 'scalar') return tree.lone ? { ...tree, value: converted(tree.value as string, field) } : tree;
  if (fields) return typedGroup(tree, fields);
  if (!element) return tree;
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item) => typedValue(item, element)) };
  const entries = [...tree.entries].map(([key, entry]): [string, Entry] => [
    key,
    { ...entry, value: typedValue(entry.value, element) },
  ]);
  return { ...tree, entries: new Map(entries) };
}

function converted(text: string, field: Field<unknown>): ScalarTree['value'] {
  const word = text.trim();
  if (field.kind === 'flag' && (word === 'true' || word === 'false')) return word === 'true';
  const numeric = field.kind === 'integer' || field.kind === 'number';
  return numeric && /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(word) ? Number(word) : text;
}
