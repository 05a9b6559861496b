/** Finds the command that a command line asks for, and loads only that. */
import { nearestWord } from '../spec/nearest-word.ts';
import type { CommandIo } from './command-io.ts';
import { redactCrashes, redactedIo } from './redacted-io.ts';
import { reefVersion } from './version.ts';

type Command = (args: readonly string[], io: CommandIo) => Promise<number> | number;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => {
    const { warmUp } = await import('../pipeline/warm-worker.ts');
    warmUp();
    return (await import('./run.ts')).runRun;
  },
  check: async () => (await import('./check.ts')).runCheck,
  list: async () => (await import('./list.ts')).runList,
  schema: async () => (await import('./schema.ts')).runSchema,
  test: async () => (await import('./test.ts')).runTest,
  new: async () => (await import('./new.ts')).runNew,
  help: async () => help,
  top: async () => (await import('./top.ts')).runTop,
  audit: async () => (await import('./audit.ts')).runAudit,
  tap: async () => (await import('./tap.ts')).runTap,
  inspect: async () => (await import('./inspect.ts')).runInspect,
  bench: async () => (await import('./bench.ts')).runBench,
};

export async function runCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  // Its sinks see to that themselves, and what they write must not be cut short.
  if (name !== 'run') endWithReader();
  if (name === '--version' || name === '-V') {
    io.stdout.write(`reef ${reefVersion()}\n`);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h') return help([], io);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (rest.includes('--help') || rest.includes('-h')) return help(load ? [name] : [], io);
  if (!load) {
    const near = nearestWord(name, Object.keys(commands));
    const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
    io.stderr.write(`reef: there is no command "${name}", expected one of ${Object.keys(commands).join(', ')}${hint}\n`);
    return 2;
  }
  redactCrashes();
  // What it has to say may reach nobody (a full disk, a reader that has gone): no reason to end.
  process.stderr.on('error', () => {});
  return (await load())(rest, redactedIo(io));
}

/** Whoever reads has seen enough (`| head`): nobody is left to tell anything. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

async function help(args: readonly string[], io: CommandIo): Promise<number> {
  const { helpFor, helpText } = await import('./help.ts');
  const [name, ...more] = args;
  try {
    if (more.length > 0) throw new TypeError(`"${more[0]}" is one name too many, expected one`);
    io.stdout.write(name === undefined ? helpText() : await helpFor(name));
    return 0;
  } catch (error) {
    io.stderr.write(`reef help: ${(error as Error).message}\n`);
    return 2;
  }
}
