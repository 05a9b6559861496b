/**
 * The JSON Schema of a punchline, from the declarations of the node types and the keys that the loader knows. Editors use it for
 * completion and for what a file can be told of alone; `reef check` knows more (ids, columns, what settings mean together).
 */
import { builtins, type NodeTypes, nodeKinds } from '../nodes.ts';
import { columnKeys, documentKeys, type KeyTable, metadataKeys, nodeKeys, outKeys, specKeys } from '../punchline/known-keys.ts';
import { controlFields, controlKeys, EXIT_CONDITIONS, exitFields } from '../punchline/run-time-settings.ts';
import { columnTypeAliases } from '../spec/column-type.ts';
import { allSettings } from '../spec/common-settings.ts';
import { ENCODING } from '../spec/encoding.ts';
import { type Schema, writtenSchema } from '../spec/json-schema.ts';
import type { NodeSpec } from '../spec/node-spec.ts';
import type { NodeKind } from '../spec/plan.ts';

/** Editors' YAML support knows this draft best. */
const DRAFT = 'http://json-schema.org/draft-07/schema#';
/** A path, or a file: URL. */
const OWN_MODULE = '^(\\.{1,2}/|/|file:|package:)';

export async function punchlineSchema(types: NodeTypes = builtins): Promise<Schema> {
  const nodes = await Promise.all(nodeKinds.map((kind) => kindSchema(kind, types)));
  return {
    $schema: DRAFT,
    title: 'A punchline of Reef',
    ...keyed(documentKeys, ['spec'], {
      apiVersion: { const: 'punchline.punchplatform.io/v2' },
      kind: {
        enum: ['StreamPunchline', 'BatchPunchline'],
        default: 'StreamPunchline',
        description: 'StreamPunchline runs until it is stopped; BatchPunchline ends when its sources end.',
      },
      metadata: keyed(metadataKeys, [], {
        name: described({ type: 'string' }, "Default: the file's name without its ending."),
        labels: { type: 'object' },
        annotations: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
      }),
      spec: keyed(specKeys, ['dag'], {
        dag: described({ type: 'array', minItems: 2, items: { $ref: '#/definitions/node' } }, 'The nodes, in any order.'),
        ...runTimeSchemas,
      }),
    }),
    definitions: {
      node: {
        ...keyed(nodeKeys, ['id', 'kind', 'type'], {
          id: described({ type: 'string' }, "The node's name, unique in the punchline."),
          kind: { enum: nodeKinds },
          type: { type: 'string' },
          settings: { type: ['object', 'null'] },
          out: described({ type: 'array', minItems: 1, items: outSchema }, 'Where its rows go; a sink has none.'),
          ...runTimeSchemas,
        }),
        allOf: nodes.flat(),
      },
    },
  };
}

function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

/** A map with the keys of a table; keys that only matter elsewhere hold anything. */
function keyed(
  { known, elsewhere }: KeyTable,
  required: readonly string[],
  properties: Readonly<Record<string, Schema>>,
): Schema {
  const others = Object.entries(elsewhere).map(([key, why]): [string, Schema] => [key, { description: `Ignored: ${why}.` }]);
  const own = known.map((key): [string, Schema] => [key, properties[key] ?? {}]);
  return { type: 'object', properties: Object.fromEntries([...own, ...others]), required, additionalProperties: false };
}

const outSchema: Schema = keyed(outKeys, ['id'], {
  id: described({ type: 'string' }, 'The next node.'),
  table: described(
    { type: 'string' },
    'Only rows that were routed to this table; `_ppf_errors` are the rejected rows of the node.',
  ),
  columns: described(
    {
      type: 'array',
      minItems: 1,
      items: keyed(columnKeys, ['name'], { name: { type: 'string' }, type: { enum: Object.keys(columnTypeAliases) } }),
    },
    'Only these columns pass, in this order, converted to these types. Without it all pass.',
  ),
});

/** Settings of Punch's other engines stand there too, and are warned of: so any key may. */
const control: Schema = { ...writtenSchema(controlFields), additionalProperties: true, type: ['object', 'null'] };
const runTimeSchemas: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(controlKeys.map((key) => [key, control])),
  [EXIT_CONDITIONS]: writtenSchema(exitFields),
};

/** What follows from the kind of a node, and from its type. */
async function kindSchema(kind: NodeKind, types: NodeTypes): Promise<Schema[]> {
  const specs = await Promise.all(
    Object.entries(types[kind]).map(async ([name, load]): Promise<[string, NodeSpec]> => [name, (await load()).default]),
  );
  const names = specs.flatMap(([name]) => spellings(kind, name));
  const isKind: Schema = { properties: { kind: { const: kind } }, required: ['kind'] };
  const type: Schema = { anyOf: [{ enum: names }, { type: 'string', pattern: OWN_MODULE }] };
  return [
    implies(isKind, {
      properties: { type, ...(kind === 'sink' ? { out: false } : {}) },
      required: kind === 'sink' ? [] : ['out'],
    }),
    ...specs.map(([name, spec]): Schema => {
      const isType: Schema = {
        properties: { kind: { const: kind }, type: { enum: spellings(kind, name) } },
        required: ['kind', 'type'],
      };
      const settings = settingsSchema(spec);
      const needed = (settings.required as readonly string[]).length > 0;
      return implies(isType, {
        properties: {
          type: { description: spec.summary },
          settings: needed ? settings : { ...settings, type: ['object', 'null'] },
        },
        required: needed ? ['settings'] : [],
      });
    }),
  ];
}

/** By entries: a value with a key `then` looks like a promise. */
function implies(condition: Schema, conclusion: Schema): Schema {
  return Object.fromEntries([
    ['if', condition],
    ['then', conclusion],
  ]);
}

function spellings(kind: NodeKind, name: string): string[] {
  return [name, `${name}_${kind}`];
}

/** `encoding` in its three spellings, where it is a word. */
function settingsSchema(spec: NodeSpec): Schema {
  const schema = writtenSchema(allSettings(spec));
  const properties = schema.properties as Readonly<Record<string, Schema>>;
  const encoding = properties[ENCODING];
  if (!encoding || Object.hasOwn(spec.settings, ENCODING)) return schema;
  const { description, default: standard, ...word } = encoding;
  const prefix = `${ENCODING}.`;
  const options = Object.entries(properties).filter(([name]) => name.startsWith(prefix));
  const within = Object.fromEntries(options.map(([name, option]) => [name.slice(prefix.length), option]));
  const codec: Schema = {
    type: 'object',
    properties: { codec: encoding, ...within },
    required: ['codec'],
    additionalProperties: false,
  };
  const either: Schema = {
    anyOf: [word, codec],
    ...(description ? { description } : {}),
    ...(standard === undefined ? {} : { default: standard }),
  };
  return { ...schema, properties: { ...properties, [ENCODING]: either, [`${ENCODING}.codec`]: encoding } };
}
