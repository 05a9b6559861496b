/** `reef check --connect` and `reef run --connect`: whether what sources and sinks name can be reached, with these rights. No row is moved. */
import { ReefError } from '../errors.ts';
import { resolveNodeSpec } from '../nodes.ts';
import { renderProblem } from '../punchline/problem.ts';
import type { ProbeContext } from '../spec/node.ts';
import type { Punchline, PunchlineNode } from '../spec/plan.ts';
import type { CommandIo } from './command-io.ts';

/** Longer than any time-out of a connection: what does not answer by then is not there. */
const PROBE_MS = 30_000;

/** One line a node; returns how many cannot reach what they name. All are asked at once. */
export async function probeNodes(punchline: Punchline, runModules: boolean, io: CommandIo): Promise<number> {
  const found = await probeAll(punchline, runModules);
  for (const { lines } of found) io.stdout.write(lines.map((line) => `  ${line}\n`).join(''));
  for (const { problem } of found) if (problem !== undefined) io.stderr.write(`${problem}\n`);
  return found.filter(({ problem }) => problem !== undefined).length;
}

/** What sources and sinks say that cannot reach what they name. */
export async function unreachable(punchline: Punchline): Promise<string[]> {
  return (await probeAll(punchline, true)).flatMap(({ message }) => (message === undefined ? [] : [message]));
}

function probeAll(punchline: Punchline, runModules: boolean): Promise<Found[]> {
  const nodes = punchline.nodes.filter(({ kind, type }) => kind !== 'function' && (runModules || !type.startsWith('file:')));
  return Promise.all(nodes.map((node) => probeNode(node, punchline)));
}

interface Found {
  readonly message?: string;
  readonly lines: readonly string[];
  readonly problem?: string;
}

async function probeNode({ id, kind, type, settings, codec, location }: PunchlineNode, punchline: Punchline): Promise<Found> {
  const subject = `${kind} "${id}"`;
  const spec = await resolveNodeSpec(kind as 'source' | 'sink', type, punchline.folder);
  if (spec.kind === 'function' || !spec.probe) return { lines: [`${subject} connects to nothing, or its type cannot tell`] };
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), PROBE_MS);
  const late = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => {
      reject(new ReefError('io', `Cannot reach what ${subject} names: there is no answer within ${PROBE_MS / 1000} s`));
    });
  });
  const context = {
    id,
    settings,
    codec: codec ?? { name: 'json' },
    folder: punchline.folder,
    punchlineKind: punchline.kind,
    log: { info() {}, warn() {} },
    count() {},
    signal: limit.signal,
  } as unknown as ProbeContext<never>;
  try {
    const sentences = await Promise.race([spec.probe(context), late]);
    return { lines: sentences.map((sentence) => `${subject} ${sentence}`) };
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
    const { message } = error;
    return { lines: [], message, problem: renderProblem({ ...location, severity: 'error', message }) };
  } finally {
    clearTimeout(timer);
  }
}
