/** `reef check`: everything that can be wrong with a punchline, without starting it. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReefError } from '../errors.ts';
import { resolveNodeSpec } from '../nodes.ts';
import type { Edge, Punchline, PunchlineNode } from '../spec/plan.ts';
import { alignColumns } from './align-columns.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { punchlineFiles } from './punchline-files.ts';

export const checkUsage = 'reef check FILE|DIR|- [FILE…] [--run-modules] [--connect]';

/** Exit codes: 0 all is right (warnings allowed), 1 a node cannot reach what it names (`--connect`), 2 a wrong command line, 3 a wrong punchline. */
export async function runCheck(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseCheckArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef check: ${parsed}\nusage: ${checkUsage}\n`);
    return 2;
  }
  const { loadPunchlines } = await import('../punchline/load.ts');
  const { renderProblem } = await import('../punchline/problem.ts');
  const { runModules, connect } = parsed;
  let unreached = 0;
  const counts = { error: 0, warning: 0 };
  const files: string[] = [];
  for (const name of parsed.files) {
    try {
      files.push(...(await punchlineFiles(name, io.cwd)));
    } catch (error) {
      counts.error++;
      io.stderr.write(`reef check: ${(error as Error).message}\n`);
    }
  }
  for (const file of files) {
    const { punchlines, problems, source } = await loadPunchlines(file, { ...io, runModules });
    for (const problem of problems) counts[problem.severity]++;
    for (const problem of problems.slice(0, MOST_SHOWN)) {
      io.stderr.write(`${renderProblem(problem, io.stderr.isTTY ? source : undefined)}\n`);
    }
    if (problems.length > MOST_SHOWN) io.stderr.write(`${file}: and ${problems.length - MOST_SHOWN} more\n`);
    if (problems.every((problem) => problem.severity === 'warning')) {
      for (const punchline of punchlines) {
        io.stdout.write(`${describePunchline(punchline, file)}\n`);
        counts.error += await examineFunctions(punchline, runModules, io);
        if (connect) {
          const { probeNodes } = await import('./probe-nodes.ts');
          unreached += await probeNodes(punchline, runModules, io);
        }
      }
    }
  }
  io.stdout.write(
    `${count(files.length, 'file')} checked: ${count(counts.error, 'error')}, ${count(counts.warning, 'warning')}\n`,
  );
  if (counts.error > 0) return 3;
  return unreached === 0 ? 0 : 1;
}

/** Says what functions find out about the modules that they name; returns how many cannot be opened. */
async function examineFunctions({ nodes, folder }: Punchline, runModules: boolean, io: CommandIo): Promise<number> {
  let errors = 0;
  for (const { id, kind, type, settings, location } of nodes) {
    if (kind !== 'function' || (!runModules && type.startsWith('file:'))) continue;
    const spec = await resolveNodeSpec('function', type, folder);
    try {
      for (const line of (await spec.examine?.({ settings: settings as never, folder })) ?? []) {
        io.stdout.write(`  function "${id}" ${line}\n`);
      }
    } catch (error) {
      if (!(error instanceof ReefError)) throw error;
      errors++;
      const { renderProblem } = await import('../punchline/problem.ts');
      io.stderr.write(`${renderProblem({ ...location, severity: 'error', message: error.message })}\n`);
    }
  }
  return errors;
}

/** Problems of one file that are printed. */
const MOST_SHOWN = 100;

function parseCheckArgs(
  args: readonly string[],
): { readonly files: string[]; readonly runModules: boolean; readonly connect: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { 'run-modules': { type: 'boolean', default: false }, connect: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    if (positionals.length === 0)
      return 'no file is given, expected the name of a punchline file or folder, or - for standard input';
    return { files: positionals, runModules: values['run-modules'], connect: values.connect };
  } catch (error) {
    return argumentProblem(error);
  }
}

/** The graph as text: one line a node, one more for each further edge. */
export function describePunchline(punchline: Punchline, file: string): string {
  const { name, kind, nodes, folder } = punchline;
  const edges = nodes.reduce((sum, node) => sum + node.out.length, 0);
  const title = `${file}: ${name}, a ${kind} of ${count(nodes.length, 'node')} and ${count(edges, 'edge')}`;
  return [title, ...alignColumns(nodes.flatMap((node) => nodeRows(node, folder))).map((line) => `  ${line}`)].join('\n');
}

function nodeRows({ id, kind, type, codec, policy, out }: PunchlineNode, folder: string): string[][] {
  const name = type.startsWith('file:') ? `./${relative(folder, fileURLToPath(type))}` : type;
  const first = [id, kind, codec === undefined ? name : `${name} (${codec.name})`];
  if (out.length === 0) return [policy === 'best_effort' ? [...first, 'best effort: nobody waits, rows may be dropped'] : first];
  return out.map((edge, index) => [...(index === 0 ? first : ['', '', '']), edgeText(edge)]);
}

function edgeText({ to, table, columns }: Edge): string {
  const only = columns?.map((column) => `${column.name}: ${column.type}`).join(', ');
  return `→ ${to}${table === undefined ? '' : `, table ${table}`}${only === undefined ? '' : `, only ${only}`}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
