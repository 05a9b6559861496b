import { join, resolve } from 'node:path';
import { resolveNodeSpec } from '../nodes.ts';
import { nodeLog } from '../spec/node-log.ts';
import type { Json, Punchline, PunchlineNode } from '../spec/plan.ts';
import type { AnySink, Sink, SinkContext, SinkSpec } from '../spec/sink.ts';
import type { PipelineState, SinkOpeners, SinkReports } from './options.ts';
import { DEAD_LETTERS } from './plan-worker.ts';

export const realSinks: SinkOpeners = {
  async node(punchline, node, specs, state, reports) {
    const spec = specs.get(node.id)!.spec as SinkSpec;
    const { id, settings, codec } = node;
    return open(spec, { id, settings, codec: codec ?? { name: 'json' }, folder: punchline.folder }, punchline, state, reports);
  },
  async deadLetters(punchline, state, log) {
    const spec = await resolveNodeSpec('sink', 'file', state.folder);
    // Like any file sink: a batch that is run again overwrites, a stream appends.
    const mode = punchline.kind === 'BatchPunchline' ? 'overwrite' : 'append';
    const settings = { path: resolve(state.deadLetters), mode };
    return open(spec, { id: DEAD_LETTERS, settings, codec: { name: 'json' }, folder: state.folder }, punchline, state, {
      log,
      count() {},
    });
  },
};

/** Sinks that take everything and keep nothing. */
export const noSinks: SinkOpeners = {
  node: async () => nothing,
  deadLetters: async () => nothing,
};

const nothing: Sink = { write: async () => undefined, close: async () => {} };

async function open(
  spec: SinkSpec,
  own: Pick<PunchlineNode, 'id' | 'settings' | 'codec'> & { readonly folder: string },
  punchline: Punchline,
  state: PipelineState,
  { log, count }: SinkReports,
): Promise<AnySink> {
  const resume: Json | undefined = state.checkpoint?.sinks[own.id];
  const goesOn = state.checkpoint !== undefined;
  const memory = join(state.folder, 'sinks', encodeURIComponent(own.id));
  const context = {
    ...own,
    punchlineKind: punchline.kind,
    punchline: punchline.name,
    log: nodeLog(log, own.id),
    count,
    resume,
    goesOn,
    memory,
  };
  return spec.open(context as unknown as SinkContext<never>);
}
