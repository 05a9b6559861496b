/**
 * The registry: every built-in node type, by kind and name. A type is loaded when a punchline uses it, so what is not used
 * costs nothing. There is no other list of types.
 */
import { ReefError } from './errors.ts';
import type { FunctionSpec } from './spec/function.ts';
import { nearestWord } from './spec/nearest-word.ts';
import type { NodeSpec } from './spec/node-spec.ts';
import type { NodeKind } from './spec/plan.ts';
import type { SinkSpec } from './spec/sink.ts';
import type { SourceSpec } from './spec/source.ts';
import { isUserModule, loadUserModule, userModuleUrl } from './spec/user-module.ts';

type Load<S> = () => Promise<{ readonly default: S }>;

export interface NodeTypes {
  readonly source: Readonly<Record<string, Load<SourceSpec>>>;
  readonly function: Readonly<Record<string, Load<FunctionSpec>>>;
  readonly sink: Readonly<Record<string, Load<SinkSpec>>>;
}

export const builtins: NodeTypes = {
  source: {
    file: () => import('./connectors/file/source.ts'),
    generator: () => import('./connectors/generator/source.ts'),
    http: () => import('./connectors/http/source/source.ts'),
    http_poller: () => import('./connectors/http-poller/source.ts'),
    kafka: () => import('./connectors/kafka/source/source.ts'),
    mqtt: () => import('./connectors/mqtt/source.ts'),
    socket: () => import('./connectors/socket/source.ts'),
    stdin: () => import('./connectors/stdin/source.ts'),
    syslog: () => import('./connectors/syslog/source.ts'),
  },
  function: {
    anonymize_ip: () => import('./functions/anonymize-ip.ts'),
    convert: () => import('./functions/convert.ts'),
    drop: () => import('./functions/drop.ts'),
    enrich_field: () => import('./functions/enrich-field.ts'),
    filter: () => import('./functions/filter.ts'),
    flatten: () => import('./functions/flatten.ts'),
    hash: () => import('./functions/hash.ts'),
    lookup: () => import('./functions/lookup/spec.ts'),
    mask: () => import('./functions/mask.ts'),
    nest: () => import('./functions/nest.ts'),
    parse: () => import('./functions/parse/spec.ts'),
    rename: () => import('./functions/rename.ts'),
    route: () => import('./functions/route.ts'),
    sample: () => import('./functions/sample.ts'),
    select: () => import('./functions/select.ts'),
    template: () => import('./functions/template.ts'),
    wasm: () => import('./functions/wasm.ts'),
  },
  sink: {
    blackhole: () => import('./connectors/blackhole/sink.ts'),
    elasticsearch: () => import('./connectors/opensearch/sink.ts'),
    file: () => import('./connectors/file/sink.ts'),
    http: () => import('./connectors/http/sink/sink.ts'),
    kafka: () => import('./connectors/kafka/sink/sink.ts'),
    mqtt: () => import('./connectors/mqtt/sink.ts'),
    opensearch: () => import('./connectors/opensearch/sink.ts'),
    postgres: () => import('./connectors/postgres/sink.ts'),
    show: () => import('./connectors/show/sink.ts'),
    socket: () => import('./connectors/socket/sink.ts'),
    stdout: () => import('./connectors/stdout/sink.ts'),
    syslog: () => import('./connectors/syslog/sink.ts'),
  },
};

export const nodeKinds: readonly NodeKind[] = ['source', 'function', 'sink'];

/**
 * What `type` is called in a plan: a built-in type without Punch's suffix (`file_source` → `file`), a user's module as its
 * `file:` URL. `undefined`: there is no such built-in type of this kind.
 */
export function canonicalType(kind: NodeKind, type: string, folder: string, types = builtins): string | undefined {
  if (isUserModule(type)) return userModuleUrl(type, folder);
  if (Object.hasOwn(types[kind], type)) return type;
  const suffix = `_${kind}`;
  const stem = type.endsWith(suffix) ? type.slice(0, -suffix.length) : undefined;
  return stem !== undefined && Object.hasOwn(types[kind], stem) ? stem : undefined;
}

/** The declaration of a node type. Runs the code of a user's module. Rejects with a `ReefError` whose data may hold a `suggestion`. */
export function resolveNodeSpec(kind: 'source', type: string, folder: string, types?: NodeTypes): Promise<SourceSpec>;
export function resolveNodeSpec(kind: 'function', type: string, folder: string, types?: NodeTypes): Promise<FunctionSpec>;
export function resolveNodeSpec(kind: 'sink', type: string, folder: string, types?: NodeTypes): Promise<SinkSpec>;
export function resolveNodeSpec(kind: NodeKind, type: string, folder: string, types?: NodeTypes): Promise<NodeSpec>;
export async function resolveNodeSpec(kind: NodeKind, type: string, folder: string, types = builtins): Promise<NodeSpec> {
  if (isUserModule(type)) return loadUserModule(kind, type, folder);
  const name = canonicalType(kind, type, folder, types);
  if (name === undefined) throw unknownType(kind, type, types);
  return (await types[kind][name]!()).default;
}

/** Kinds that have a type of this name, with or without suffix. */
export function kindsOf(type: string, types = builtins): NodeKind[] {
  return nodeKinds.filter((kind) => !isUserModule(type) && canonicalType(kind, type, '', types) !== undefined);
}

function unknownType(kind: NodeKind, type: string, types: NodeTypes): ReefError {
  const names = Object.keys(types[kind]);
  const elsewhere = kindsOf(type, types);
  const hint = elsewhere.length === 0 ? '' : ` ("${type}" is a ${elsewhere.join(' and a ')})`;
  const list = names.length === 0 ? 'a path to a module' : `one of ${names.join(', ')}, or a path such as ./my-${kind}.ts`;
  const suffix = `_${kind}`;
  const suggestion =
    elsewhere.length === 0 ? nearestWord(type.endsWith(suffix) ? type.slice(0, -suffix.length) : type, names) : undefined;
  return new ReefError(
    'config',
    `unknown ${kind} type "${type}"${hint}, expected ${list}`,
    suggestion === undefined ? {} : { data: { suggestion } },
  );
}
