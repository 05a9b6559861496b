/** `reef tap`: shows rows of a running punchline as they come to a node, leave it or are rejected, a few each second. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ask } from '../control/ask.ts';
import { findRunning } from '../control/find-running.ts';
import type { TapLine } from '../control/tap-answer.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { TapSide } from '../spec/tap-side.ts';
import { stateHome } from '../state/state-folder.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { tapUsage } from './usage.ts';

interface TapArgs {
  readonly node: string;
  readonly punchline: string | undefined;
  readonly state: string | undefined;
  readonly sides: readonly TapSide[];
  readonly rate: number;
  readonly count: number;
}

/** Exit codes: 0 the punchline has ended or enough rows were shown, 1 there is no such punchline or node, 2 a wrong command line. */
export async function runTap(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseTapArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef tap: ${parsed}\nusage: ${tapUsage}\n`);
    return 2;
  }
  const top = parsed.state === undefined ? stateHome(io.env) : resolve(io.cwd, parsed.state);
  const running = choose(await whoRuns(top), parsed, top);
  if (typeof running === 'string') {
    io.stderr.write(`reef tap: ${running}\n`);
    return 1;
  }
  const { node, sides, rate, count } = parsed;
  // Whoever reads may have seen enough (`| head`).
  const leave = new AbortController();
  process.stdout.once('error', () => leave.abort());
  let rows = 0;
  try {
    const question = { ask: 'tap', node, sides, rate };
    for await (const answer of ask(running.folder, question, { signal: leave.signal })) {
      if (isEnd(answer)) {
        io.stderr.write(`reef tap: ${answer.end}\n`);
        return 0;
      }
      io.stdout.write(`${rowLine(answer as TapLine)}\n`);
      if (++rows === count) return 0;
    }
  } catch (error) {
    if (leave.signal.aborted) return 0;
    io.stderr.write(`reef tap: ${(error as Error).message}\n`);
    return 1;
  }
  if (!leave.signal.aborted) io.stderr.write('reef tap: the punchline is gone\n');
  return 0;
}

function isEnd(answer: unknown): answer is { readonly end: string } {
  return (answer as { readonly end?: string }).end !== undefined;
}

/** The row stands in it as it is: parsed and written again, long numbers would not be what they were. */
function rowLine({ text, bytes, ...head }: TapLine): string {
  const row = isObject(text) ? `"row":${text}` : `"text":${JSON.stringify(text)},"bytes":${bytes}`;
  return `${JSON.stringify(head).slice(0, -1)},${row}}`;
}

function isObject(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Running {
  readonly folder: string;
  readonly punchline: string;
  readonly nodes: readonly { readonly id: string }[];
}

/** Who does not answer in this time is not asked further. */
const ANSWER_MS = 2000;

async function whoRuns(top: string): Promise<Running[]> {
  const found = (await findRunning(top)).map(async (folder): Promise<Running | undefined> => {
    try {
      for await (const answer of ask(folder, { ask: 'metrics' }, { signal: AbortSignal.timeout(ANSWER_MS) })) {
        const { punchline, nodes } = answer as Snapshot;
        return { folder, punchline, nodes };
      }
    } catch {
      // What a killed process has left.
    }
    return undefined;
  });
  return (await Promise.all(found)).filter((one) => one !== undefined);
}

function choose(all: readonly Running[], { node, punchline }: TapArgs, top: string): Running | string {
  const named = all.filter((one) => punchline === undefined || one.punchline === punchline);
  if (named.length === 0) {
    const which = punchline === undefined ? 'no punchline runs' : `no punchline "${punchline}" runs`;
    const others = all.length === 0 ? 'expected one that was started with this user' : `expected ${namesOf(all)}`;
    return `${which} with a state folder in ${top}, ${others} (--state DIR names another place)`;
  }
  const having = named.filter(({ nodes }) => nodes.some(({ id }) => id === node));
  if (having.length === 1) return having[0]!;
  if (having.length > 1) return `${having.length} punchlines have a node "${node}", expected --punchline ${namesOf(having)}`;
  const ids = named.flatMap(({ nodes }) => nodes.map(({ id }) => id));
  return `there is no node "${node}", expected one of ${[...new Set(ids)].join(', ')}`;
}

function namesOf(all: readonly Running[]): string {
  return [...new Set(all.map(({ punchline }) => punchline))].join(' or ');
}

function parseTapArgs(args: readonly string[]): TapArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        punchline: { type: 'string' },
        state: { type: 'string' },
        before: { type: 'boolean', default: false },
        after: { type: 'boolean', default: false },
        rejected: { type: 'boolean', default: false },
        rate: { type: 'string', default: '10' },
        count: { type: 'string' },
      },
      allowPositionals: true,
    });
    const [node, ...more] = positionals;
    if (node === undefined) return 'no node is given, expected the id of a node of a running punchline';
    if (more.length > 0) return `"${more[0]}" is one node too many, expected one`;
    if (values.state === '') return '--state is empty, expected the name of a folder';
    const rate = Number(values.rate);
    if (!(rate > 0 && rate <= 1000)) return `--rate is "${values.rate}", expected a number of rows a second up to 1000`;
    const count = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
    if (!(count >= 1)) return `--count is "${values.count}", expected a number of rows`;
    const sides = (['before', 'after', 'rejected'] as const).filter((side) => values[side]);
    return { node, punchline: values.punchline, state: values.state, sides, rate, count };
  } catch (error) {
    return argumentProblem(error);
  }
}
